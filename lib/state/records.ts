// What is told of turns and robots beside the running of them.

export interface RobotStatus {
  /** Answers being written now, and questions that wait behind others. */
  running: number;
  waiting: number;
  /** DingTalk calls of this robot in the month. */
  calls: number;
  /** When a question was last accepted; null when none was for a month. */
  lastAcceptedAtMs: number | null;
  /** By code, how often it happened within a month of the last time, and when last. */
  failures: readonly { code: string; count: number; lastMs: number }[];
}

/** Names that are set for a while, and nothing more. */
export interface SharedMarks {
  isSet(name: string): Promise<boolean>;
  set(name: string, ttlMs: number): Promise<void>;
}

export interface SharedToken {
  read(): Promise<{ value: string; expiresAtMs: number } | null>;
  save(token: { value: string; expiresAtMs: number }): Promise<void>;
  /** True for one instance in half a minute: the one that renews. */
  claimRenewal(): Promise<boolean>;
}

export interface TurnRecord {
  state: 'queued' | 'started' | 'dropped' | 'done';
  asker: string;
  conversationKey: string;
  /** Null once it is erased. */
  payload: string | null;
  progress: string | null;
  isStopped: boolean;
  /** Of a turn that has ended. */
  receipt: string | null;
}

export type Rating = 'like' | 'dislike';

export interface RateAnswerRequest {
  turnId: string;
  /** Who rates, as an opaque name. */
  person: string;
  /** Unique to this request. */
  owner: string;
  rating: Rating;
}

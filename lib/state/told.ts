import type { Budget, SpendingLevel } from './budget.ts';

// What the store tells, and how much beside the matter of a request.

/** Most turns whose lease has lapsed, and most whose form is due: the instance that is told looks after them. */
export const MOST_TOLD = 3;

/** Most waiting forms of a group. */
export const MOST_GROUP_FORMS = 10;

/** How long an instance has for a form that is due, in milliseconds. After that another one is told of it. */
export const DUE_AGAIN_MS = 60_000;

/** What buttons and commands may know of a turn. */
export interface TurnRecord {
  state: 'queued' | 'started' | 'dropped' | 'done';
  asker: string;
  conversationKey: string;
  /** Null once the store has erased it. */
  payload: string | null;
  progress: string | null;
  isStopped: boolean;
  /** Null until the turn has ended. */
  receipt: string | null;
  /** What was noted last of the form on its card; null where nothing was. */
  formNote?: string | null;
  /** The address for replies, as `finish` was given it; null once it has closed, and until the turn has ended. */
  reply: string | null;
}

export type Held =
  | {
      kind: 'held';
      /** What the conversation holds up to this message, in the order in which it came. */
      files: readonly string[];
      /** How many of these came with this message: fewer than it had where the limit is reached. */
      added: number;
      /** The store knows no earlier message in this conversation. */
      isFirst: boolean;
      overdue: readonly string[];
      /** As it is told of a conversation that a question is asked in; without Dify's id. */
      context?: ConversationContext;
    }
  | { kind: 'duplicate' }
  /** The store is down. */
  | { kind: 'unrecorded' };

export interface Claimed {
  /** False when another delivery of the message was claimed before. */
  isNew: boolean;
  /** Some turns whose lease has lapsed. */
  overdue: readonly string[];
}

export interface Load {
  /** Answers being written now, in all instances. */
  running: number;
  /** Some turns whose lease has lapsed. */
  overdue: readonly string[];
  /** Some turns whose card shows a form of which the time is over. Each is told once a minute. */
  dueForms?: readonly string[];
}

export type Accepted =
  /**
   * `isFirst`: the store knows no earlier message in this conversation. `payload`: as it is on record now, where the store
   * added the held files to it as the list `held`, or `heldIsOver` because it held files for too long; otherwise null.
   */
  | { kind: 'started'; turn: Started; isFirst: boolean; payload: string | null; load: Load; budget: Budget }
  /** `place` is 1 for the next in line. */
  | { kind: 'queued'; place: number; load: Load; budget: Budget }
  | { kind: 'full'; load: Load }
  /** The asker has reached the limit of questions. */
  | { kind: 'limited'; load: Load }
  /** The question needs held files, and the conversation holds none. */
  | { kind: 'unheld'; load: Load }
  /** A robot's message, and robots have got as many answers in a row as they may. */
  | { kind: 'silent' }
  /** Another delivery of the same message has been accepted before. */
  | { kind: 'duplicate' }
  /** The store is down: the turn is not on record, and the conversation's context is unknown. */
  | { kind: 'unrecorded' };

/** What the owner of a turn needs to know. */
export interface Started {
  /** Grows with each new owner. The store refuses writes with an older fence. */
  fence: number;
  context: ConversationContext;
}

export interface ConversationContext {
  /** Changes when the conversation is started anew. */
  generation: string;
  difyConversationId: string | null;
  /** The form that a paused run of this conversation waits for, as `finish` was given it. */
  form: string | null;
  /** All forms of this conversation, as `finish` was given them. They outlive the generation. */
  forms?: string | null;
  /** The receipts of the turns whose cards show the waiting forms of the group (`AcceptRequest.formsOf`). */
  others?: readonly string[];
}

/** A turn that another request put on record. */
export interface StartedTurn extends Started {
  turnId: string;
  conversationKey: string;
  payload: string;
  progress: string | null;
  /** How many times the turn has moved to a fresh invocation. */
  hop: number;
  /** False only when it is certain that Dify was never asked. */
  mayHaveBeenAsked: boolean;
  /** A stop reached the store while the turn ran. */
  isStopped: boolean;
  level: SpendingLevel;
}

/** Whose questions wait behind a turn: none, only other people's, or one of its asker as well. */
export type Behind = 'nothing' | 'others' | 'asker';

export type Renewed =
  | {
      kind: 'held';
      running: number;
      isStopped: boolean;
      /** Some turns whose lease has lapsed. */
      overdue: readonly string[];
      behind: Behind;
    }
  /** Another instance has taken the turn over. */
  | { kind: 'lost' }
  /** The turn is not on record. */
  | { kind: 'unknown' };

export type Finished =
  /** `isStopped`: a stop reached the store while the turn ran. */
  { kind: 'finished'; running: number; isStopped: boolean; next: StartedTurn | null } | { kind: 'lost' };

export interface Waiting {
  /** `dropped`: given up while it waited. `over`: it has ended, or nothing is on record of it. */
  state: 'queued' | 'started' | 'dropped' | 'over';
  progress: string | null;
}

export interface Stopped {
  /** The turn that runs, if it is one of those to stop. */
  running: { turnId: string; payload: string; progress: string | null } | null;
  /** The turns that waited and will not be asked. */
  dropped: readonly { turnId: string; progress: string | null }[];
}

import type { Budget, BudgetRequest, SpendingLevel } from './budget.ts';

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

/**
 * What is remembered between invocations. Every operation is one round trip and may be carried out twice with the
 * same arguments without changing anything the second time: the client repeats a request whose answer was lost.
 *
 * What a turn consists of is not known here: `payload` and `progress` are texts that only their writer reads.
 *
 * All operations reject with BridgeError `store_unavailable` when the store cannot be reached in time.
 */
export interface State {
  /** Whether it outlives this process. */
  readonly isDurable: boolean;
  /** Where the instances of one robot share its access token; null where there is one instance only. */
  readonly tokens: SharedToken | null;
  /** Claims a message that needs no turn, such as a command. */
  claim(request: { turnId: string; owner: string; nowMs: number }): Promise<Claimed>;
  /** Claims a message, puts its turn on record, and says whether it may start. */
  accept(request: AcceptRequest): Promise<Accepted>;
  /** Prolongs the lease of a running turn and keeps how far it got. */
  renew(request: RenewRequest): Promise<Renewed>;
  /** Ends a turn, erases what people wrote, and starts the next of the conversation, if one waits. */
  finish(request: FinishRequest): Promise<Finished>;
  /**
   * Makes a running turn one's own, when its lease has lapsed or its holder hands it over. `dropped` for a question that was
   * given up while its card was being opened, by somebody who has not been heard of since.
   */
  takeOver(request: TakeOverRequest): Promise<StartedTurn | 'dropped' | null>;
  /** Running turns whose lease has lapsed, oldest first. */
  overdue(request: { nowMs: number; limit: number }): Promise<string[]>;
  /** Notes what was done for a turn while it waited, unless whoever runs it has noted more. Tells how it stands. */
  noteWaiting(request: { turnId: string; progress: string }): Promise<Waiting>;
  /** How a turn stands that has been waiting. */
  peek(turnId: string): Promise<Waiting>;
  /** Starts the conversation anew: answers that are still running will not bring the old one back. */
  startConversation(request: { conversationKey: string; generation: string; ttlMs: number | null }): Promise<void>;
  /** Marks the running turn of a conversation as stopped and drops the waiting ones, or does so to one turn only. */
  stop(request: StopRequest): Promise<Stopped>;
  /** What is on record of a turn; null when nothing is, or no more. */
  lookUp(turnId: string): Promise<TurnRecord | null>;
  /** Sets what a person thinks of an answer, or takes it back when they think so already. Returns what holds now. */
  rate(request: RateAnswerRequest): Promise<Rating | null>;
  /** How the robot fares: counts and codes only. */
  status(request: { nowMs: number; month: string }): Promise<RobotStatus>;
  /** Facts that all instances of a robot share. */
  readonly marks: SharedMarks;
}

export interface AcceptRequest {
  /** Derived from the message's id: the same for every delivery. */
  turnId: string;
  /** Who claims: unique to this delivery, so that a repeated request is recognised as its own. */
  owner: string;
  /** Who asked, as an opaque name. */
  asker: string;
  conversationKey: string;
  conversationTtlMs: number | null;
  /** Everything needed to answer the message. */
  payload: string;
  nowMs: number;
  leaseUntilMs: number;
  /** Most turns that may wait in one conversation. */
  queueLimit: number;
  /** What the answer may cost of the organisation's month; null without a budget. */
  budget: BudgetRequest | null;
  /** Most questions that one person may ask within a window of time; null without a limit. */
  rate: RateRequest | null;
}

/** Counted in fixed windows, so that one number is kept for each person. */
export interface RateRequest {
  questions: number;
  windowMs: number;
}

/** `isNew` is false when another delivery of the message was claimed before. */
export interface Claimed {
  isNew: boolean;
  /** Some turns whose lease has lapsed. */
  overdue: readonly string[];
}

/** `running`: answers being written now, in all instances. `overdue`: some turns whose lease has lapsed. */
export interface Load {
  running: number;
  overdue: readonly string[];
}

export type Accepted =
  /** `isFirst`: nobody has asked in this conversation before, as far as is remembered. */
  | { kind: 'started'; turn: Started; isFirst: boolean; load: Load; budget: Budget }
  /** `place` is 1 for the next in line. */
  | { kind: 'queued'; place: number; load: Load; budget: Budget }
  | { kind: 'full'; load: Load }
  /** The asker has asked as much as one person may for now. */
  | { kind: 'limited'; load: Load }
  /** Another delivery of the same message has been accepted before. */
  | { kind: 'duplicate' }
  /** The store is down: nothing is on record, nothing is known of the conversation, nothing can be kept. */
  | { kind: 'unrecorded' };

/** What whoever runs a turn needs to know. */
export interface Started {
  /** Grows with each change of hands; writes with an older one are refused. */
  fence: number;
  context: ConversationContext;
}

export interface ConversationContext {
  /** Changes when the conversation is started anew. */
  generation: string;
  difyConversationId: string | null;
  /** A form that a paused run waits for in this conversation, as `finish` was given it. */
  form: string | null;
}

/** A turn that somebody else put on record. */
export interface StartedTurn extends Started {
  turnId: string;
  conversationKey: string;
  payload: string;
  progress: string | null;
  /** How many times it has moved to a fresh invocation. */
  hop: number;
  /** False only when it is certain that Dify was never asked. */
  mayHaveBeenAsked: boolean;
  level: SpendingLevel;
}

/** Dify's id of a conversation, kept only while the generation is still the same. */
export interface Remembered {
  conversationKey: string;
  generation: string;
  difyConversationId: string | null;
  ttlMs: number | null;
}

export interface RenewRequest {
  turnId: string;
  fence: number;
  nowMs: number;
  /** In the past or now: the lease is given back. */
  leaseUntilMs: number;
  progress: string;
  remembered: Remembered;
}

export type Renewed =
  | { kind: 'held'; running: number; isStopped: boolean }
  /** Somebody else has taken the turn over. */
  | { kind: 'lost' }
  /** There is no such turn on record. */
  | { kind: 'unknown' };

export interface FinishRequest {
  turnId: string;
  fence: number;
  owner: string;
  nowMs: number;
  /** The code of a failure; null for an answer. A failed turn's payload is kept for an hour, so that it can be tried again. */
  failure: string | null;
  /** Names the calendar month that `spent` belongs to. */
  month: string;
  remembered: Remembered;
  /** DingTalk calls that the answer took; what was reserved and not spent is given back. */
  spent: number;
  /** What a button needs later: ids only. */
  receipt: string;
  form: FormChange;
  /** Lease of the next turn. Not later than `nowMs`: it is started for somebody else, who asks it. */
  nextLeaseUntilMs: number;
}

/** What becomes of the form that the conversation waits for. Nothing is changed after the conversation began anew. */
export type FormChange = { kind: 'keep' } | { kind: 'forget' } | { kind: 'wait'; form: string };

export type Finished =
  /** `isStopped`: somebody has stopped the turn while it ran, on another instance perhaps. */
  { kind: 'finished'; running: number; isStopped: boolean; next: StartedTurn | null } | { kind: 'lost' };

export interface TakeOverRequest {
  turnId: string;
  owner: string;
  nowMs: number;
  leaseUntilMs: number;
  /** The claim of the holder who hands it over, and the new hop; null to take it only when its lease has lapsed. */
  handedOver: { fence: number; hop: number } | null;
}

export interface Waiting {
  /** `dropped` when it was given up while it waited, `over` when it has ended or nothing is known of it. */
  state: 'queued' | 'started' | 'dropped' | 'over';
  progress: string | null;
}

export interface StopRequest {
  conversationKey: string;
  /** Who stops: unique to this request. */
  owner: string;
  /** Only this asker's turns; null for everybody's. */
  asker: string | null;
  /** Only this turn; null for all of the conversation. */
  turnId: string | null;
  /** Until when whoever opens the card of a dropped question is left to end it. */
  leaseUntilMs: number;
}

export interface Stopped {
  /** The turn that runs, with what is known of it. */
  running: { turnId: string; payload: string; progress: string | null } | null;
  /** Waiting turns that will not be asked any more, with what is known of them. */
  dropped: readonly { turnId: string; progress: string | null }[];
}

import type { Rating } from '../answer/event.ts';
import type { Arrival } from './arrival.ts';
import type { BudgetRequest } from './budget.ts';
import type { SharedFlags, SharedToken } from './shared.ts';
import type { Accepted, Claimed, Finished, Held, Renewed, StartedTurn, Stopped, TurnRecord, Waiting } from './told.ts';

export interface RobotStatus {
  /** Answers being written now, and questions that wait behind others. */
  running: number;
  waiting: number;
  /** DingTalk calls of this robot in the month. */
  calls: number;
  /** When a question was last accepted; null when none was for a month. */
  lastAcceptedAtMs: number | null;
  /** The last arrival by each door, up to a minute too early. Kept for 40 days. */
  arrivals: readonly Arrival[];
  /** How often each code happened, and when last. Kept for 30 days after the last failure. */
  failures: readonly { code: string; count: number; lastMs: number }[];
}

export interface RateAnswerRequest {
  turnId: string;
  /** The person who rates, as an opaque name. */
  person: string;
  /** Unique to this request. */
  owner: string;
  rating: Rating;
  /** The same rating again stays, instead of being taken back. */
  keeps?: boolean;
}

/**
 * What the function remembers between invocations. Every operation is one round trip. The client repeats a request whose
 * answer was lost, so an operation that runs twice with the same arguments changes nothing the second time.
 *
 * The store does not read `payload`, `progress`, `receipt`, `reply` and forms: only the code that wrote them does.
 *
 * Times of a request are those of the instance that sends it. A store that instances share compares a time of its own: of
 * `leaseUntilMs` it takes how much later than `nowMs` it is.
 *
 * All operations reject with BridgeError `store_unavailable` when the store refuses or does not answer in time.
 */
export interface State {
  /** Whether what it keeps outlives this process. */
  readonly isDurable: boolean;
  /** Where the instances of a robot share its access token; null for a store that has one instance only. */
  readonly tokens: SharedToken | null;
  /** The store's time at this time of the instance, as far as its last reply tells it. */
  storeTime(nowMs: number): number;
  /** Claims a message that needs no turn, such as a command, so that one instance answers it. */
  claim(request: ClaimRequest): Promise<Claimed>;
  /** Claims a message, puts its turn on record, and tells whether the turn may start. */
  accept(request: AcceptRequest): Promise<Accepted>;
  /** Claims a message that is only files, and keeps the files for the next question of the conversation. */
  hold(request: HoldRequest): Promise<Held>;
  /** Prolongs the lease of a running turn and keeps its progress. */
  renew(request: RenewRequest): Promise<Renewed>;
  /** Ends a turn, erases what people wrote, and starts the next turn that waits in the conversation. */
  finish(request: FinishRequest): Promise<Finished>;
  /**
   * Makes the caller the owner of a running turn whose lease has lapsed, or whose owner hands it over. Null when the turn
   * has an owner or has ended. `dropped` when the turn was dropped while it waited, and no instance has reported within the
   * lease that its card has ended: the caller ends it, and calls `noteDropped`. `late` when the handover was sent more than
   * a minute ago.
   */
  takeOver(request: TakeOverRequest): Promise<StartedTurn | 'dropped' | 'late' | null>;
  /** Ids of turns whose lease has lapsed, oldest first. */
  overdue(request: { nowMs: number; limit: number }): Promise<string[]>;
  /** Keeps the progress of a turn that waits, unless it has a progress already. Returns how the turn stands. */
  noteWaiting(request: { turnId: string; progress: string }): Promise<Waiting>;
  /** The card of a turn that was dropped while it waited has ended, or is not there: no other instance has to end it. */
  noteDropped(turnId: string): Promise<void>;
  /** How a turn stands that was put in line. */
  peek(turnId: string): Promise<Waiting>;
  /** Up to `limit` turns whose card shows a form of which the time is over. Each is told once a minute. */
  dueForms(request: { nowMs: number; limit: number }): Promise<string[]>;
  /**
   * Notes something of the form on the card of a turn and returns what is noted then. With `instead` only in the place of that
   * note ('' for none): of several that do so at once, one succeeds.
   */
  noteForm(request: { turnId: string; note: string; instead: string | null }): Promise<string>;
  /** When the form on the card of a turn is due again; null for never. */
  postponeForm(request: { turnId: string; untilMs: number | null }): Promise<void>;
  /**
   * Starts the conversation anew and returns the number of held files that are dropped with the old one. Answers that still
   * run cannot bring the old conversation back.
   */
  startConversation(request: { conversationKey: string; generation: string; ttlMs: number | null }): Promise<number>;
  /** Marks the running turn of a conversation as stopped and drops those that wait; or does so to one turn. */
  stop(request: StopRequest): Promise<Stopped>;
  /** What is on record of a turn; null when nothing is, or when it has expired. */
  lookUp(turnId: string): Promise<TurnRecord | null>;
  /** The receipt of the answer on a card, by what DingTalk calls the card; null when there is none, or it has expired. */
  receiptOf(cardKey: string): Promise<string | null>;
  /** Sets a person's rating of an answer; the same rating again takes it back. Returns the rating that holds now. */
  rate(request: RateAnswerRequest): Promise<Rating | null>;
  /**
   * Keeps the last arrival by each door, and takes no round trip for it: the next `claim`, `accept`, `lookUp` or `overdue`
   * brings it along, at most once a minute.
   */
  noteArrival: (arrival: Arrival) => void;
  /** Counts and codes of the robot; the calls are those of the month of `nowMs`. */
  status(request: { nowMs: number }): Promise<RobotStatus>;
  readonly flags: SharedFlags;
}

export interface ClaimRequest {
  turnId: string;
  owner: string;
  nowMs: number;
  row?: RobotRow;
}

/** The answers that robots got in a chat since a person last wrote there. */
export interface RobotRow {
  /** The chat, as an opaque name. */
  chat: string;
  /** A robot's message gets an answer only when fewer than so many stand in the row; null for a person's, which ends it. */
  most: number | null;
}

export interface AcceptRequest {
  /** A hash of the message's id: the same for every delivery of the message. */
  turnId: string;
  /** Unique to this delivery: the store recognises a repeat of the same request by it. */
  owner: string;
  /** The person who asked, as an opaque name. */
  asker: string;
  conversationKey: string;
  /** How long the conversation is remembered after its last message, in milliseconds; null for ever. */
  conversationTtlMs: number | null;
  /** Everything needed to answer the message: a JSON object, to which the store adds what `Accepted` names. */
  payload: string;
  /**
   * What becomes of the files that the conversation holds: the question takes all of them (`take`), it is accepted only if
   * there are some (`need`), or they stay (`leave`). A message that was held itself is no longer held once it is accepted.
   */
  heldFiles: 'take' | 'need' | 'leave';
  nowMs: number;
  leaseUntilMs: number;
  /** Most turns that may wait in one conversation. */
  queueLimit: number;
  /** The organisation's month and what the answer may cost of it; null without a budget. */
  budget: BudgetRequest | null;
  /** How often one person may ask; null without a limit. */
  rate: RateRequest | null;
  row?: RobotRow;
  /** The group whose waiting forms the asker is told of, as an opaque name; null for none. */
  formsOf?: string | null;
}

export interface HoldRequest extends Pick<AcceptRequest, 'turnId' | 'owner' | 'conversationKey' | 'nowMs'> {
  conversationTtlMs: number | null;
  /** Each as JSON text. The store does not read them. */
  files: readonly string[];
  /** Most files that a conversation holds. */
  limit: number;
  /** How long it holds them after the last one. */
  holdMs: number;
}

/** Most questions of one person within a window. Windows are fixed, so that the store keeps one number a person. */
export interface RateRequest {
  questions: number;
  windowMs: number;
}

/** Dify's id of a conversation. The store keeps it only if the conversation is still of this generation. */
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
  /** Not later than `nowMs`: the owner gives the lease back. */
  leaseUntilMs: number;
  progress: string;
  remembered: Remembered;
}

export interface FinishRequest {
  turnId: string;
  fence: number;
  owner: string;
  /** Also decides the calendar month that `spent` belongs to. */
  nowMs: number;
  /** The code of a failure; null for an answer. The store keeps the payload of a failed turn for an hour, for another try. */
  failure: string | null;
  remembered: Remembered;
  /** DingTalk calls that the answer took. The store gives back what was reserved beyond them. */
  spent: number;
  /** What buttons need later: ids only. */
  receipt: string;
  /** The address for replies to the message, kept apart from the receipt until it closes; null without one. */
  reply?: { text: string; untilMs: number | null } | null;
  /** What DingTalk calls the card, by which the receipt is found again; absent where that is not known. */
  cardKey?: string | undefined;
  form: FormChange;
  /** The card of the turn shows a form: until when it waits, and in which group (an opaque name); null for no form. */
  waits?: { untilMs: number; group: string | null } | null;
  /** Turns whose card shows a form that is over. */
  formsOver?: readonly string[];
  /** Lease of the next turn. Not later than `nowMs`: another instance takes the next turn over. */
  nextLeaseUntilMs: number;
}

/** What becomes of the forms of the conversation. No effect once the conversation has begun anew. */
export type FormChange =
  | { kind: 'keep' }
  /**
   * `newest` is the one that instances of an earlier version know; null forgets it. `all` are all forms; null leaves those
   * on record as they are.
   */
  | { kind: 'change'; newest: string | null; all: string | null };

export interface TakeOverRequest {
  turnId: string;
  owner: string;
  nowMs: number;
  leaseUntilMs: number;
  /**
   * The fence of the owner who hands the turn over, the new hop, and when the owner sent that by the store's time; null to
   * take the turn only when its lease has lapsed.
   */
  handedOver: { fence: number; hop: number; sentAtMs: number } | null;
}

export interface StopRequest {
  conversationKey: string;
  /** Unique to this request. */
  owner: string;
  /** Only this person's turns; null for all of the conversation. */
  asker: string | null;
  /** Only this turn; null for all of the conversation. */
  turnId: string | null;
  nowMs: number;
  /** Until then the card of a dropped turn is left to the caller, or to the instance that is opening it. */
  leaseUntilMs: number;
}

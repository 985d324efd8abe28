import type { Clock } from '../../lib/runtime/clock.ts';
import type { Faults } from '../http/faults.ts';
import type { Json } from '../http/shape.ts';

/** The APIs the simulated DingTalk knows; `unknown` is any other path. */
export type DingTalkApi =
  | 'accessToken'
  | 'createAndDeliver'
  | 'streaming'
  | 'updateCard'
  | 'registerCallback'
  | 'sendBySession'
  | 'sendToPeople'
  | 'sendToGroup'
  | 'unknown';

export type Permission = 'Card.Instance.Write' | 'Card.Streaming.Write' | 'qyapi_robot_sendmsg';

export interface AppCredentials {
  clientId: string;
  clientSecret: string;
  /** Default: the client id. */
  robotCode?: string;
}

export interface CardTemplate {
  published: boolean;
  /** Streaming (markdown) variables by name. The first is the one the page shows. */
  variables: string[];
  /** Whether the 失败 state is enabled; without it `isError` fails. */
  failedState: boolean;
}

export interface Person {
  /** Absent for people outside the robot's organisation. */
  staffId?: string;
  unionId: string;
  nick: string;
  isAdmin?: boolean;
}

export interface Group {
  conversationId: string;
  title: string;
  /** Staff ids, or union ids of external people. */
  members: string[];
}

/** What a tenant's administrator can change. Changes take effect with the next request. */
export interface DingTalkSettings {
  permissions: Permission[];
  templates: Record<string, CardTemplate>;
  latencyMs: number | ((api: DingTalkApi) => number);
  /** Calls a second, per app and API. */
  qps: number;
  /** Calls a calendar month (UTC+8). `Infinity`: no limit. */
  monthlyCalls: number;
  /** Text that DingTalk's content check refuses. */
  unsafeWords: string[];
  people: Person[];
  groups: Group[];
}

export interface DingTalkOptions extends Partial<DingTalkSettings> {
  app: AppCredentials;
  corpId?: string;
  clock?: Clock;
  createId?: () => string;
  port?: number;
}

export interface CardFrame {
  at: number;
  key: string;
  content: string;
  final: boolean;
  error: boolean;
  guid: string;
}

export type CardPhase = 'processing' | 'typing' | 'finished' | 'failed';

export interface SimulatedCard {
  outTrackId: string;
  templateId: string;
  /** `id` is the group's conversation id, or the person as addressed (staff id or union id). */
  space: { kind: 'group' | 'single'; id: string };
  /** The chat in which people see it. */
  conversationId: string;
  mentions: { userId: string; name: string }[];
  /** `lastMessageI18n`: the line in the chat list, by language. */
  listSummary: Record<string, string> | null;
  phase: CardPhase;
  /** The text people see. */
  content: string;
  /** All public variables. */
  variables: Record<string, string>;
  /** Variables for one person, by user id. */
  privateVariables: Record<string, Record<string, string>>;
  /** Frames that were applied, oldest first. */
  frames: CardFrame[];
  callbackRouteKey: string | null;
  createdAt: number;
  endedAt: number | null;
}

export interface SimulatedMessage {
  id: string;
  at: number;
  /** How it came: a session reply, a robot message API, or the answer to the callback itself. */
  channel: 'session' | 'robot' | 'response';
  /** `text`, `markdown`, `actionCard`, `link`, `feedCard`, or the msgKey of another robot message. */
  kind: string;
  conversationId: string;
  title: string | null;
  text: string;
  /** User ids whose mention counts: listed in `at` and written in the text. */
  mentions: string[];
  mentionsAll: boolean;
  raw: Json;
}

export interface DingTalkCall {
  id: string;
  api: DingTalkApi;
  method: string;
  path: string;
  at: number;
  /** `null` while it is running. */
  durationMs: number | null;
  /** `null` when no response was sent. */
  status: number | null;
  /** `ok`, or the error code (errcode as text for session replies). */
  code: string | null;
  requestBytes: number;
  responseBytes: number;
  /** Whether it used up one of the month's calls. */
  counted: boolean;
  /** The injected fault, if any. */
  fault: string | null;
  outcome: 'running' | 'answered' | 'hung' | 'reset' | 'lost' | 'abandoned';
  /** Parsed bodies, without credentials. */
  request: Json;
  response: Json;
}

/** A request that breaks a rule of the protocol: what a correct client never sends. */
export interface Violation {
  at: number;
  api: DingTalkApi;
  code: string;
  message: string;
  outTrackId: string | null;
}

export type DingTalkEvent =
  | { type: 'call'; call: DingTalkCall }
  | { type: 'card'; card: SimulatedCard }
  | { type: 'message'; message: SimulatedMessage }
  | { type: 'violation'; violation: Violation }
  | { type: 'callback'; callback: Callback };

export type DingTalkFaultEffect =
  /** Any status and code. Applied nowhere. */
  | { kind: 'status'; status: number; code?: string; message?: string; delayMs?: number }
  /** 403 QpsLimitForAppkeyAndApi · 429 · 500 system.busy · 504, ready made. Applied nowhere. */
  | { kind: 'qps' | 'too-many-requests' | 'busy' | 'gateway-timeout'; delayMs?: number }
  /** HTTP 200 with this errcode (session replies). */
  | { kind: 'errcode'; errcode: number; errmsg?: string; delayMs?: number }
  /** Never answers; not applied. */
  | { kind: 'hang' }
  /** The connection is reset before it is applied. */
  | { kind: 'reset'; delayMs?: number }
  /** Applied, then the connection is reset. */
  | { kind: 'lost-response'; delayMs?: number }
  /** Answered as usual, after the delay. */
  | { kind: 'slow'; delayMs: number };

export type DingTalkFaults = Faults<DingTalkApi, DingTalkFaultEffect>;

export type MessageKind = 'text' | 'richText' | 'picture' | 'audio' | 'video' | 'file' | 'unknownMsgType';

export interface CallbackInput {
  /** Staff id of a known person, or union id of an external one. */
  from: string;
  /** Conversation id of a known group. Absent: the person's single chat with the robot. */
  conversation?: string;
  /** What the person typed (a group's leading space is added). Means `kind: 'text'`. */
  text?: string;
  kind?: MessageKind;
  /** `content` of the other kinds. Default: an example of that kind. */
  content?: Json;
  msgId?: string;
}

/** A signed POST as DingTalk sends it. Delivering the same value again is a redelivery. */
export interface Callback {
  headers: Record<string, string>;
  body: Json;
}

export interface CardActionInput {
  outTrackId: string;
  userId: string;
  actionId: string;
  params?: Json;
}

export interface Delivery {
  status: number;
  /** The response's text. */
  body: string;
  ms: number;
}

export interface DingTalkSimulator {
  /** Serves as both `DINGTALK_API_URL` and `DINGTALK_OAPI_URL`. */
  readonly origin: string;
  readonly settings: DingTalkSettings;
  readonly cards: ReadonlyMap<string, SimulatedCard>;
  readonly messages: readonly SimulatedMessage[];
  readonly calls: readonly DingTalkCall[];
  readonly violations: readonly Violation[];
  readonly faults: DingTalkFaults;
  /** How many calls counted for the month so far, all months together. */
  countedCalls(): number;
  /** Every token issued so far is refused from now on. */
  invalidateTokens(): void;
  /** Every session webhook issued so far answers 300001 from now on. */
  expireSessions(): void;
  /** The conversation id of a person's single chat with the robot. */
  singleConversation(person: string): string;
  /** `overrides` replace fields of the body; `undefined` removes one. */
  callback(input: CallbackInput, overrides?: Json): Callback;
  /** A tap on a card button, signed with the secret registered for the card's route key. */
  cardAction(input: CardActionInput, overrides?: Json): Callback;
  deliver(url: string, callback: Callback): Promise<Delivery>;
  /** Where card actions of this card go: the registered callback URL. */
  callbackUrl(outTrackId: string): string | null;
  subscribe(listener: (event: DingTalkEvent) => void): () => void;
  /** Forgets cards, messages, calls and violations; settings, tokens and sessions stay. */
  clear(): void;
  close(): Promise<void>;
}

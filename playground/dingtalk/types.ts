import type { Clock } from '../../lib/runtime/clock.ts';
import type { Faults } from '../http/faults.ts';
import type { Json } from '../http/shape.ts';

/**
 * The APIs the simulated DingTalk knows; `unknown` is any other path. `fileHost` is where files that people sent are
 * fetched, `cardCallback` the robot's own answer to a tap (it never occurs among the calls, only in violations).
 */
export type DingTalkApi =
  | 'accessToken'
  | 'createAndDeliver'
  | 'deliver'
  | 'streaming'
  | 'updateCard'
  | 'registerCallback'
  | 'sendBySession'
  | 'sendToPeople'
  | 'sendToGroup'
  | 'downloadFile'
  | 'fileHost'
  | 'uploadMedia'
  | 'cardCallback'
  | 'unknown';

export type Permission = 'Card.Instance.Write' | 'Card.Streaming.Write' | 'qyapi_robot_sendmsg' | 'qyapi_base';

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
  /**
   * Whether the template is the whole file of `npm run card-template`; else it is that of `--minimal`. Default: false.
   */
  buttons?: boolean;
}

/** A field of the form on a card. */
export interface CardField {
  name: string;
  label: string;
  type: 'text' | 'select';
  /** What a select offers. */
  options?: string[];
  /** What it holds at first. */
  value?: string;
}

/** A button as one person sees it on a card; a tap on it is `tap({ outTrackId, userId, actionId, params })`. */
export interface CardButton {
  actionId: string;
  /** A form's values are to be added under `form`, by the names of the fields. */
  params: Json;
  label: string;
  color: string;
  /** What is to be filled in before a tap on a `form` button. */
  fields?: CardField[];
}

/** A part of a card, as one person sees it. */
export type Drawn =
  | { kind: 'pending'; text: string }
  /** Where the text of the answer stands. */
  | { kind: 'answer' }
  /** `variable`: the first one that it shows. */
  | { kind: 'text'; text: string; variable: string | null }
  /** In a row, or one below the other where a loop draws them. */
  | { kind: 'buttons'; buttons: CardButton[]; isList: boolean }
  /** Its values go along as `params.form`. */
  | { kind: 'form'; actionId: string; submit: string; fields: CardField[] }
  /** What is written goes along as `params.input`. */
  | { kind: 'input'; actionId: string; label: string; hint: string }
  /** Copies the text, which calls nothing. */
  | { kind: 'copy'; text: string };

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

/** How fetching a file that a person sent goes wrong. */
export type DownloadTrouble =
  /** 302 to there. */
  | { kind: 'redirect'; to: string }
  /** So many bytes, then silence with the connection open. */
  | { kind: 'hang'; afterBytes: number }
  /** Bytes without an end, chunked. */
  | { kind: 'endless' }
  /** A `content-length` other than the file's. */
  | { kind: 'length'; declared: number }
  | { kind: 'status'; status: number }
  /** The API names this address in place of its own. */
  | { kind: 'url'; url: string };

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
  /**
   * Newer fields that a new card is refused for (`config`, `question`, `extension`): by the call, by a failure inside
   * DingTalk, or by making the card and not showing it. Default: none.
   */
  refusedFields?: { names: readonly string[]; by: 'call' | 'failure' | 'delivery' };
  /** Applies to every file until it is taken away. */
  download?: DownloadTrouble;
}

export interface DingTalkOptions extends Partial<DingTalkSettings> {
  app: AppCredentials;
  corpId?: string;
  clock?: Clock;
  createId?: () => string;
  port?: number;
  /** What the robot uploaded earlier. */
  media?: Omit<UploadedMedia, 'at'>[];
  /** The gateway of Stream mode; without it no connection is to be had. */
  stream?: SimulatedStream;
}

/** What the simulated API knows of the gateway of Stream mode. */
export interface SimulatedStream {
  /** `POST /v1.0/gateway/connections/open`. */
  open(body: Json | undefined): { status: number; body: Json };
  /** Where presses on cards of the type `STREAM` go. */
  readonly callbackUrl: string;
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
  /** What the delivery was answered with; a message that quotes the card names it so. */
  carrierId: string;
  /** `id` is the group's conversation id, or the person as addressed (staff id or union id). */
  space: { kind: 'group' | 'single'; id: string };
  /** The chat in which people see it. */
  conversationId: string;
  mentions: { userId: string; name: string }[];
  /** `lastMessageI18n`: the line in the chat list, by language. */
  listSummary: Record<string, string> | null;
  /** `dynamicSummary`: that line follows the text. */
  summaryFollows: boolean;
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
  /** Presses go through the app's Stream connection. */
  isOfStream: boolean;
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
  /** The file that a message consists of, by the id of its upload. */
  file?: { mediaId: string; name: string; type: string };
  /** The picture that a message consists of. */
  image?: { mediaId: string } | { url: string };
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
  /** Any status and code. Applied nowhere, unless `carriedOut`. */
  | { kind: 'status'; status: number; code?: string; message?: string; delayMs?: number; carriedOut?: boolean }
  /** 403 QpsLimitForAppkeyAndApi · 429 · 500 system.busy, ready made. Applied nowhere. */
  | { kind: 'qps' | 'too-many-requests' | 'busy'; delayMs?: number }
  /** 504 of a gateway that waited too long. Applied nowhere, unless `carriedOut`. */
  | { kind: 'gateway-timeout'; delayMs?: number; carriedOut?: boolean }
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

export type MessageKind =
  | 'text'
  | 'richText'
  | 'picture'
  | 'audio'
  | 'video'
  | 'file'
  | 'markdown'
  | 'link'
  | 'interactiveCard'
  | 'chatRecord'
  | 'unknownMsgType';

export interface FileContent {
  name: string;
  bytes: Uint8Array;
}

/** What `media/upload` tells apart (protocol 6). */
export type MediaType = 'image' | 'voice' | 'video' | 'file';

/** A file that the robot uploaded. */
export interface UploadedMedia extends FileContent {
  /** With its `@`. */
  id: string;
  type: MediaType;
  at: number;
}

/** An earlier message that a person replies to (protocol 1.10, reported). */
export interface QuotedMessage {
  /** Who wrote it. Default: the robot. */
  from?: string;
  text?: string;
  /** A file with a download code of its own; `kind` says as what it was sent. Default: `file`. */
  file?: FileContent;
  kind?: 'picture' | 'audio' | 'video' | 'file';
  /** The pictures of a rich text. */
  files?: FileContent[];
  /** A chat record that was forwarded before. */
  record?: RecordEntry[];
  /** The `outTrackId` of a card of the robot: only its ids come with the quote. */
  card?: string;
  /** How the client sends it. Default: as the newest clients do. */
  shape?: QuoteShape;
}

/** The shapes in which clients were seen to send a quote: `quotes.ts`. */
export type QuoteShape =
  | 'text'
  | 'textContent'
  | 'textJson'
  | 'withoutKind'
  | 'quoteMessage'
  | 'quoteContent'
  | 'markdown'
  | 'link'
  | 'actionCard'
  | 'picture'
  | 'pictureCode'
  | 'richTextKinds'
  | 'richTextTypes'
  | 'richTextList'
  | 'file'
  | 'fileWithoutCode'
  | 'audio'
  | 'video'
  | 'cardTree'
  | 'cardVariables'
  | 'cardText'
  | 'cardIdOnly'
  | 'idOnly'
  | 'document'
  | 'recordSummary'
  | 'recordSummaryJson'
  | 'record';

/** What one person said in a chat record. */
export interface RecordEntry {
  name: string;
  text?: string;
  /** A picture; null for a file that comes without anything to fetch it by. */
  file?: FileContent | null;
}

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
  /** What was sent with the kinds `picture`, `audio`, `video` and `file`. Default: a small sample. */
  file?: FileContent;
  /** The pictures of a `richText`, which stand after `text`. */
  pictures?: FileContent[];
  /** What was understood of an `audio`. Default: a sample sentence. */
  recognition?: string;
  /** The message it replies to; with the kinds `text` and `richText` (protocol 2, 1.1). */
  quote?: QuotedMessage;
  /** The entries of a `chatRecord`. */
  record?: RecordEntry[];
  msgId?: string;
}

/** A signed POST as DingTalk sends it. Delivering the same value again is a redelivery. */
export interface Callback {
  headers: Record<string, string>;
  body: Json;
}

/**
 * Where a press stands in the body of its callback: in `content.cardPrivateData`, as the pages have it, with `actionId` and
 * `params` at the top, or in `actionData` (protocol: card template file 6.5, reported of buttons that come from a variable).
 */
export type PressShape = 'cardPrivateData' | 'actionId' | 'actionData';

export interface CardActionInput {
  outTrackId: string;
  userId: string;
  actionId: string;
  params?: Json;
  /** Default: `cardPrivateData`. */
  shape?: PressShape;
}

export interface Delivery {
  status: number;
  /** The response's text. */
  body: string;
  ms: number;
}

/** To forge a tap. */
export interface TapOverrides {
  /** Replace fields of the body; `undefined` removes one. */
  body?: Json;
  /** Replace headers; `undefined` removes one. */
  headers?: Record<string, string | undefined>;
  /** When it was signed, in ms. Default: now. */
  at?: number;
  /** Where it goes. Default: the callback URL registered for the card. */
  url?: string;
}

/** What a response to a tap may hold (protocol 4.8). */
export interface CardResponse {
  cardUpdateOptions: { updateCardDataByKey: boolean; updatePrivateDataByKey: boolean };
  cardData: Record<string, string> | null;
  userPrivateData: Record<string, string> | null;
}

/** `status` is 0 when the card has no callback, or when nothing came within the 2 s that DingTalk waits. */
export interface Tap extends Delivery {
  /** What was applied for the person who tapped; `null` when the response was none. */
  update: CardResponse | null;
}

export interface DingTalkSimulator {
  /** Serves as both `DINGTALK_API_URL` and `DINGTALK_OAPI_URL`. */
  readonly origin: string;
  readonly settings: DingTalkSettings;
  readonly cards: ReadonlyMap<string, SimulatedCard>;
  readonly messages: readonly SimulatedMessage[];
  /** What the robot uploaded, by media id. Only the newest are kept. */
  readonly media: ReadonlyMap<string, UploadedMedia>;
  /** What people sent, by download code. Only the newest are kept. */
  readonly files: ReadonlyMap<string, FileContent>;
  /** Makes a download code lead to a file, for a callback whose body is written by hand. */
  keepFile(code: string, file: FileContent): void;
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
  /** The buttons that a person sees on a card now; none when there is no such card. */
  buttonsOf(outTrackId: string, userId: string): CardButton[];
  /** What a person sees of a card now, from the top; nothing when there is no such card. */
  drawingOf(outTrackId: string, userId: string): Drawn[];
  /** Whether a card is as wide as the chat. */
  isWide(outTrackId: string): boolean;
  /**
   * Taps: posts the action to the registered callback URL, waits 2 s by the wall clock, and applies what the response
   * says for the person who tapped. A malformed or late response is a violation of `cardCallback`.
   */
  tap(input: CardActionInput, overrides?: TapOverrides): Promise<Tap>;
  /**
   * Follows a link in a message or on a card. `dtmd://dingtalkclient/sendMessage?content=…` makes the person send that
   * text: in a single chat that message is returned, for `callback`. `null` in a group, where it is not proved that
   * the message mentions the robot (protocol 4.9), and for any other URL.
   */
  tapLink(conversationId: string, person: string, url: string): CallbackInput | null;
  deliver(url: string, callback: Callback): Promise<Delivery>;
  /** Where card actions of this card go: the registered callback URL. */
  callbackUrl(outTrackId: string): string | null;
  subscribe(listener: (event: DingTalkEvent) => void): () => void;
  /**
   * Forgets cards, messages, files, calls and violations, but for the newest of each; settings, tokens and sessions stay.
   *
   * @param keep how many of each are kept. Default: none.
   */
  clear(keep?: number): void;
  close(): Promise<void>;
}

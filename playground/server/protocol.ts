/** What the playground's server tells its page. The page's own code is checked against these types. */

/** A text in both languages of the page. */
export interface Named {
  zh: string;
  en: string;
}

export interface PersonInfo {
  /** Staff id, or union id for people outside the organisation. */
  id: string;
  staffId: string | null;
  name: Named;
  role: Named;
}

export interface ChatInfo {
  /** DingTalk's conversation id. */
  id: string;
  kind: 'single' | 'group';
  title: Named;
  /** Ids of people. */
  members: string[];
}

/** One POST of a callback to the function, and what came back. */
export interface DeliveryInfo {
  at: number;
  ms: number | null;
  /** `null` while it is under way; 0 when there was no connection. */
  status: number | null;
}

/** A file as the page shows it. */
export interface FileInfo {
  kind: 'picture' | 'voice' | 'video' | 'file';
  name: string;
  /** In bytes. */
  size: number;
  /** Where the page gets it. */
  url: string;
}

/** What a message refers to. */
export interface QuoteInfo {
  /** Id of the person who wrote it; `null`: the robot. */
  from: string | null;
  text: string;
}

/** What one person, or the robot, said in a forwarded record. */
export interface SaidInfo {
  name: string;
  text: string;
  file: FileInfo | null;
}

/** What a person sent. Its id is DingTalk's message id. */
export interface QuestionItem {
  kind: 'question';
  id: string;
  chat: string;
  at: number;
  from: string;
  text: string;
  files: FileInfo[];
  /** What DingTalk understood of a voice message; empty when it understood nothing, `null` when there is no voice. */
  recognition: string | null;
  quote: QuoteInfo | null;
  /** What the message is when it forwards what was said in the chat. */
  record: SaidInfo[] | null;
  /** The first is the message itself, the others are redeliveries. */
  deliveries: DeliveryInfo[];
}

/** A person has tapped a button of a card. What comes of it has this for its question. */
export interface TapItem {
  kind: 'tap';
  id: string;
  chat: string;
  at: number;
  from: string;
  card: string;
  actionId: string;
  /** What the button says. */
  text: string;
  deliveries: DeliveryInfo[];
}

/** A button as one person sees it. */
export interface ButtonInfo {
  actionId: string;
  params: Record<string, unknown>;
  label: string;
  /** `blue`, `gray` or `red`. */
  color: string;
}

/** A part of a card as one person sees it, drawn from the file of `npm run card-template`. */
export type DrawnInfo =
  | { kind: 'pending'; text: string }
  /** Where the text of the answer stands. */
  | { kind: 'answer' }
  /** `variable`: the first one that it shows. */
  | { kind: 'text'; text: string; variable: string | null }
  /** In a row, or a list that the app made. */
  | { kind: 'buttons'; buttons: ButtonInfo[]; isList: boolean }
  /** Its values go along as `params.form`. */
  | { kind: 'form'; actionId: string; submit: string; fields: FieldInfo[] }
  /** What is written goes along as `params.input`. */
  | { kind: 'input'; actionId: string; label: string; hint: string }
  | { kind: 'copy'; text: string };

export interface FieldInfo {
  name: string;
  label: string;
  type: 'text' | 'select';
  options: string[];
  value: string;
}

export interface Mention {
  id: string;
  name: string;
}

export interface CardItem {
  kind: 'card';
  id: string;
  chat: string;
  at: number;
  question: string | null;
  phase: 'processing' | 'typing' | 'finished' | 'failed';
  content: string;
  mentions: Mention[];
  /** What each person of the chat sees, from the top, by the person's id. */
  drawn: Record<string, DrawnInfo[]>;
  /** The card is as wide as the chat. */
  wide: boolean;
  /** The line in the chat list: first what the card was made with, then its text, where that line follows it. */
  summary: string | null;
  endedAt: number | null;
}

/** A message of the robot that is not a card. */
export interface MessageItem {
  kind: 'message';
  id: string;
  chat: string;
  at: number;
  question: string | null;
  /** Only the chat list shows it. */
  title: string | null;
  text: string;
  mentions: Mention[];
  /** The message is this file or picture. */
  file: FileInfo | null;
}

export type ChatItem = QuestionItem | TapItem | CardItem | MessageItem;

export interface Frame {
  card: string;
  /** Counts from 0 within a card. */
  index: number;
  at: number;
  content: string;
  final: boolean;
  error: boolean;
}

/** `callback`: what DingTalk sends to the function. The others: what the function calls. */
export type Service = 'callback' | 'dingtalk' | 'dify' | 'store';

/** One call: DingTalk's to the function, or one that the function made. */
export interface Call {
  id: number;
  service: Service;
  name: string;
  method: string | null;
  /** The address, with shell variables for hosts and secrets; `null` where there is none to tell. */
  target: string | null;
  question: string | null;
  at: number;
  /** Until the first byte of the answer's body; for streams. */
  firstByteMs: number | null;
  /** `null` while it is running. */
  ms: number | null;
  /** HTTP status; for the store `null`. */
  status: number | null;
  /** `ok`, or an error code. */
  code: string | null;
  requestBytes: number;
  responseBytes: number;
  /** Whether it used up one of the organisation's calls of this month. */
  counted: boolean;
  /** JSON texts, cut where they are long; `null` when there is none or it was let go. */
  request: string | null;
  response: string | null;
}

export interface LogLine {
  id: number;
  at: number;
  question: string | null;
  fields: Record<string, unknown>;
}

export const TROUBLES = [
  'slowDingTalk',
  'qpsLimit',
  'cardRefused',
  'fieldsRefused',
  'noTemplate',
  'difyBusy',
  'difyError',
  'inputRefused',
  'cutStream',
  'functionKilled',
  'storeDown',
] as const;

export type TroubleName = (typeof TROUBLES)[number];
export type Trouble = Record<TroubleName, boolean>;

export const STREAMINGS = ['smooth', 'balanced', 'thrifty', 'off'] as const;
export type StreamingName = (typeof STREAMINGS)[number];
export const REPLY_LANGUAGES = ['zh-CN', 'en'] as const;
export type ReplyLanguage = (typeof REPLY_LANGUAGES)[number];

/** Where a press stands in the body of its callback. */
export const PRESS_SHAPES = ['cardPrivateData', 'actionId', 'actionData'] as const;
export type PressShape = (typeof PRESS_SHAPES)[number];

/** A voice message that can be sent without a microphone. */
export interface VoiceInfo {
  id: string;
  name: Named;
  /** What DingTalk understands of it; empty: nothing, and the app's own speech to text is asked. */
  recognition: string;
  seconds: number;
}

/** A piece of markdown, and what the function makes of it. */
export interface GalleryEntry {
  id: string;
  name: Named;
  /** What the app wrote. */
  source: string;
  card: string;
  message: string;
}

export interface AppChoice {
  id: string;
  name: Named;
  /** What the app is in Dify's words; for a real app what the configuration says. */
  type: string;
  real: boolean;
  /** What it plays when asked for it; nothing in an app of one's own. */
  samples: string[];
  /** Why an app of one's own does not answer as it is configured. Null: it does, or nothing is wrong so far. */
  problem: Named | null;
}

/** How the function is configured for the next question. */
export interface Setup {
  app: string;
  apps: AppChoice[];
  streaming: StreamingName;
  showThinking: boolean;
  replyLanguage: ReplyLanguage;
  /** The robot speaks the language of the page. */
  followsPage: boolean;
  /** The card template has buttons. */
  buttons: boolean;
  press: PressShape;
  trouble: Trouble;
}

export interface Snapshot {
  robot: Named;
  people: PersonInfo[];
  chats: ChatInfo[];
  voices: VoiceInfo[];
  setup: Setup;
  items: ChatItem[];
  frames: Frame[];
  calls: Call[];
  logs: LogLine[];
}

/** Everything but `cleared` replaces what has the same id. */
export type Change =
  | { kind: 'item'; item: ChatItem }
  | { kind: 'frame'; frame: Frame }
  | { kind: 'call'; call: Call }
  | { kind: 'log'; line: LogLine }
  | { kind: 'setup'; setup: Setup }
  | { kind: 'cleared' };

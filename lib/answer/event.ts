import type { ErrorFacts, TurnErrorCode } from '../errors.ts';

/** What the app is doing at the moment, for a reader who waits. */
export interface Activity {
  /** `queued`: it has not begun, because Dify is busy. `unseen`: its steps cannot be seen. */
  kind: 'node' | 'tool' | 'thinking' | 'queued' | 'unseen';
  /** One line of at most 40 characters without markup; only nodes and tools have one. */
  name: string;
  /** The name in the reader's language, where Dify has it: only tools are labelled in several. */
  labels?: { zh?: string; en?: string };
}

/** A file that the app made. `url` may be relative, and Dify serves it for minutes only. */
export interface AnswerFile {
  /** Dify's id; null where Dify does not tell it. One file can have two ids: its own, and one of its place in a message. */
  id: string | null;
  /** Empty where Dify does not tell it. */
  name: string;
  /** `image`, `document`, `audio`, `video` or `custom`. */
  kind: string;
  url: string;
  /** In lower case, without the dot. */
  extension: string | null;
  mimeType: string | null;
  sizeBytes: number | null;
}

/** What Dify calls this run; each id as soon as an event has it, none guaranteed. */
export interface RunIds {
  conversationId?: string;
  messageId?: string;
  taskId?: string;
  runId?: string;
}

export type RunStatus = 'succeeded' | 'failed' | 'stopped';

/** Why an app failed, where the words of Dify or of a provider tell it. The words themselves are not kept. */
export interface FailureReason {
  code: TurnErrorCode;
  facts: ErrorFacts;
}

/** What an event of Dify means for the answer. Dify's own names and shapes end in `lib/dify/events.ts`. */
export type AnswerEvent = { ids: RunIds } & (
  | { kind: 'text'; source: TextSource; text: string; node?: string }
  /**
   * A node, of which texts name the one that they come from, ended its try. `failed`: it is tried again or ends with its
   * default value, so what it streamed does not count.
   */
  | { kind: 'try-ended'; node: string; failed: boolean }
  /** The text so far is replaced, for example by moderation. */
  | { kind: 'replace'; source: TextSource | 'current'; text: string }
  | { kind: 'reasoning'; text: string }
  /** What the app does now. */
  | { kind: 'activity'; activity: Activity }
  /** An agent begins (or reports on) the step of this id. `thought` is the text of the step so far. */
  | { kind: 'step'; stepId: string; activity: Activity | null; thought?: string }
  | { kind: 'file'; file: AnswerFile }
  | { kind: 'run-started' }
  | ({ kind: 'message-ended' } & MessageEnd)
  | {
      kind: 'run-finished';
      status: RunStatus;
      outputs: Readonly<Record<string, unknown>>;
      files: readonly AnswerFile[];
      reason?: FailureReason | null;
      /** A node failed, and was tried again or went on with its default value. */
      retried?: boolean;
    }
  /** A person is asked. The run pauses when its other branches have ended. */
  | { kind: 'form'; form: PendingForm }
  /** The form was answered, or its time ran out; the run goes on. */
  | { kind: 'form-closed'; how: 'filled' | 'expired' }
  | { kind: 'run-paused'; form: PendingForm | null }
  /** The app failed. The code is Dify's; the status is the one that the failure would have before the stream. */
  | { kind: 'failed'; upstreamCode: string | null; status: number | null; reason?: FailureReason | null }
  /** Progress and other events that carry only ids. */
  | { kind: 'none' }
);

/** `message` and `agent_message` are kept apart, because one may repeat what the other streamed. */
export type TextSource = 'message' | 'agent' | 'chunk';

/** `text` takes any text. `unknown` stands for every type that this version does not know. */
export type FormFieldType = 'text' | 'select' | 'file' | 'file-list' | 'unknown';

export interface FormField {
  /** What Dify calls it, also in `{{#$output.<name>#}}` of the content. */
  name: string;
  label: string;
  type: FormFieldType;
  /** Dify wants every field; a text may be empty. */
  required: boolean;
  /** Of a `select`; empty where Dify does not tell them. */
  options: readonly string[];
  /** Empty where there is none. */
  default: string;
}

export interface FormAction {
  id: string;
  title: string;
}

/** What a person is asked in the middle of a run. */
export interface PendingForm {
  /** Opens the form at Dify; null for a form that Dify sent by e-mail only: it cannot be answered in the chat. */
  token: string | null;
  /** Null where Dify does not name the run. */
  runId: string | null;
  /** Empty where Dify does not name the node. */
  nodeTitle: string;
  /** Markdown, with `{{#$output.<name>#}}` where a field belongs. */
  content: string;
  fields: readonly FormField[];
  actions: readonly FormAction[];
  expiresAtMs: number | null;
}

/** What a reader thinks of an answer. */
export type Rating = 'like' | 'dislike';

/** What the model cost, as Dify works it out. */
export interface Price {
  amount: number;
  currency: string;
}

/** A passage of the knowledge base that the answer rests on. */
export interface Citation {
  documentId: string | null;
  documentName: string;
}

/** What the end of a message tells of it. */
export interface MessageEnd {
  citations: readonly Citation[];
  files: readonly AnswerFile[];
  totalTokens: number | null;
  price: Price | null;
}

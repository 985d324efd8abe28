import type { Clock } from '../../lib/runtime/clock.ts';
import type { Behaviour, DifyVersion } from './behaviour.ts';
import type { ModelFailure } from './model-failures.ts';
import type { Faults } from '../http/faults.ts';
import type { Json } from '../http/shape.ts';

export type { Behaviour, DifyVersion };

export type AppMode = 'chat' | 'agent-chat' | 'agent' | 'advanced-chat' | 'workflow' | 'completion';

/** protocol 5.3: the classes of files. Anything without a class of its own is `custom`. */
export type FileType = 'image' | 'document' | 'audio' | 'video' | 'custom';

/** A file that the app makes. It gets a signed link below `/files/tools`, valid for 300 s. */
export interface MadeFile {
  name: string;
  bytes: Uint8Array;
  /** Default: by the name's extension. */
  type?: FileType;
  /** Default: by the name's extension. */
  mimeType?: string;
}

/** How a made file reaches the client (protocol 6.2). What the app's mode does not have is not sent. */
export type FilePlace =
  /** A `message_file` event; not in workflows. */
  | { as: 'message_file'; belongsTo?: 'assistant' | 'user' }
  /** A link in the text; a chatflow lists it at its end, too. */
  | { as: 'markdown' }
  /** Only in `files` of the end events; not in workflows. */
  | { as: 'end' }
  /** In the outputs of a workflow, in an array below this key. Default: `files`. */
  | { as: 'output'; key?: string };

/**
 * One step of an answer. `afterMs` is counted from the step before (the first: from the request), or from the moment
 * `when` holds, for a step that a test sets off.
 */
export type Chunk = { afterMs?: number; when?: Promise<void> } &
  /** `from`: the node and variable it comes from. Default: the model's text. */
  (
    | { text: string; from?: readonly [node: string, variable: string] }
    /** `message_replace`: everything so far becomes this. */
    | { replace: string; reason?: string }
    /** An agent uses a tool; ends the current step. */
    | { tool: string; label?: { en_US: string; zh_Hans: string }; input: Json; observation: string }
    /** `reasoning_chunk`, for workflow-based apps. */
    | { reasoning: string; final?: boolean }
    /** A node between the start and the model runs for so long; workflow-based apps only. */
    | { node: { title: string; type: string }; forMs?: number }
    | { file: MadeFile & FilePlace }
    /** Any other event; the envelope of the app's mode is added. `data` goes where the mode wants it. */
    | { event: string; data: Json }
    /** Bytes as they are. */
    | { raw: string }
    /** Nothing, only time: pings go on. */
    | { pause: true }
    /** `node_retry`: the model failed and is asked again. What it has said stays. Workflow-based apps only. */
    | { retry: ModelFailure }
    /** Every connection to the run breaks here; what becomes of it depends on the version and the mode. */
    | { cut: true }
    /** Done at this moment, for stories that stop, kill or ask at it; the run goes on when the promise is kept. */
    | { moment: (run: DifyRun) => void | Promise<void> }
  );

/** How an answer ends. */
export type Ending =
  /** As the app's mode and version end a good answer. */
  | { kind: 'end' }
  /** A typed failure of the model: `error` for easy apps, a failed `workflow_finished` for workflow-based ones. */
  | { kind: 'failed'; message: string }
  /** The model call fails, in the words and with the code that this version has for it. */
  | { kind: 'model-failed'; cause: ModelFailure }
  /** The model fails once more and its node puts out this text instead. Workflow-based apps only. */
  | { kind: 'default-value'; text: string; cause: ModelFailure }
  /** A good end, before which output moderation replaces the whole answer. */
  | { kind: 'moderated'; text: string }
  /** Output moderation ends a chatflow in the middle: this text, `stopped`, and a record that stays `running`. */
  | { kind: 'blocked'; text: string }
  /** The worker dies: no byte more, and a record that stays `running`. Workflow-based apps only. */
  | { kind: 'worker-lost' }
  /** A lone `error` event with these fields. Without `code` and ids when `nameless`. */
  | { kind: 'error'; code?: string; status: number; message: string; nameless?: boolean }
  /** The response ends normally, without an end event. */
  | { kind: 'eof' }
  /** The connection breaks off. */
  | { kind: 'cut' }
  /** Not another byte; the connection stays. */
  | { kind: 'silence' }
  | Pause;

/** A field of a form (protocol 1.4). Each must be in what is submitted, if only as an empty text. */
export type FormInput =
  /** `variable`: its default comes from this variable of the run, with the text that `defaults` has. */
  | { type: 'paragraph'; name: string; variable?: readonly string[] }
  /** `variable`: the options come from it, and the events do not hold them (recorded). */
  | { type: 'select'; name: string; options: readonly string[]; variable?: readonly string[] }
  | { type: 'file'; name: string; allowedTypes?: readonly FileType[] }
  | { type: 'file-list'; name: string; allowedTypes?: readonly FileType[]; limit?: number };

export interface FormAction {
  id: string;
  title: string;
  button_style: string;
}

export interface FormSubmission {
  action: string;
  inputs: Json;
}

/** A person is asked; `workflow_paused` closes the stream. Workflow-based apps only. */
export interface Pause {
  kind: 'paused';
  /** The title of the node. Default: `Approval`. */
  title?: string;
  /** Markdown; `{{#$output.<name>#}}` marks the place of an input. */
  formContent: string;
  /** The same before variables were put in, as snapshots have it. Default: `formContent`. */
  formTemplate?: string;
  /** There is a token, but the routes answer 404 to it. */
  byMailOnly?: boolean;
  /** From 1.16 on the channels name whom it went to. */
  mailedTo?: readonly string[];
  /** Further forms of the same pause, each of a node of its own. The run goes on when all are answered. */
  beside?: readonly Pause[];
  /** null: a form that the API cannot reach. Default: a new token. */
  formToken?: string | null;
  inputs?: readonly FormInput[];
  /** Default: `approve` and `reject`. */
  actions?: readonly FormAction[];
  /** By the inputs' names. */
  defaults?: Record<string, string>;
  /** In seconds. Default: three days. */
  expiresInS?: number;
  /** How the run goes on; may pause again. Default: it ends well. */
  onSubmit?: (submitted: FormSubmission) => ChunkScript;
  /** How the run goes on when no answer came in time. Default: it fails. */
  onTimeout?: ChunkScript;
}

export interface ChunkScript {
  chunks: Chunk[];
  /** Default: `{ kind: 'end' }`. */
  ending?: Ending;
  /**
   * What the End node puts out (workflow). Default: `{ result: <the text> }`. An object `{ madeFile: MadeFile }` in
   * it, at any depth, becomes a file object.
   */
  outputs?: Json;
  /** The text of a chatflow's answer node around the model's: what stands before comes before the model is asked. */
  template?: { before?: string; after?: string };
  /** No worker takes the run for so long; `Infinity`: none ever does. Workflow-based apps only. */
  queuedMs?: number;
}

/** Input moderation: nothing is run, the preset text is the answer. Not in workflows. */
export interface BlockedScript {
  inputBlocked: string;
}

/** A recorded stream, byte for byte. */
export interface BytesScript {
  /** A file of test/fixtures/dify, or the bytes. */
  bytes: string | Uint8Array;
  /** `whole` (default), `bytes` (one at a time), or the offsets to cut at. */
  split?: 'whole' | 'bytes' | readonly number[];
  /** Between two pieces. */
  gapMs?: number;
  /** After the last byte. Default: eof. */
  ending?: { kind: 'eof' | 'cut' | 'silence' };
}

export type Script = ChunkScript | BytesScript | BlockedScript;

/** A file that came with a question. */
export interface RunFile {
  /** The upload's id; null for a remote file. */
  id: string | null;
  type: FileType;
  /** The upload's name, or the last part of the remote address. */
  name: string;
  /** The input it was given for; null for `files[]`. */
  variable: string | null;
  url: string | null;
  mimeType: string | null;
  /** Bytes; null for a remote file. */
  size: number | null;
}

/** What a script may depend on. */
export interface Question {
  text: string;
  user: string;
  inputs: Json;
  /** 1 for the first message of a conversation. */
  turn: number;
  mode: AppMode;
  body: Json;
  files: readonly RunFile[];
}

export interface SampleApp {
  mode: AppMode;
  name: string;
  description?: string;
  /** Replaces fields of `GET /parameters`. */
  parameters?: Json;
  /** Default: the samples, chosen by the question's words. */
  script?: Script | ((question: Question) => Script);
  /** Speech to text, when `/parameters` has it enabled. Default: a text that names the file. */
  transcribe?: (bytes: Uint8Array, file: { name: string; mimeType: string }) => string;
  /** The questions suggested after an answer, when `/parameters` has that enabled. Default: none. */
  suggest?: readonly string[] | ((question: Question) => readonly string[]);
  /** A model writes the suggestions: how long that takes. Default: 0. */
  suggestDelayMs?: number;
  /** The app has no model, or its provider is gone: each question is refused. */
  model?: 'absent' | 'gone';
  /** protocol 3.4: runs at the same time. Default: unlimited. */
  maxActiveRequests?: number;
}

export interface DifyOptions {
  /** By API key. */
  apps: Record<string, SampleApp>;
  version?: DifyVersion;
  behaviour?: Partial<Behaviour>;
  latencyMs?: number;
  clock?: Clock;
  createId?: () => string;
  port?: number;
  /** protocol 6.2: what the links to files begin with. `internal` is a host that cannot be reached from outside. Default: `relative`. */
  filesUrl?: 'relative' | 'own' | 'internal';
}

export type DifyApi =
  | 'info'
  | 'parameters'
  | 'chat'
  | 'workflow'
  | 'completion'
  | 'stop'
  | 'messages'
  | 'conversations'
  | 'deleteConversation'
  | 'runDetail'
  | 'runList'
  | 'runEvents'
  | 'upload'
  | 'speech'
  | 'feedback'
  | 'suggested'
  | 'form'
  | 'submitForm'
  /** The links to files, outside of `/v1`. */
  | 'file'
  | 'unknown';

export type DifyFaultEffect =
  /** Never answers. */
  | { kind: 'hang' }
  /** Connection reset before anything happened. */
  | { kind: 'reset'; delayMs?: number }
  /** The run starts, then the connection is reset before the first byte. */
  | { kind: 'lost-response'; delayMs?: number }
  /** Answered as usual, after the delay. */
  | { kind: 'slow'; delayMs: number }
  /** A body of test/fixtures/dify/http-bodies.json, by name. Nothing is run. */
  | { kind: 'http'; name: string; delayMs?: number }
  /** The connection breaks after so many bytes of the stream. */
  | { kind: 'cut'; afterBytes: number }
  /** After so many bytes nothing more comes, not even pings. */
  | { kind: 'stall'; afterBytes: number }
  /** HTTP 200 with one error frame; nameless (protocol 2.3) unless it has a code. */
  | { kind: 'error-frame'; code?: string; status?: number; message?: string; delayMs?: number };

export type DifyFaults = Faults<DifyApi, DifyFaultEffect>;

export interface DifyRequest {
  id: string;
  api: DifyApi;
  method: string;
  path: string;
  query: Record<string, string>;
  /** Of a multipart body: the fields, and each file as `{ name, mimeType, size }`. */
  body: Json;
  at: number;
  /** When the response was complete or the client had gone. */
  endedAt: number | null;
  status: number | null;
  key: string | null;
  user: string | null;
  conversationId: string | null;
  /** The task that a stop names. */
  taskId: string | null;
  fault: string | null;
  responseBytes: number;
}

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'stopped' | 'paused';

/** One step of an agent, as the stored message has it. */
export interface AgentThought {
  id: string;
  position: number;
  thought: string;
  tool: string;
  labels: Json;
  input: string;
  observation: string;
  files: readonly string[];
}

export interface DifyForm {
  id: string;
  token: string | null;
  status: 'waiting' | 'submitted' | 'expired';
  expiresAt: number;
  /** Who submitted it, and what. */
  user: string | null;
  submitted: FormSubmission | null;
}

/** A file an app made, and where it was shown. */
export interface DifyMadeFile {
  id: string;
  name: string;
  type: FileType;
  mimeType: string;
  /** Bytes. */
  size: number;
  url: string;
  as: FilePlace['as'];
  belongsTo: 'assistant' | 'user';
}

export interface DifyUpload {
  id: string;
  name: string;
  mimeType: string;
  bytes: Uint8Array;
  user: string;
  key: string;
  at: number;
}

export interface DifyRun {
  /** Workflow run id for workflow-based apps, message id for the others. */
  id: string;
  taskId: string;
  messageId: string | null;
  workflowRunId: string | null;
  conversationId: string | null;
  key: string;
  mode: AppMode;
  user: string;
  query: string;
  inputs: Json;
  turn: number;
  status: RunStatus;
  /** What the run's record says, and so its detail. It can stay `running` when the run is long over. */
  record: RunStatus | 'partial-succeeded';
  /** The steps of an agent so far. */
  thoughts: readonly AgentThought[];
  /** The text so far, as Dify would store it. */
  answer: string;
  outputs: Json;
  error: string | null;
  startedAt: number;
  finishedAt: number | null;
  /** The client went away before the end. */
  disconnectedAt: number | null;
  /** Whether the answer can be read afterwards. */
  saved: boolean;
  /** What came with the question. */
  files: readonly RunFile[];
  /** What the app made, in the order of making. */
  made: readonly DifyMadeFile[];
  rating: 'like' | 'dislike' | null;
  /** Why, in the words that came with the rating. */
  ratingContent: string | null;
  /** What people were asked, oldest first. */
  forms: readonly DifyForm[];
}

export interface OpenStream {
  path: string;
  bytes: number;
}

export interface DifyViolation {
  at: number;
  /**
   * `concurrent-run`, `concurrent-with-orphan`, `missing-user`, `invalid-body`, `malformed-json`, `unknown-path`,
   * `files-ignored` or `credentials-to-file-host`.
   */
  code: string;
  message: string;
}

export type DifyEvent =
  | { type: 'request'; request: DifyRequest }
  | { type: 'run'; run: DifyRun }
  | { type: 'violation'; violation: DifyViolation };

export interface DifySimulator {
  readonly origin: string;
  /** `origin` + `/v1`: the value of `DIFY_API_URL`. */
  readonly url: string;
  readonly requests: readonly DifyRequest[];
  readonly runs: readonly DifyRun[];
  /** What was uploaded, by id. */
  readonly uploads: ReadonlyMap<string, DifyUpload>;
  /** How many runs wait for a worker. */
  readonly queued: number;
  /** Event streams whose connection is open now. */
  readonly openStreams: readonly OpenStream[];
  readonly violations: readonly DifyViolation[];
  readonly faults: DifyFaults;
  /** Makes a conversation unknown, as if it had been deleted in the console. */
  forgetConversation(id: string): void;
  subscribe(listener: (event: DifyEvent) => void): () => void;
  /**
   * Forgets requests, finished runs and violations, but for the newest of each; conversations stay.
   *
   * @param keep how many of each are kept. Default: none.
   */
  clear(keep?: number): void;
  close(): Promise<void>;
}

import type { Clock } from '../../lib/runtime/clock.ts';
import type { Faults } from '../http/faults.ts';
import type { Json } from '../http/shape.ts';

export type AppMode = 'chat' | 'agent-chat' | 'agent' | 'advanced-chat' | 'workflow' | 'completion';

/** One step of an answer. `afterMs` is counted from the step before (the first: from the request). */
export type Chunk = { afterMs?: number } & (
  | { text: string }
  /** `message_replace`: everything so far becomes this. */
  | { replace: string; reason?: string }
  /** An agent uses a tool; ends the current step. */
  | { tool: string; label?: { en_US: string; zh_Hans: string }; input: Json; observation: string }
  /** `reasoning_chunk`, for workflow-based apps. */
  | { reasoning: string; final?: boolean }
  /** Any other event; the envelope of the app's mode is added. `data` goes where the mode wants it. */
  | { event: string; data: Json }
  /** Bytes as they are. */
  | { raw: string }
  /** Nothing, only time: pings go on. */
  | { pause: true }
);

/** How an answer ends. */
export type Ending =
  /** As the app's mode and version end a good answer. */
  | { kind: 'end' }
  /** The model call fails: `error` for easy apps, a failed `workflow_finished` for workflow-based ones. */
  | { kind: 'failed'; message: string }
  /** A lone `error` event with these fields. Without `code` and ids when `nameless`. */
  | { kind: 'error'; code?: string; status: number; message: string; nameless?: boolean }
  /** The response ends normally, without an end event. */
  | { kind: 'eof' }
  /** The connection breaks off. */
  | { kind: 'cut' }
  /** Not another byte; the connection stays. */
  | { kind: 'silence' }
  /** A person is asked; `workflow_paused` closes the stream. Workflow-based apps only. */
  | { kind: 'paused'; formContent: string; formToken: string | null };

export interface ChunkScript {
  chunks: Chunk[];
  /** Default: `{ kind: 'end' }`. */
  ending?: Ending;
  /** What the End node puts out (workflow). Default: `{ result: <the text> }`. */
  outputs?: Json;
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

export type Script = ChunkScript | BytesScript;

/** What a script may depend on. */
export interface Question {
  text: string;
  user: string;
  inputs: Json;
  /** 1 for the first message of a conversation. */
  turn: number;
  mode: AppMode;
  body: Json;
}

export interface SampleApp {
  mode: AppMode;
  name: string;
  description?: string;
  /** Replaces fields of `GET /parameters`. */
  parameters?: Json;
  /** Default: the samples, chosen by the question's words. */
  script?: Script | ((question: Question) => Script);
  /** protocol 3.4: runs at the same time. Default: unlimited. */
  maxActiveRequests?: number;
}

/** `legacy` ≤ 1.12 · `1.13.0` · `1.14` (1.13.1 to 1.14) · `modern` (1.16). */
export type DifyVersion = 'legacy' | '1.13.0' | '1.14' | 'modern';

/** What differs between versions (protocol 2.5, 3.3, 3.8, 4). */
export interface Behaviour {
  /** `json.dumps` with spaces and \uXXXX, or compact UTF-8. */
  style: 'spaced' | 'compact';
  chatflowEnd: 'finished-then-message-end' | 'finished-only' | 'message-end-then-finished';
  /** An unknown or foreign conversation_id in a streaming chatflow; other chat apps always answer 404. */
  staleConversation: 'not-found' | 'nameless-error' | 'new-conversation';
  /** Workflow-based runs outlive their client and are saved. */
  runsSurvive: boolean;
  /** What becomes of an easy app's answer when its client goes away. */
  easyAnswers: 'lost' | 'aborted' | 'saved';
  /** `GET /workflow/:id/events` exists. */
  runEvents: boolean;
  /** Workflow-based streams begin with a ping. */
  firstPing: boolean;
  /** The relay keeps a stream that got a lone `error` open, silently, for this long. 0: closes at once. */
  silenceAfterErrorMs: number;
  pingMs: number;
  stopNoticeMs: number;
  tooManyRequests: 429 | 400;
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
  | 'runDetail'
  | 'runEvents'
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
  body: Json;
  at: number;
  /** When the response was complete or the client had gone. */
  endedAt: number | null;
  status: number | null;
  key: string | null;
  user: string | null;
  conversationId: string | null;
  fault: string | null;
  responseBytes: number;
}

export type RunStatus = 'running' | 'succeeded' | 'failed' | 'stopped' | 'paused';

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
}

export interface OpenStream {
  requestId: string;
  path: string;
  openedAt: number;
  bytes: number;
}

export interface DifyViolation {
  at: number;
  /** `concurrent-run`, `concurrent-with-orphan`, `missing-user`, `invalid-body`, `malformed-json` or `unknown-path`. */
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
  /** Event streams whose connection is open now. */
  readonly openStreams: readonly OpenStream[];
  readonly violations: readonly DifyViolation[];
  readonly faults: DifyFaults;
  /** Makes a conversation unknown, as if it had been deleted in the console. */
  forgetConversation(id: string): void;
  subscribe(listener: (event: DifyEvent) => void): () => void;
  /** Forgets requests, finished runs and violations; conversations stay. */
  clear(): void;
  close(): Promise<void>;
}

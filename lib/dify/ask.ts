import type { AppType } from '../config/robot.ts';
import { wireFile, type PlacedFile } from './file-inputs.ts';
import type { DifyHttp, OpenedStream } from './http.ts';

export interface Question {
  query: string;
  inputs: Readonly<Record<string, unknown>>;
  /** The person whom Dify keeps conversations and files for: the same string in every call about them. */
  user: string;
  conversationId: string | null;
  /** Uploaded for the same user. `placeFiles` decides which of them go here. */
  files?: readonly PlacedFile[];
}

/** Workflows send a first byte at once, easy apps with their model's first token or a ping after 10 s. */
const HEADERS_TIMEOUT_MS = 60_000;

/**
 * How long a stream may be silent before its first event. A chatflow or workflow whose question waits for a worker has sent one
 * ping by then and nothing else. Dify closes a stream without an event after 300 s (`docs/wire-dify.md`).
 */
const FIRST_IDLE_MS = 290_000;

/** Where each kind of app is asked. */
export const PATHS: Readonly<Record<AppType, string>> = {
  chat: '/chat-messages',
  agent: '/chat-messages',
  chatflow: '/chat-messages',
  workflow: '/workflows/run',
  completion: '/completion-messages',
};

/**
 * Asks once. The request is never repeated after it was sent: Dify would run the app a second time and keep a second
 * message.
 *
 * @throws BridgeError with a `dify_…` code when no answer came, or none that can be read.
 */
export function askApp(http: DifyHttp, type: AppType, question: Question, signal: AbortSignal): Promise<OpenedStream> {
  return http.openStream({
    path: PATHS[type],
    body: requestBody(type, question),
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    firstIdleMs: FIRST_IDLE_MS,
    signal,
  });
}

function requestBody(type: AppType, { query, inputs, user, conversationId, files = [] }: Question): object {
  const shared = {
    inputs,
    user,
    response_mode: 'streaming',
    ...(files.length > 0 ? { files: files.map(wireFile) } : {}),
  };
  switch (type) {
    case 'chat':
    case 'agent':
    case 'chatflow':
      return {
        ...shared,
        query,
        ...(conversationId ? { conversation_id: conversationId } : {}),
        auto_generate_name: false,
      };
    case 'workflow':
    case 'completion':
      return shared;
  }
}

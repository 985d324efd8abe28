import type { DifyEvent } from '../answer/event.ts';
import type { AppType, DifyConfig } from '../config/robot.ts';
import { BridgeError, turnErrorCode } from '../errors.ts';
import { callJson, isTimeout, readLimited, type Fetch } from '../net/http.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { readAppType, readParameters, type AppFacts } from './app-facts.ts';
import { readRefusal, type Refusal } from './failures.ts';
import { wireFile, type PlacedFile } from './file-inputs.ts';
import { readEvents } from './stream.ts';

export interface Question {
  query: string;
  inputs: Readonly<Record<string, unknown>>;
  /** Whom Dify keeps conversations and files for: the same string in every call about them. */
  user: string;
  conversationId: string | null;
  /** Uploaded for the same user. Where they go: `placeFiles`. */
  files?: readonly PlacedFile[];
}

/** One Dify app. */
export interface DifyClient {
  /** What kind of app it is and which inputs it has; remembered for a while. */
  facts(): Promise<AppFacts>;
  /**
   * Asks, once. The events come as the app produces them.
   *
   * @throws BridgeError with a `dify_…` code when there was no answer or none that can be read.
   */
  ask(type: AppType, question: Question, signal: AbortSignal): Promise<Asked>;
  /** The app turned out to be of another type than `facts` said: the next type to try, or null. */
  correctType(wrong: AppType): AppType | null;
}

/** A refusal before the stream: nothing was run. */
export type Asked = { ok: true; events: AsyncGenerator<DifyEvent, void, undefined> } | { ok: false; refusal: Refusal };

const FACTS_TTL_MS = 600_000;

/** After a failed look, the configured or assumed type serves for this long. */
const FACTS_RETRY_MS = 30_000;

const FACTS_TIMEOUT_MS = 5_000;

/** Until the response headers come. Workflows send a first byte at once, easy apps within their model's first token or a 10 s ping. */
const HEADERS_TIMEOUT_MS = 60_000;

/** Four missed keep-alives of 10 s. */
const IDLE_MS = 45_000;

const MAX_ERROR_BYTES = 256 * 1024;

const PATHS: Readonly<Record<AppType, string>> = {
  chat: '/chat-messages',
  agent: '/chat-messages',
  chatflow: '/chat-messages',
  workflow: '/workflows/run',
  completion: '/completion-messages',
};

export function createDifyClient(config: DifyConfig, fetch: Fetch, clock: Clock, log: Log): DifyClient {
  const authorization = { authorization: `Bearer ${config.apiKey}` };
  let remembered: { facts: Promise<AppFacts>; untilMs: number } | null = null;
  let corrected: AppType | null = null;

  async function get(path: string): Promise<unknown> {
    const answer = await callJson(fetch, clock, {
      method: 'GET',
      url: `${config.apiUrl}${path}`,
      headers: authorization,
      timeoutMs: FACTS_TIMEOUT_MS,
    });
    if (answer.status !== 200) throw readRefusal(answer.status, answer.json).error;
    return answer.json;
  }

  async function lookUp(): Promise<AppFacts> {
    const optional = async (path: string) => {
      try {
        return await get(path);
      } catch (error) {
        // A question can be asked without these facts; what is really wrong shows there.
        if (remembered) remembered.untilMs = clock.now() + FACTS_RETRY_MS;
        log.warn('dify_facts_unavailable', { path, code: turnErrorCode(error) });
        return undefined;
      }
    };
    const [info, parameters] = await Promise.all([
      config.appType === 'auto' ? optional('/info') : undefined,
      optional('/parameters'),
    ]);
    const told = config.appType === 'auto' ? readAppType(info) : config.appType;
    const type = corrected ?? told;
    return { type: type ?? 'chat', isTypeKnown: type !== null, ...readParameters(parameters) };
  }

  function facts(): Promise<AppFacts> {
    if (remembered && clock.now() < remembered.untilMs) return remembered.facts;
    const fresh = {
      facts: Promise.resolve<AppFacts>({ type: 'chat', isTypeKnown: false, ...readParameters(null) }),
      untilMs: clock.now() + FACTS_TTL_MS,
    };
    remembered = fresh;
    fresh.facts = lookUp();
    return fresh.facts;
  }

  return {
    facts,
    correctType(wrong) {
      const next: Partial<Record<AppType, AppType>> = {
        chat: 'workflow',
        agent: 'workflow',
        chatflow: 'workflow',
        workflow: 'completion',
      };
      corrected = next[wrong] ?? null;
      remembered = null;
      return corrected;
    },
    async ask(type, question, signal) {
      const response = await post(`${config.apiUrl}${PATHS[type]}`, requestBody(type, question), signal);
      const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false;
      if (response.status === 200 && isStream && response.body) {
        return { ok: true, events: readEvents(response.body, { clock, idleMs: IDLE_MS }) };
      }
      if (response.status === 200) {
        await response.body?.cancel();
        throw new BridgeError('dify_not_a_stream', 'Dify answered without a stream', { status: 200 });
      }
      return { ok: false, refusal: readRefusal(response.status, await errorJson(response)) };
    },
  };

  /** The request is never repeated once it was sent: that would be a second run and a second message. */
  async function post(url: string, body: object, signal: AbortSignal): Promise<Response> {
    try {
      return await withHeadersTimeout((abort) =>
        fetch(url, {
          method: 'POST',
          headers: { ...authorization, 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify(body),
          redirect: 'manual',
          signal: AbortSignal.any([signal, abort]),
        }),
      );
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      if (isTimeout(error)) throw new BridgeError('dify_timeout', 'Dify sent no response headers', {}, error);
      throw new BridgeError('dify_unreachable', 'no connection to Dify', {}, error);
    }
  }

  /** Limits the wait for the headers only; the stream behind them has its own limits. */
  async function withHeadersTimeout(request: (abort: AbortSignal) => Promise<Response>): Promise<Response> {
    const controller = new AbortController();
    const cancel = clock.schedule(HEADERS_TIMEOUT_MS, () => {
      controller.abort(new DOMException('no headers in time', 'TimeoutError'));
    });
    try {
      return await request(controller.signal);
    } finally {
      cancel();
    }
  }

  async function errorJson(response: Response): Promise<unknown> {
    if (!response.body) return undefined;
    const body = response.body;
    try {
      const bytes = await Promise.race([
        readLimited(body, MAX_ERROR_BYTES),
        sleep(clock, FACTS_TIMEOUT_MS).then(() => new Uint8Array()),
      ]);
      return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    } catch {
      return undefined;
    }
  }
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

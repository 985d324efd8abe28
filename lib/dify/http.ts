import type { DifyConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import {
  callJson,
  isTimeout,
  readLimited,
  type Fetch,
  type FetchInit,
  type HttpAnswer,
  type HttpResponse,
} from '../net/http.ts';
import { sendForm, type Multipart } from '../net/multipart.ts';
import { within, type Clock } from '../runtime/clock.ts';
import { parseJson } from '../runtime/json.ts';
import { readRefusal, type Refusal } from './failures.ts';
import { readEvents, type Connection, type EventStream } from './stream.ts';
import { isVersion } from './version.ts';

export interface CallLimits {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface StreamRequest {
  path: string;
  /** The request is a POST with this body, or else a GET. */
  body?: object | undefined;
  /** Until the response headers come. The stream behind them has its own limit. */
  headersTimeoutMs: number;
  /** Longest silence before the first event, in milliseconds; by default the one between two events, 45 s. */
  firstIdleMs?: number;
  /** Closes the stream as well. */
  signal: AbortSignal;
}

/** A refusal comes before the stream: Dify ran nothing. */
export type OpenedStream = { ok: true; events: EventStream } | { ok: false; status: number; refusal: Refusal };

/**
 * Calls one Dify app with its key. Paths are below the API's address, with their query. No call is repeated and no redirect
 * followed.
 *
 * Every call throws a BridgeError when no answer came: `dify_timeout`, `dify_unreachable` (`wasRefused`: nothing was sent),
 * or the reason of its signal where that is a BridgeError.
 */
export interface DifyHttp {
  /** The version that the last answer told (`X-Version`); null as long as none did. */
  readonly version: string | null;
  /** Returns any answer, also a refusal. */
  get(path: string, limits: CallLimits): Promise<HttpAnswer>;
  /** Returns any answer, also a refusal. */
  post(path: string, body: object, limits: CallLimits): Promise<HttpAnswer>;
  /** Sends a file. Returns any answer, also a refusal. Also throws the error of reading the file's bytes. */
  upload(path: string, form: Multipart, limits: CallLimits): Promise<HttpAnswer>;
  /** @throws BridgeError also `dify_not_a_stream` for 200 without a stream: a proxy or a web page answered, not Dify. */
  openStream(request: StreamRequest): Promise<OpenedStream>;
}

/** Four missed keep-alives of 10 s. */
const IDLE_MS = 45_000;

/** For the body of a refusal, which says why. Without it the status has to do. */
const REFUSAL_TIMEOUT_MS = 5_000;

const MAX_REFUSAL_BYTES = 256 * 1024;

export function createDifyHttp(config: DifyConfig, { fetch: send, clock }: { fetch: Fetch; clock: Clock }): DifyHttp {
  const headers = { authorization: `Bearer ${config.apiKey}` };
  let version: string | null = null;

  const fetch: Fetch = async (url, init) => {
    const response = await send(url, init);
    const told = response.headers.get('x-version');
    if (isVersion(told)) version = told;
    return response;
  };

  async function call(method: 'GET' | 'POST', path: string, limits: CallLimits, body?: object): Promise<HttpAnswer> {
    try {
      return await callJson(fetch, clock, { method, url: `${config.apiUrl}${path}`, headers, body, ...limits });
    } catch (error) {
      throw noAnswer(error);
    }
  }

  async function connect(
    { path, body, headersTimeoutMs }: StreamRequest,
    connection: ReturnType<typeof connectionOf>,
  ): Promise<HttpResponse> {
    const request: FetchInit = {
      method: body ? 'POST' : 'GET',
      headers: { ...headers, accept: 'text/event-stream', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      redirect: 'manual',
      signal: connection.signal,
    };
    try {
      return await within(clock, headersTimeoutMs, fetch(`${config.apiUrl}${path}`, request));
    } catch (error) {
      connection.close();
      throw noAnswer(error);
    }
  }

  async function readRefusalJson({ body }: HttpResponse): Promise<unknown> {
    if (!body) return undefined;
    try {
      const bytes = await within(clock, REFUSAL_TIMEOUT_MS, readLimited(body, MAX_REFUSAL_BYTES));
      return parseJson(new TextDecoder().decode(bytes));
    } catch {
      return undefined;
    }
  }

  return {
    get version() {
      return version;
    },
    get: (path, limits) => call('GET', path, limits),
    post: (path, body, limits) => call('POST', path, limits, body),
    async upload(path, form, limits) {
      try {
        return await sendForm(fetch, clock, { url: `${config.apiUrl}${path}`, headers, form, ...limits });
      } catch (error) {
        throw form.failure() ? error : noAnswer(error);
      }
    },
    async openStream(request) {
      const connection = connectionOf(request.signal);
      const response = await connect(request, connection);
      const { status, body } = response;
      if (status !== 200) {
        const json = await readRefusalJson(response);
        connection.close();
        return { ok: false, status, refusal: readRefusal(status, json) };
      }
      const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false;
      const limits = { clock, idleMs: IDLE_MS, firstIdleMs: request.firstIdleMs };
      if (isStream && body) return { ok: true, events: readEvents(body, connection, limits) };
      connection.close();
      throw new BridgeError('dify_not_a_stream', 'Dify answered without a stream', { status });
    },
  };
}

/** What closes a connection: an abort of the caller's signal, as long as its events are read, or `close`. */
function connectionOf(caller: AbortSignal): Connection & { signal: AbortSignal } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(caller.reason);
  if (caller.aborted) onAbort();
  caller.addEventListener('abort', onAbort, { once: true });
  const leave = () => caller.removeEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    leave,
    close() {
      leave();
      controller.abort();
    },
  };
}

function noAnswer(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  return isTimeout(error)
    ? new BridgeError('dify_timeout', 'Dify did not answer in time', {}, error)
    : new BridgeError(
        'dify_unreachable',
        'no connection to Dify',
        isRefusedConnection(error) ? { refused: true } : {},
        error,
      );
}

const isRefusedConnection = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';

/** Whether a call failed because no process listened at the address, so that nothing was sent: Dify restarts, or is down. */
export function wasRefused(error: unknown): error is BridgeError {
  return error instanceof BridgeError && error.code === 'dify_unreachable' && error.facts['refused'] === true;
}

/** An id as a part of a path. Ids come from events: one with half a character in it must not throw here. */
export const pathPart = (id: string): string => encodeURIComponent(id.toWellFormed());

/**
 * The JSON of a call that Dify carried out.
 *
 * @throws BridgeError for a refusal; `dify_server_error` for 200 without JSON: a proxy answered, not Dify.
 */
export function acceptedJson({ status, json }: HttpAnswer): unknown {
  if (status !== 200) throw readRefusal(status, json).error;
  if (json === undefined) throw new BridgeError('dify_server_error', 'the answer is not JSON', { status });
  return json;
}

/**
 * What `read` makes of the JSON of a call that Dify carried out.
 *
 * @throws BridgeError as `acceptedJson`; `dify_server_error` when `read` returns null.
 */
export function readAccepted<T>(answer: HttpAnswer, read: (json: unknown) => T | null): T {
  const value = read(acceptedJson(answer));
  if (value === null)
    throw new BridgeError('dify_server_error', 'the answer cannot be read', { status: answer.status });
  return value;
}

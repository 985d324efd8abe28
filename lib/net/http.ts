import { withTimeout, type Clock } from '../runtime/clock.ts';
import { parseJson } from '../runtime/json.ts';

/** What a call of `Fetch` may say, a part of the web's `RequestInit`. */
export interface FetchInit {
  /** By default GET. */
  method?: string;
  headers?: Record<string, string>;
  body?: string | AsyncIterable<Uint8Array>;
  /** The web's `fetch` asks for it beside a body that is not a text. */
  duplex?: 'half';
  /** The web's `fetch` would follow redirects. */
  redirect?: 'manual';
  signal?: AbortSignal;
}

/** The part of the web's `Response` that is used. The body is read to its end, or its call is aborted. */
export interface HttpResponse {
  status: number;
  headers: { get(name: string): string | null };
  body: AsyncIterable<Uint8Array> | null;
}

/** A part of the web's `fetch`, as a parameter. */
export type Fetch = (url: string, init: FetchInit) => Promise<HttpResponse>;

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** `json` is undefined when the body is not JSON, for example a proxy's HTML page, and null when there is none. */
export interface HttpAnswer {
  status: number;
  json: unknown;
}

/** Longest answer that is read. The answers of both vendors to plain calls stay far below. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Whether an error of `fetch` says that time ran out: the limit of this call, or a timer of its caller. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/**
 * One JSON call. Its time limit covers the whole exchange, the body included. Redirects are not followed: Dify's and
 * DingTalk's interfaces never redirect, and a redirect would take the credentials to another host.
 *
 * @throws what `fetch` throws, a `TimeoutError` after `timeoutMs`, the reason of `signal`, or a RangeError when the
 * answer is longer than 8 MB.
 */
export async function callJson(fetch: Fetch, clock: Clock, request: HttpRequest): Promise<HttpAnswer> {
  return withTimeout(
    clock,
    request.timeoutMs,
    async (signal) => {
      const response = await fetch(request.url, {
        method: request.method,
        headers: {
          accept: 'application/json',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        redirect: 'manual',
        signal,
      });
      return readAnswer(response, MAX_ANSWER_BYTES);
    },
    request.signal,
  );
}

/**
 * Reads the status and the JSON of an answer.
 *
 * @throws RangeError when the body is longer than `maxBytes`.
 */
export async function readAnswer(
  { status, body }: Pick<HttpResponse, 'status' | 'body'>,
  maxBytes: number,
): Promise<HttpAnswer> {
  const text = body ? new TextDecoder().decode(await readLimited(body, maxBytes)) : '';
  return { status, json: text === '' ? null : parseJson(text) };
}

/**
 * Reads a body up to a number of bytes, counted on the stream.
 *
 * @throws RangeError when there is more; the rest is not read.
 */
export async function readLimited(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let count = 0;
  // Not over `limited`: most bodies are one chunk, and one more iterator costs a twentieth of a small call.
  for await (const chunk of body) {
    count += chunk.byteLength;
    if (count > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

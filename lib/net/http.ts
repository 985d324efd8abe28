import { withTimeout, type Clock } from '../runtime/clock.ts';

/** The web's `fetch`, as a parameter. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

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

/** Longest answer that is read: those of the two vendors' plain calls stay far below. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Whether an error of `fetch` says that time ran out (ours or an abort by the caller's own timer). */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/**
 * One JSON call with a time limit over the whole exchange, body included. Redirects are not followed: none of the
 * called interfaces redirects, and credentials must not travel.
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
      const text = response.body ? new TextDecoder().decode(await readLimited(response.body, MAX_ANSWER_BYTES)) : '';
      return { status: response.status, json: parseJson(text) };
    },
    request.signal,
  );
}

/**
 * Reads a body up to a number of bytes, counted on the stream.
 *
 * @throws RangeError when there is more; the rest is not read. */
export async function readLimited(body: NonNullable<Response['body']>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

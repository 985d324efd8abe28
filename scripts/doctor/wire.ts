import { safeUpstreamCode } from '../../lib/errors.ts';
import { withTimeout, type Clock } from '../../lib/runtime/clock.ts';
import { isTimeout, readLimited, type Fetch, type HttpResponse } from '../../lib/net/http.ts';
import { parseJson } from '../../lib/runtime/json.ts';

/** What a server answered, as far as the doctor looks at it. None of it is ever printed as it is. */
export interface Answer {
  kind: 'answer';
  status: number;
  headers: HttpResponse['headers'];
  text: string;
  /** The body as JSON; undefined when it is none, for example a web page. */
  json: unknown;
  /** Milliseconds. */
  ms: number;
}

export interface NoAnswer {
  kind: 'none';
  /** A code such as `ENOTFOUND` or `CERT_HAS_EXPIRED`; `timeout` when time ran out. */
  reason: string;
}

export interface Asked {
  url: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
}

/** Slow cold starts included. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** One request; redirects are not followed, and whatever goes wrong is an answer as well. */
export async function ask(fetch: Fetch, clock: Clock, { url, method = 'GET', headers, body }: Asked) {
  const began = clock.now();
  try {
    return await withTimeout(clock, TIMEOUT_MS, async (signal): Promise<Answer> => {
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal,
        ...(headers ? { headers } : {}),
        ...(body === undefined ? {} : { body }),
      });
      const bytes = response.body ? await readLimited(response.body, MAX_BYTES) : new Uint8Array();
      const text = new TextDecoder().decode(bytes);
      const { status } = response;
      return {
        kind: 'answer',
        status,
        headers: response.headers,
        text,
        json: parseJson(text),
        ms: clock.now() - began,
      };
    });
  } catch (error) {
    const none: NoAnswer = { kind: 'none', reason: networkReason(error) };
    return none;
  }
}

/** Why there was no answer. Node's `fetch` hides it among the causes of its error. */
export function networkReason(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 6 && current instanceof Error; depth += 1) {
    if (isTimeout(current)) return 'timeout';
    const code = 'code' in current ? safeUpstreamCode(current.code) : null;
    // Our own errors have codes in small letters.
    if (code !== null && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    current = current.cause;
  }
  return 'unknown';
}

/** The host of a redirect, or null. Its path may hold a token, so it is not kept. */
export function redirectHost({ status, headers }: Answer, from: string): string | null {
  const location = headers.get('location');
  if (status < 300 || status > 399 || location === null) return null;
  return URL.parse(location, from)?.host ?? null;
}

/** How far each host's clock is from ours, in milliseconds; above zero where theirs is ahead. */
export interface Dates {
  offsetOf(host: string): number | null;
}

/** `fetch`, with a look at the `Date` of each answer. */
export function watchDates(fetch: Fetch, clock: Clock): { fetch: Fetch; dates: Dates } {
  const offsets = new Map<string, number>();
  return {
    async fetch(url, init) {
      const began = clock.now();
      const response = await fetch(url, init);
      const at = Date.parse(response.headers.get('date') ?? '');
      if (!Number.isNaN(at)) offsets.set(new URL(url).host, at - (began + clock.now()) / 2);
      return response;
    },
    dates: { offsetOf: (host) => offsets.get(host) ?? null },
  };
}

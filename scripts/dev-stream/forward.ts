import { cardCallbackSecret, cardSignature } from '../../lib/dingtalk/signature.ts';
import { robotSignature } from '../../lib/dingtalk/signature.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';

/** What came through the stream, as callbacks to a function that knows only HTTP. */
export interface Forward {
  /** A robot message. Never rejects. */
  message(body: string): Promise<void>;
  /** A pressed button: what the function answers, or an empty object, which changes nothing. Never rejects. */
  tap(body: string): Promise<object>;
}

export interface ForwardOptions {
  /** The callback address of the robot. */
  url: string;
  clientSecret: string;
  fetch: Fetch;
  clock: Clock;
  say: (sentence: string) => void;
}

/** The function acknowledges a message after one round trip to its store. */
const MESSAGE_MS = 10_000;
/** DingTalk's own deadline for card callbacks. */
const TAP_MS = 2_000;

/** What to look at when the function does not take a callback, by status. */
const REMEDIES: Readonly<Record<number, string>> = {
  400: 'what came has not the shape of a callback',
  401: 'the function there has another DINGTALK_CLIENT_SECRET, or its clock is more than an hour off',
  404: 'there is no such robot, or the address is not that of the function',
  413: 'it was larger than the function takes',
  500: 'the function failed; its log says at what',
  503: 'the function there is not configured; open its address to see what is missing',
};

/** Signs what came as DingTalk signs its callbacks, each time anew, and posts it. */
export function createForward({ url, clientSecret, fetch, clock, say }: ForwardOptions): Forward {
  async function post(what: string, body: string, signature: Record<string, string>, timeoutMs: number) {
    const startedAtMs = clock.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8', ...signature },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = await response.text();
      const remedy = response.ok ? '' : `: ${REMEDIES[response.status] ?? 'that is not an answer of the function'}`;
      say(`${what}: forwarded with status ${response.status} after ${clock.now() - startedAtMs} ms${remedy}`);
      return response.ok ? answer : null;
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === 'TimeoutError';
      const reason = isLate ? `gave no answer within ${timeoutMs} ms` : 'cannot be reached';
      say(`${what}: not forwarded, the function at ${url} ${reason}. The stream goes on; send it again.`);
      return null;
    }
  }

  return {
    async message(body) {
      const timestamp = String(clock.now());
      await post('a message came', body, { timestamp, sign: robotSignature(timestamp, clientSecret) }, MESSAGE_MS);
    },
    async tap(body) {
      const timestamp = String(clock.now());
      const signature = {
        'x-ddpaas-signature-timestamp': timestamp,
        'x-ddpaas-signature': cardSignature(timestamp, cardCallbackSecret(clientSecret)),
      };
      return objectOf(await post('a button was pressed', body, signature, TAP_MS));
    },
  };
}

function objectOf(text: string | null): object {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

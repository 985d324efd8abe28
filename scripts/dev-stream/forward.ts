import { cardCallbackSecret, cardSignature, robotSignature } from '../../lib/dingtalk/signature.ts';
import type { Callbacks } from '../../lib/dingtalk/stream/connection.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';

export interface ForwardOptions {
  /** The callback address of the robot. */
  url: string;
  clientSecret: string;
  fetch: Fetch;
  clock: Clock;
  say: (sentence: string) => void;
  /** A message has come. */
  onMessage: () => void;
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

/**
 * What comes over a connection, as callbacks to a function that knows only HTTP: signs each as DingTalk does, and posts
 * it. A callback that the function did not take is acknowledged as failed.
 */
export function createForward({ url, clientSecret, fetch, clock, say, onMessage }: ForwardOptions): Callbacks {
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
      onMessage();
      const timestamp = String(clock.now());
      const signature = { timestamp, sign: robotSignature(timestamp, clientSecret) };
      return (await post('a message came', body, signature, MESSAGE_MS)) === null ? 500 : 200;
    },
    async press(body) {
      const timestamp = String(clock.now());
      const signature = {
        'x-ddpaas-signature-timestamp': timestamp,
        'x-ddpaas-signature': cardSignature(timestamp, cardCallbackSecret(clientSecret)),
      };
      const answer = await post('a button was pressed', body, signature, TAP_MS);
      return { code: answer === null ? 500 : 200, response: objectOf(answer) };
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

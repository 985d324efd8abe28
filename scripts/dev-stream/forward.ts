import { cardCallbackSecret, cardSignature, robotSignature } from '../../lib/dingtalk/signature.ts';
import type { Callbacks } from '../../lib/dingtalk/stream/connection.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { readLimited, type Fetch } from '../../lib/net/http.ts';
import type { CommandWords } from '../words/en.ts';

export interface ForwardOptions {
  /** The callback address of the robot. */
  url: string;
  clientSecret: string;
  fetch: Fetch;
  clock: Clock;
  say: (sentence: string) => void;
  words: CommandWords;
  /** A message has come. */
  onMessage: () => void;
}

/** The function acknowledges a message after one round trip to its store. */
const MESSAGE_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** DingTalk's own deadline for card callbacks. */
const TAP_MS = 2_000;

/**
 * What comes over a connection, as callbacks to a function that knows only HTTP: signs each as DingTalk does, and posts
 * it. A callback that the function did not take is acknowledged as failed.
 */
export function createForward({ url, clientSecret, fetch, clock, say, words, onMessage }: ForwardOptions): Callbacks {
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
      const { status, body: answer } = response;
      const bytes = answer ? await readLimited(answer, MAX_ANSWER_BYTES) : new Uint8Array();
      const isTaken = status === 200;
      const remedy = isTaken ? null : (words.refusals[status] ?? words.notTheFunction);
      say(words.forwarded(what, status, clock.now() - startedAtMs, remedy));
      return isTaken ? new TextDecoder().decode(bytes) : null;
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === 'TimeoutError';
      say(words.notForwarded(what, url, isLate ? timeoutMs : null));
      return null;
    }
  }

  return {
    async message(body) {
      onMessage();
      const timestamp = String(clock.now());
      const signature = { timestamp, sign: robotSignature(timestamp, clientSecret) };
      return (await post(words.message, body, signature, MESSAGE_MS)) === null ? 500 : 200;
    },
    async press(body) {
      const timestamp = String(clock.now());
      const signature = {
        'x-ddpaas-signature-timestamp': timestamp,
        'x-ddpaas-signature': cardSignature(timestamp, cardCallbackSecret(clientSecret)),
      };
      const answer = await post(words.press, body, signature, TAP_MS);
      return { code: answer === null ? 500 : 200, response: objectOf(answer) };
    },
  };
}

function objectOf(text: string | null): object {
  const value = parseJson(text ?? '');
  return typeof value === 'object' && value !== null ? value : {};
}

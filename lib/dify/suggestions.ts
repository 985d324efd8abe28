import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DifyConfig } from '../runtime/config.ts';
import type { Fetch } from '../runtime/http.ts';
import { callDify } from './call.ts';
import { readRefusal } from './failures.ts';

/** A model writes them, so they take their time; nobody waits longer for what is an extra. */
const SUGGEST_TIMEOUT_MS = 10_000;
const MAX_SUGGESTIONS = 3;
const MAX_CHARS = 100;

const suggestedBody = z.object({ data: z.array(z.unknown()).nullish() });
/** What Dify answers, with status 400, for an app whose suggestions are off. */
const disabledBody = z.object({ code: z.literal('bad_request') });

/**
 * The questions that the app suggests after an answer, each one line; none for an app that suggests none.
 *
 * @throws BridgeError with a `dify_…` code when it was not answered or refused.
 */
export async function suggestedQuestions(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { messageId, user }: { messageId: string; user: string },
  signal: AbortSignal,
): Promise<string[]> {
  const query = new URLSearchParams({ user });
  const { status, json } = await callDify(config, fetch, clock, {
    method: 'GET',
    path: `/messages/${encodeURIComponent(messageId)}/suggested?${query.toString()}`,
    timeoutMs: SUGGEST_TIMEOUT_MS,
    signal,
  });
  if (status === 400 && disabledBody.safeParse(json).success) return [];
  if (status !== 200) throw readRefusal(status, json).error;
  const body = suggestedBody.safeParse(json).data;
  if (!body) throw new BridgeError('dify_server_error', 'the answer cannot be read', { status });
  const lines = (body.data ?? []).flatMap((question) => (typeof question === 'string' ? oneLine(question) : []));
  // One that was cut would be another question.
  const shown = lines.filter((line) => line !== '' && Array.from(line).length <= MAX_CHARS);
  return [...new Set(shown)].slice(0, MAX_SUGGESTIONS);
}

function oneLine(question: string): string {
  return question.replace(/[\p{Cc}\p{Cf}\p{Z}]+/gu, ' ').trim();
}

import * as z from 'zod';
import type { DifyConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import { oneLine } from '../markdown/plain-line.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { readRefusal } from './failures.ts';
import { callDify } from './http.ts';

export interface Rating {
  messageId: string;
  /** Whom the message was written for: to anybody else it does not exist. */
  user: string;
  /** Null takes a rating back. */
  rating: 'like' | 'dislike' | null;
}

const RATE_TIMEOUT_MS = 5_000;

/**
 * Tells Dify what a reader thinks of an answer. Workflows have no messages, so nothing of them can be rated.
 *
 * @throws BridgeError with a `dify_…` code when it was not taken.
 */
export async function rate(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { messageId, user, rating }: Rating,
): Promise<void> {
  const { status, json } = await callDify(config, fetch, clock, {
    method: 'POST',
    path: `/messages/${encodeURIComponent(messageId)}/feedbacks`,
    body: { rating, user },
    timeoutMs: RATE_TIMEOUT_MS,
  });
  if (status !== 200) throw readRefusal(status, json).error;
  // A proxy's page is no yes.
  if (json === undefined) throw new BridgeError('dify_server_error', 'the answer is not JSON', { status });
}

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

import * as z from 'zod';
import type { Rating } from '../answer/event.ts';
import { oneLine } from '../markdown/plain-line.ts';
import { acceptedJson, pathPart, readAccepted, type DifyHttp } from './http.ts';

export interface RatedMessage {
  messageId: string;
  /** The person whom the message was written for. For another user Dify knows no such message. */
  user: string;
  /** Null takes a rating back. */
  rating: Rating | null;
  /** Why, for the people who read the ratings in Dify; null for a rating alone. */
  reason: string | null;
}

const RATE_TIMEOUT_MS = 5_000;

/**
 * Tells Dify what a reader thinks of an answer. Workflows have no messages, so nothing of them can be rated.
 *
 * @throws BridgeError with a `dify_…` code when it was not taken.
 */
export async function rate(http: DifyHttp, { messageId, user, rating, reason }: RatedMessage): Promise<void> {
  const path = `/messages/${pathPart(messageId)}/feedbacks`;
  const answer = await http.post(
    path,
    { rating, user, ...(reason === null ? {} : { content: reason }) },
    { timeoutMs: RATE_TIMEOUT_MS },
  );
  if (rating === null && answer.status === 400 && notRatedBody.safeParse(answer.json).success) return;
  acceptedJson(answer);
}

/** What Dify answers, with status 400, where a rating is taken back that is not there: it is as it shall be. */
const notRatedBody = z.object({ message: z.string().startsWith('rating cannot be None') });

/** A model writes the suggestions, which takes seconds. They are an extra, so this is all the time that they get. */
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
  http: DifyHttp,
  { messageId, user }: { messageId: string; user: string },
  signal: AbortSignal,
): Promise<string[]> {
  const query = new URLSearchParams({ user });
  const path = `/messages/${pathPart(messageId)}/suggested?${query.toString()}`;
  const answer = await http.get(path, { timeoutMs: SUGGEST_TIMEOUT_MS, signal });
  if (answer.status === 400 && disabledBody.safeParse(answer.json).success) return [];
  const { data } = readAccepted(answer, (json) => suggestedBody.safeParse(json).data ?? null);
  const lines = (data ?? []).flatMap((question) => (typeof question === 'string' ? oneLine(question) : []));
  // A long question is left out: cut short, it would be another question.
  const shown = lines.filter((line) => line !== '' && Array.from(line).length <= MAX_CHARS);
  return [...new Set(shown)].slice(0, MAX_SUGGESTIONS);
}

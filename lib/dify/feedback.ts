import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DifyConfig } from '../runtime/config.ts';
import type { Fetch } from '../runtime/http.ts';
import { callDify } from './call.ts';
import { readRefusal } from './failures.ts';

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

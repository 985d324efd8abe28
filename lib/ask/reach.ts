import type { AppFacts } from '../dify/app-facts.ts';
import type { Dify } from '../dify/dify.ts';
import { wasRefused } from '../dify/http.ts';
import { BridgeError } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';

/** Pauses between two tries while nothing listens at Dify's address: 30 s in all, about as long as Dify takes to restart. */
const REFUSED_PAUSES_MS = [1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000, 5_000] as const;

export interface ReachOptions {
  clock: Clock;
  /** Ends the wait. */
  signal: AbortSignal;
  /** Called before each pause. */
  onRefused: () => void;
}

/**
 * Asks again while Dify refuses the connection: then nothing was sent, so nothing can run twice.
 *
 * @throws what `attempt` throws, a refused connection after 30 s or an abort of `signal`.
 */
export async function whenReachable<T>(
  attempt: () => Promise<T>,
  { clock, signal, onRefused }: ReachOptions,
): Promise<T> {
  for (const pauseMs of [...REFUSED_PAUSES_MS, null]) {
    try {
      return await attempt();
    } catch (error) {
      if (!wasRefused(error) || pauseMs === null || signal.aborted) throw error;
      onRefused();
      await sleep(clock, pauseMs, signal).catch(() => {
        throw error;
      });
    }
  }
  throw new Error('the last try returns or throws');
}

/** What the app takes. @throws BridgeError (`wasRefused`) while nothing listens at Dify's address: then it is not known. */
export async function factsOf(dify: Pick<Dify, 'facts'>): Promise<AppFacts> {
  const facts = await dify.facts();
  if (facts.isRefused) throw new BridgeError('dify_unreachable', 'no connection to Dify', { refused: true });
  return facts;
}

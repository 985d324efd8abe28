import { sleep, type Clock } from './clock.ts';

export interface RetryOptions {
  clock: Clock;
  /** Milliseconds before each repeat. When they are used up, the last failure is final. */
  pausesMs: Iterable<number>;
  /** Whether a failure is worth a repeat; without it every failure is. */
  mayRetry?: (error: unknown) => boolean;
  /** Ends the wait between two tries with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Tries until it succeeds.
 *
 * @throws the last failure, or the reason of `signal`.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { clock, pausesMs, mayRetry, signal }: RetryOptions,
): Promise<T> {
  const pauses = pausesMs[Symbol.iterator]();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const pause = mayRetry?.(error) === false ? null : pauses.next();
      if (!pause || pause.done) throw error;
      await sleep(clock, pause.value, signal);
    }
  }
}

/** Pauses without an end: the last one repeats. */
export function* repeatingLast(pausesMs: readonly number[]): Generator<number, void> {
  yield* pausesMs;
  for (;;) yield pausesMs.at(-1) ?? 0;
}

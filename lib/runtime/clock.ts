/** Time as a parameter, so that tests and the bench can drive it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels that. */
  schedule(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Waits `ms` milliseconds. An abort of `signal` ends the wait at once, with the signal's reason. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits for `work`, but not longer than `ms` milliseconds, and not after an abort of `parent`. The signal that `work` gets
 * aborts then. The wait ends even if `work` does not heed its signal; what becomes of `work` later changes nothing. After
 * an abort of `parent`, `work` is not begun.
 *
 * @throws a `TimeoutError` after `ms`, the reason of `parent`, or what `work` throws.
 */
export async function withTimeout<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  parent?: AbortSignal,
): Promise<T> {
  // Otherwise work that throws at once would leave the rejection of `ended` without a handler.
  parent?.throwIfAborted();
  const controller = new AbortController();
  const cancel = clock.schedule(ms, () => {
    controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'));
  });
  const signal = parent ? AbortSignal.any([parent, controller.signal]) : controller.signal;
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason as Error);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work(signal), ended.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
  }
}

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

const NOT_NEEDED = new Error('not needed any more');

/** Ends what is not needed any more. An abort without a reason makes an error with its stack, here one is made for all. */
export const endQuietly = (controller: AbortController): void => controller.abort(NOT_NEEDED);

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
 * Waits for a promise, but not longer than `ms` milliseconds. What becomes of it later changes nothing.
 *
 * @throws a `TimeoutError` after `ms`, or what the promise rejects with.
 */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => reject(timeoutError(ms)));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
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
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    controller.abort(reason);
    ended.reject(reason);
  };
  const cancel = clock.schedule(ms, () => end(timeoutError(ms)));
  const onAbort = () => end(parent?.reason);
  parent?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(controller.signal), ended.promise]);
  } finally {
    cancel();
    parent?.removeEventListener('abort', onAbort);
  }
}

const timeoutError = (ms: number) => new DOMException(`no answer within ${ms} ms`, 'TimeoutError');

import type { Clock } from './clock.ts';
import type { BackgroundWork, Platform } from './platform.ts';

/** Milliseconds that the work of an answer waits for acknowledgements at most: about a burst of 500 messages in a second. */
const MOST_MS = 1_500;

/**
 * Lets the work of answers begin when no request waits for its acknowledgement. To begin an answer takes several times the
 * processor time of an acknowledgement, so in a burst the acknowledgements would otherwise wait for the answers.
 */
export interface Acknowledgements {
  /** Counts as one until it settles. */
  during<T>(acknowledge: () => Promise<T>): Promise<T>;
  /** Begins the work, for which the invocation is kept alive, at the latest after a second and a half. */
  begin(work: BackgroundWork, platform: Platform): void;
}

export function createAcknowledgements(clock: Clock): Acknowledgements {
  let open = 0;
  let waiting: (() => void)[] = [];
  let cancel = () => {};

  function release(): void {
    cancel();
    const released = waiting;
    waiting = [];
    for (const start of released) start();
  }

  /** The response is written before the next immediate. */
  const releaseIfNone = () => {
    if (open === 0 && waiting.length > 0) setImmediate(() => open === 0 && release());
  };

  return {
    async during(acknowledge) {
      open += 1;
      try {
        return await acknowledge();
      } finally {
        open -= 1;
        releaseIfNone();
      }
    },
    begin(work, platform) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      if (waiting.length === 1) cancel = clock.schedule(MOST_MS, release);
      platform.waitUntil(promise.then(() => work(platform)));
      releaseIfNone();
    },
  };
}

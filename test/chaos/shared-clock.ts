import type { Clock } from '../../lib/runtime/clock.ts';

/** A clock that runs `speed` times as fast as the real one, and shows the same in every process with the same start. */
export function createSharedClock({ startMs, speed }: { startMs: number; speed: number }): Clock {
  return {
    now: () => Math.floor(startMs + (Date.now() - startMs) * speed),
    schedule(ms, run) {
      const timer = setTimeout(run, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}

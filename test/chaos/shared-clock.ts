import type { Clock } from '../../lib/runtime/clock.ts';

export interface SharedClock {
  startMs: number;
  /** How many times as fast as the real one. */
  speed: number;
  /** So much later than the others' it is, as if that time had passed already. */
  aheadMs?: number;
}

/** A clock that runs faster than the real one, and shows the same in every process with the same start. */
export function createSharedClock({ startMs, speed, aheadMs = 0 }: SharedClock): Clock {
  return {
    now: () => Math.floor(startMs + (Date.now() - startMs) * speed) + aheadMs,
    schedule(ms, run) {
      const timer = setTimeout(run, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}

import { AsyncResource } from 'node:async_hooks';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Runs everything that is due within the next `ms` milliseconds, in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  waiting(): number;
}

export function createVirtualClock(startMs = 1_800_000_000_000): VirtualClock {
  let nowMs = startMs;
  let serial = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();

  /** Promise chains settle in microtasks; a turn of the event loop outlasts any number of them. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  return {
    now: () => nowMs,
    waiting: () => timers.size,
    schedule(ms, run) {
      const id = (serial += 1);
      timers.set(id, { atMs: nowMs + Math.max(0, ms), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        const due = [...timers]
          .filter(([, { atMs }]) => atMs <= untilMs)
          .toSorted(([, a], [, b]) => a.atMs - b.atMs)[0];
        if (!due) break;
        const [id, { atMs, run }] = due;
        timers.delete(id);
        nowMs = Math.max(nowMs, atMs);
        run();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

/** Of the commands in a terminal: pauses take a hundredth; the limits of requests, 8 s and more, stay. */
export const shortPauses: Clock = {
  now: () => Date.now(),
  schedule: (ms, run) => systemClock.schedule(ms < 8_000 ? ms / 100 : ms, run),
};

/** A clock that runs `speed` times as fast as the real one. */
export interface FastClock extends Clock {
  /** Can be changed. What is scheduled already keeps its moment: on the wall's clock, or on a stepping clock its own. */
  speed: number;
}

/** For stories that take minutes over real HTTP. */
export function createFastClock(speed: number): FastClock {
  let startMs = Date.now();
  let startedAt = performance.now();
  let current = speed;
  const now = () => startMs + (performance.now() - startedAt) * current;
  return {
    get speed() {
      return current;
    },
    set speed(next) {
      startMs = now();
      startedAt = performance.now();
      current = next;
    },
    now: () => Math.floor(now()),
    schedule: (ms, run) => systemClock.schedule(ms / current, run),
  };
}

/** How long a step of a stepping clock takes on the wall's clock, at least. */
const TICK_MS = 4;

/**
 * A fast clock that waits for a busy machine: it goes on by one step with each tick of this process, however late that
 * tick comes. So what the process itself takes counts for about the same number of steps on every machine.
 */
export function createSteppingClock(speed: number): FastClock {
  let nowMs = Date.now();
  let serial = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();

  function step(): void {
    const untilMs = nowMs + TICK_MS * clock.speed;
    for (;;) {
      const due = [...timers].filter(([, { atMs }]) => atMs <= untilMs);
      const [first] = due.toSorted(([, a], [, b]) => a.atMs - b.atMs);
      if (!first) break;
      const [id, { atMs, run }] = first;
      timers.delete(id);
      nowMs = Math.max(nowMs, atMs);
      run();
    }
    nowMs = untilMs;
    if (timers.size > 0) setTimeout(step, TICK_MS);
    else isStanding = true;
  }

  let isStanding = true;
  const clock: FastClock = {
    speed,
    now: () => nowMs,
    schedule(ms, run) {
      const id = (serial += 1);
      // As a timer of its own does, it runs in the context that it comes from.
      timers.set(id, { atMs: nowMs + Math.max(0, ms), run: AsyncResource.bind(run) });
      if (isStanding) setTimeout(step, TICK_MS);
      isStanding = false;
      return () => timers.delete(id);
    },
  };
  return clock;
}

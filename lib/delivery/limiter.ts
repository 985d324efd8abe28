import type { Clock } from '../runtime/clock.ts';

/** Calls that are limited apart from each other: making a card, and showing a frame on one. */
export type Lane = 'create' | 'stream';

/** `last` is the frame that ends a card; `typing` can be skipped, because the next frame holds its text too. */
export type Priority = 'last' | 'typing';

/**
 * Keeps all instances together below a limit of calls a second without asking a store before each call: every
 * instance takes the share of the limit that it has of the answers now running, and spaces its calls evenly within it.
 */
export interface Limiter {
  /**
   * What the store's last reply said: answers running here and in all instances, both of the same moment. An answer
   * that ends is not to be taken off `local` alone: the share would shrink while its last frames wait.
   */
  noteRunning(local: number, total: number): void;
  /**
   * Resolves when a call may be made: waiting `last` ones first, otherwise first come, first served.
   *
   * @throws the signal's reason when it aborts before; the place in the queue is free then.
   */
  slot(lane: Lane, priority: Priority, signal?: AbortSignal): Promise<void>;
  /** The limit was met all the same: nobody gets a slot in this lane for a moment, and then fewer than usual. */
  slowDown(lane: Lane): void;
}

export interface TrafficOptions {
  clock: Clock;
  /** The limit of all instances together, in each lane. */
  callsPerSecond: number;
}

/** Part of the limit that is used: on their way calls get closer to each other, and what is known may be old. */
const USED_PART = 0.9;

/** The limit counts by the second, so a second of silence is over after this. */
const SILENT_MS = 1_200;

const SLOW_MS = 5_000;

const SLOW_FACTOR = 0.5;

/** What a timer is late by is made good, up to this; what nobody waited for is not. */
const LATE_MS = 2;

/** Sums of fractions do not come out at zero exactly. */
const EPSILON = 1e-6;

export function createLimiter({ clock, callsPerSecond }: TrafficOptions): Limiter {
  const usable = callsPerSecond * USED_PART;
  /** Calls that an instance which knows itself alone may make at once: with them a second stays below the limit. */
  const burst = Math.max(0, callsPerSecond - Math.ceil(usable) - 1);
  let share = 1;
  let isAlone = false;
  const limit = () => ({ callsPerMs: (usable * share) / 1000, burst: isAlone ? burst : 0 });
  const lanes: Readonly<Record<Lane, LaneQueue>> = {
    create: createLane(clock, limit),
    stream: createLane(clock, limit),
  };

  return {
    noteRunning(local, total) {
      // A share that is no number would hold back every card for ever.
      if (!Number.isFinite(local) || !Number.isFinite(total)) return;
      // Whoever asks for a slot is an answer that runs here, whatever the store knows of it by now.
      const here = Math.max(local, 1);
      const everywhere = Math.max(total, here);
      for (const lane of Object.values(lanes)) lane.settle();
      share = here / everywhere;
      isAlone = here === everywhere;
      for (const lane of Object.values(lanes)) lane.pump();
    },
    slot(lane, priority, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = () => {
          lanes[lane].leave(waiter);
          reject(signal?.reason as Error);
        };
        const waiter = {
          priority,
          go() {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        lanes[lane].enter(waiter);
      });
    },
    slowDown(lane) {
      lanes[lane].slowDown();
    },
  };
}

interface Waiter {
  priority: Priority;
  go: () => void;
}

interface LaneQueue {
  enter(waiter: Waiter): void;
  leave(waiter: Waiter): void;
  slowDown(): void;
  /** Reckons with the limit as it is, before it changes. */
  settle(): void;
  /** Lets through who may go; after the limit has changed. */
  pump(): void;
}

/**
 * One lane as a leaky bucket: every call adds one to the debt, time takes the permitted rate off it, and a call may be
 * made when nothing is owed. Counted in calls, not in time, a debt keeps its meaning when the rate changes.
 */
function createLane(clock: Clock, limit: () => { callsPerMs: number; burst: number }): LaneQueue {
  const waiting: Record<Priority, Waiter[]> = { last: [], typing: [] };
  let debt = 0;
  let debtAtMs = clock.now();
  let silentUntilMs = Number.NEGATIVE_INFINITY;
  let slowUntilMs = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | null = null;

  const isAwaited = () => waiting.last.length + waiting.typing.length > 0;

  function settle(): void {
    const now = clock.now();
    const slowMs = Math.max(0, Math.min(now, slowUntilMs) - Math.max(debtAtMs, silentUntilMs));
    const countedMs = Math.max(0, now - debtAtMs) - slowMs * (1 - SLOW_FACTOR);
    const { callsPerMs } = limit();
    debt = Math.max(isAwaited() ? -LATE_MS * callsPerMs : 0, debt - callsPerMs * countedMs);
    debtAtMs = now;
  }

  /** Milliseconds until the next call may be made, if nothing changes before. */
  function pauseMs(): number {
    const now = clock.now();
    if (now < silentUntilMs) return silentUntilMs - now;
    const { callsPerMs, burst } = limit();
    const isSlow = now < slowUntilMs;
    const owed = debt - (isSlow ? 0 : burst);
    if (owed <= EPSILON) return 0;
    // Whole milliseconds: timers have no others, and one that is early would only have to be set again.
    const pause = isSlow ? Math.min(owed / (callsPerMs * SLOW_FACTOR), slowUntilMs - now) : owed / callsPerMs;
    return Math.max(1, Math.ceil(pause - EPSILON));
  }

  function pump(): void {
    cancelTimer?.();
    cancelTimer = null;
    settle();
    while (isAwaited()) {
      const pause = pauseMs();
      if (pause > 0) {
        cancelTimer = clock.schedule(pause, pump);
        return;
      }
      debt += 1;
      (waiting.last.shift() ?? waiting.typing.shift())?.go();
    }
  }

  return {
    enter(waiter) {
      settle();
      waiting[waiter.priority].push(waiter);
      pump();
    },
    leave(waiter) {
      const queue = waiting[waiter.priority];
      const place = queue.indexOf(waiter);
      if (place >= 0) queue.splice(place, 1);
      pump();
    },
    slowDown() {
      settle();
      silentUntilMs = clock.now() + SILENT_MS;
      slowUntilMs = silentUntilMs + SLOW_MS;
      pump();
    },
    settle,
    pump,
  };
}

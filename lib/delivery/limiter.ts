import type { Clock } from '../runtime/clock.ts';

/** DingTalk limits these calls separately: making a card, and showing a frame on one. */
export type Bucket = 'create' | 'stream';

/** `last` is the frame that ends a card. `typing` can be skipped, because the next frame has its text too. */
export type Priority = 'last' | 'typing';

/**
 * Keeps all instances together below a limit of calls per second, without asking a store before each call. Each
 * instance takes a share of the limit as large as its share of the running answers, and spaces its calls evenly within
 * it.
 */
export interface Limiter {
  /**
   * The answers running in this instance and in all instances, both from the same reply of the store. An answer that
   * ends must not be taken off `local` alone: the share would shrink while its last frames still wait.
   */
  noteRunning(local: number, total: number): void;
  /**
   * Resolves when a call may be made: `last` calls before `typing` ones, otherwise in the order of asking.
   *
   * @throws the signal's reason when it aborts before; the call then leaves the queue.
   */
  slot(bucket: Bucket, priority: Priority, signal?: AbortSignal): Promise<void>;
  /** DingTalk refused a call for speed: this bucket gives no slot for 1.2 s, and half as many for 5 s after that. */
  slowDown(bucket: Bucket): void;
}

export interface LimiterOptions {
  clock: Clock;
  /** The limit of all instances together, in each bucket. */
  callsPerSecond: number;
}

/** The part of the limit that is used: calls get closer to each other on the network, and the counts may be old. */
const USED_PART = 0.9;

/** DingTalk counts by the second, so a little more than a second without calls ends a refusal. */
const SILENT_MS = 1_200;

/** After the silence the calls come at this part of the usual rate, for this long. */
const SLOW_MS = 5_000;

const SLOW_FACTOR = 0.5;

/**
 * A timer that fires late costs no call: up to this much lateness counts as time passed, so the next call comes that
 * much earlier. Only while calls wait: an idle bucket saves up nothing.
 */
const LATE_MS = 2;

/** Sums of fractions do not reach zero exactly. */
const EPSILON = 1e-6;

export function createLimiter({ clock, callsPerSecond }: LimiterOptions): Limiter {
  const usable = callsPerSecond * USED_PART;
  /** Calls at once that an instance may make while no other one runs answers: the second stays below the limit. */
  const burst = Math.max(0, callsPerSecond - Math.ceil(usable) - 1);
  let share = 1;
  let isAlone = false;
  const limit = () => ({ callsPerMs: (usable * share) / 1000, burst: isAlone ? burst : 0 });
  const buckets: Readonly<Record<Bucket, BucketQueue>> = {
    create: createBucket(clock, limit),
    stream: createBucket(clock, limit),
  };

  return {
    noteRunning(local, total) {
      // A share that is not a number would hold back every call from then on.
      if (!Number.isFinite(local) || !Number.isFinite(total)) return;
      // Slots are asked for by answers of this instance, so it runs at least one, also where the store does not know it
      // yet.
      const here = Math.max(local, 1);
      const everywhere = Math.max(total, here);
      for (const bucket of Object.values(buckets)) bucket.settle();
      share = here / everywhere;
      isAlone = here === everywhere;
      for (const bucket of Object.values(buckets)) bucket.pump();
    },
    slot(bucket, priority, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = () => {
          buckets[bucket].leave(waiter);
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
        buckets[bucket].enter(waiter);
      });
    },
    slowDown(bucket) {
      buckets[bucket].slowDown();
    },
  };
}

interface Waiter {
  priority: Priority;
  go: () => void;
}

interface BucketQueue {
  enter(waiter: Waiter): void;
  leave(waiter: Waiter): void;
  slowDown(): void;
  /** Brings the debt up to now at the present rate. Must come before the rate changes. */
  settle(): void;
  /** Lets calls through that may be made. Must come after the rate has changed. */
  pump(): void;
}

/**
 * A leaky bucket: each call adds one to the debt, time takes the permitted rate off it, and a call may be made when no
 * debt is left. The debt is counted in calls, not in time, so that it stays right when the rate changes.
 */
function createBucket(clock: Clock, limit: () => { callsPerMs: number; burst: number }): BucketQueue {
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
    // Rounded up to whole milliseconds: a timer that fires too early would only have to be set again.
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

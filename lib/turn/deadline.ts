import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** When a turn has to be over in this invocation. */
export interface Deadline {
  /** When the invocation ends, in milliseconds since the epoch; null where nothing ends it. */
  readonly atMs: number | null;
  /** Aborts some time before that, or when the process is asked to end; its reason is `out_of_time` or `interrupted`. */
  readonly timeUp: AbortSignal;
  /** Aborts when the process is asked to end. */
  readonly shutdown: AbortSignal;
  /** Lets go of the timer. */
  close(): void;
}

/** What remains for the last frame, its repeats and a handover when the time is up. */
const ENDING_RESERVE_MS = 20_000;

export function openDeadline(clock: Clock, atMs: number | null, shutdown: AbortSignal): Deadline {
  const controller = new AbortController();
  const end = () => controller.abort(new BridgeError('out_of_time', 'the invocation is about to end'));
  const interrupt = () => controller.abort(new BridgeError('interrupted', 'the process is about to end'));
  if (shutdown.aborted) interrupt();
  shutdown.addEventListener('abort', interrupt, { once: true });
  const leftMs = atMs === null ? null : atMs - clock.now();
  // A short limit keeps most of its time for the answer.
  const cancelTimer =
    leftMs === null ? null : clock.schedule(Math.max(0, leftMs - Math.min(ENDING_RESERVE_MS, leftMs * 0.15)), end);
  return {
    atMs,
    timeUp: controller.signal,
    shutdown,
    close(): void {
      cancelTimer?.();
      shutdown.removeEventListener('abort', interrupt);
    },
  };
}

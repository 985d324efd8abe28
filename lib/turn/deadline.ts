import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** What remains for the last frame, its repeats and a handover when the time is up. */
const ENDING_RESERVE_MS = 20_000;

/** Aborts some time before the invocation ends, or when the process is asked to; its reason is `out_of_time` or `interrupted`. */
export function timeUpSignal({
  clock,
  deadlineMs,
  shutdown,
}: {
  clock: Clock;
  deadlineMs: number | null;
  shutdown: AbortSignal;
}) {
  const controller = new AbortController();
  const end = () => controller.abort(new BridgeError('out_of_time', 'the invocation is about to end'));
  const interrupt = () => controller.abort(new BridgeError('interrupted', 'the process is about to end'));
  if (shutdown.aborted) interrupt();
  shutdown.addEventListener('abort', interrupt, { once: true });
  const leftMs = deadlineMs === null ? null : deadlineMs - clock.now();
  // A short limit keeps most of its time for the answer.
  const cancelTimer =
    leftMs === null ? null : clock.schedule(Math.max(0, leftMs - Math.min(ENDING_RESERVE_MS, leftMs * 0.15)), end);
  return {
    signal: controller.signal,
    cancel(): void {
      cancelTimer?.();
      shutdown.removeEventListener('abort', interrupt);
    },
  };
}

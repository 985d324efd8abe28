import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** When a turn has to be over in this invocation. */
export interface Deadline {
  /** Aborts some time before the invocation ends (`out_of_time`), or when the process is asked to end (`interrupted`). */
  readonly timeUp: AbortSignal;
  /** The same for files, later: one that is not here by then is named below the answer, or the turn could miss its end. */
  readonly filesUp: AbortSignal;
  /** Aborts when the process is asked to end. */
  readonly shutdown: AbortSignal;
  /** Lets go of the timers. */
  close(): void;
}

/** What remains for the last frame, its repeats and a handover when the time is up. */
const ENDING_RESERVE_MS = 20_000;

/** What remains for the end of the turn once files are given up. */
const FILES_RESERVE_MS = 8_000;

/** @param atMs when the invocation ends, in milliseconds since the epoch; null where nothing ends it. */
export function openDeadline(clock: Clock, atMs: number | null, shutdown: AbortSignal): Deadline {
  const answer = new AbortController();
  const files = new AbortController();
  const timers: (() => void)[] = [];
  const interrupt = () => {
    const reason = new BridgeError('interrupted', 'the process is about to end');
    answer.abort(reason);
    files.abort(reason);
  };
  if (shutdown.aborted) interrupt();
  shutdown.addEventListener('abort', interrupt, { once: true });

  function endAfter(ms: number, controller: AbortController): void {
    const reason = new BridgeError('out_of_time', 'the invocation is about to end');
    timers.push(clock.schedule(Math.max(0, ms), () => controller.abort(reason)));
  }
  if (atMs !== null) {
    const leftMs = atMs - clock.now();
    // A short limit keeps most of its time for the answer.
    endAfter(leftMs - Math.min(ENDING_RESERVE_MS, leftMs * 0.15), answer);
    endAfter(leftMs - FILES_RESERVE_MS, files);
  }
  return {
    timeUp: answer.signal,
    filesUp: files.signal,
    shutdown,
    close(): void {
      for (const cancel of timers) cancel();
      shutdown.removeEventListener('abort', interrupt);
    },
  };
}

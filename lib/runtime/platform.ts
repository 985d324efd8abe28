import type { Clock } from './clock.ts';
import { errorFields, type Log } from './log.ts';

/** What the platform offers to one request. */
export interface Platform {
  /** Keeps the invocation alive for work after the answer. The promise never rejects. */
  waitUntil(work: Promise<void>): void;
  /** When the invocation ends, in milliseconds since the epoch; null where nothing ends it. */
  deadlineMs: number | null;
}

/** What happens after the acknowledgement. Never rejects. */
export type BackgroundWork = (platform: Platform) => Promise<void>;

/** What the platform offers, within the configured duration of an invocation. */
export function limitPlatform(
  platform: Platform,
  { maxDurationMs, clock, log }: { maxDurationMs: number | null; clock: Clock; log: Log },
): Platform {
  const ownMs = maxDurationMs === null ? null : clock.now() + maxDurationMs;
  const ends = [platform.deadlineMs, ownMs].filter((end) => end !== null);
  return {
    // A rejection would end the process, and with it every other answer that is written here. There should be none.
    waitUntil: (work) =>
      platform.waitUntil(work.catch((error: unknown) => log.error('background_failed', errorFields(error)))),
    deadlineMs: ends.length > 0 ? Math.min(...ends) : null,
  };
}

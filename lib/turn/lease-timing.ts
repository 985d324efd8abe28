export interface LeaseTiming {
  /** How long a turn is left to its holder without a renewal, in milliseconds. */
  leaseMs: number;
  /** How often the holder renews it, in milliseconds. */
  renewMs: number;
}

/**
 * A function that died is noticed after 30 s at most, and by an instance at work 10 s later (`WATCH_MS`), at the price of
 * one request every 24 s.
 */
export const LEASE_TIMING: LeaseTiming = { leaseMs: 30_000, renewMs: 24_000 };

/** By how much a lease may outlive the invocation that holds it. */
const DEADLINE_SLACK_MS = 3_000;

/** Until when a lease taken now lasts: not much longer than the invocation that holds it. */
export function leaseEnd(nowMs: number, { leaseMs }: LeaseTiming, deadlineMs: number | null): number {
  return deadlineMs === null ? nowMs + leaseMs : Math.min(nowMs + leaseMs, deadlineMs + DEADLINE_SLACK_MS);
}

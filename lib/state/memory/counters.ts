import type { Clock } from '../../runtime/clock.ts';
import { monthOf } from '../budget.ts';
import { ARRIVALS_TTL_MS, BUDGET_TTL_MS, FAILURES_TTL_MS } from '../lifetimes.ts';
import { DOORS, type Arrival } from '../arrival.ts';
import type { FinishRequest, RobotStatus } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** What `status` reports, counted within this process. */
export function createMemoryCounters(clock: Clock) {
  /** By month. */
  const calls = createExpiringMap<number>(clock);
  /** By code, of which there are few. */
  const failures = new Map<string, { count: number; lastMs: number }>();
  const arrivals = createExpiringMap<Arrival>(clock);
  let lastAcceptedAtMs: number | null = null;
  return {
    accepted(nowMs: number): void {
      lastAcceptedAtMs = nowMs;
    },
    arrived: (arrival: Arrival): void => {
      arrivals.set(arrival.door, arrival, ARRIVALS_TTL_MS);
    },
    finished({ spent, failure, nowMs }: Pick<FinishRequest, 'spent' | 'failure' | 'nowMs'>): void {
      const month = monthOf(nowMs);
      calls.set(month, (calls.get(month) ?? 0) + spent, BUDGET_TTL_MS);
      if (failure === null) return;
      failures.set(failure, { count: (failures.get(failure)?.count ?? 0) + 1, lastMs: nowMs });
    },
    read(nowMs: number): Pick<RobotStatus, 'calls' | 'lastAcceptedAtMs' | 'arrivals' | 'failures'> {
      for (const [code, { lastMs }] of failures) if (clock.now() - lastMs > FAILURES_TTL_MS) failures.delete(code);
      return {
        calls: calls.get(monthOf(nowMs)) ?? 0,
        lastAcceptedAtMs,
        arrivals: DOORS.flatMap((door) => arrivals.get(door) ?? []),
        failures: [...failures].map(([code, failure]) => ({ code, ...failure })),
      };
    },
  };
}

import type { Clock } from '../../runtime/clock.ts';
import { BUDGET_TTL_MS, FAILURES_TTL_MS } from '../lifetimes.ts';
import type { FinishRequest, RobotStatus } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** Counts of what this process has done. */
export function createMemoryTally(clock: Clock) {
  const calls = createExpiringMap<number>(clock);
  /** There are as many as there are codes. */
  const failures = new Map<string, { count: number; lastMs: number }>();
  let lastAcceptedAtMs: number | null = null;
  return {
    accepted(nowMs: number): void {
      lastAcceptedAtMs = nowMs;
    },
    finished({ spent, month, failure, nowMs }: Pick<FinishRequest, 'spent' | 'month' | 'failure' | 'nowMs'>): void {
      calls.set(month, (calls.get(month) ?? 0) + spent, BUDGET_TTL_MS);
      if (failure === null) return;
      failures.set(failure, { count: (failures.get(failure)?.count ?? 0) + 1, lastMs: nowMs });
    },
    of(month: string): Pick<RobotStatus, 'calls' | 'lastAcceptedAtMs' | 'failures'> {
      for (const [code, { lastMs }] of failures) if (clock.now() - lastMs > FAILURES_TTL_MS) failures.delete(code);
      return {
        calls: calls.get(month) ?? 0,
        lastAcceptedAtMs,
        failures: [...failures].map(([code, failure]) => ({ code, ...failure })),
      };
    },
  };
}

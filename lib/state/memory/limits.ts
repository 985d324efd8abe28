import type { Clock } from '../../runtime/clock.ts';
import { BUDGET_STEPS, type Budget, type BudgetRequest, type SpendingLevel } from '../budget.ts';
import { BUDGET_TTL_MS } from '../lifetimes.ts';
import type { AcceptRequest } from '../state.ts';
import { createExpiringMap } from './expiring-map.ts';

/** How freely a turn may spend calls, and how many were set aside for it. */
export interface Reserved extends Budget {
  reserved: { account: string; calls: number } | null;
}

/** What the organisations have spent of their months, within this process. */
export function createMemoryBudget(clock: Clock) {
  /** Calls spent or set aside, by account. */
  const accounts = createExpiringMap<number>(clock);
  /** Calls spent, by account. */
  const settled = createExpiringMap<number>(clock);
  /** The steps of each account that were reported. */
  const steps = createExpiringMap<true>(clock);
  return {
    /**
     * Sets aside what an answer may cost. How freely it may spend depends on the calls spent or set aside. A step of the
     * month depends on the calls spent, and is reported once. The address of each of the held files costs a call more.
     */
    reserve(budget: BudgetRequest | null, files: number): Reserved {
      if (!budget) return { level: 'full', reached: null, reserved: null };
      const { account, limit } = budget;
      const costOf = (level: 'full' | 'few' | 'last') => budget.reserve[level] + files;
      const used = accounts.get(account) ?? 0;
      const share = (used * 100) / limit;
      const fits = (level: 'full' | 'few' | 'last') => used + costOf(level) <= limit;
      let level: SpendingLevel = share >= BUDGET_STEPS.few || !fits('full') ? 'few' : 'full';
      if (share >= BUDGET_STEPS.last || !fits(level)) level = fits('last') ? 'last' : 'none';
      const calls = level === 'none' ? 0 : costOf(level);
      if (calls > 0) accounts.set(account, used + calls, BUDGET_TTL_MS);
      const spent = settled.get(account) ?? 0;
      let reached: number | null = null;
      for (const step of Object.values(BUDGET_STEPS)) {
        const isUsedUp = step === BUDGET_STEPS.none && spent + costOf('last') > limit;
        const isReached = (spent * 100) / limit >= step || isUsedUp;
        if (!isReached || steps.get(`${account}:${step}`)) continue;
        steps.set(`${account}:${step}`, true, BUDGET_TTL_MS);
        reached = step;
      }
      return { level, reached, reserved: { account, calls } };
    },

    /** Counts what was spent, and gives back what was set aside beyond it. */
    settle({ account, calls }: { account: string; calls: number }, spent: number): void {
      accounts.set(account, (accounts.get(account) ?? 0) + spent - calls, BUDGET_TTL_MS);
      settled.set(account, (settled.get(account) ?? 0) + spent, BUDGET_TTL_MS);
    },
  };
}

/** Counts the questions of each person, within this process. True for a question beyond the limit. */
export function createMemoryRates(clock: Clock) {
  const asked = createExpiringMap<number>(clock);
  return ({ asker, nowMs, rate }: AcceptRequest): boolean => {
    if (!rate) return false;
    const key = `${asker}:${Math.floor(nowMs / rate.windowMs)}`;
    const count = (asked.get(key) ?? 0) + 1;
    asked.set(key, count, rate.windowMs);
    return count > rate.questions;
  };
}

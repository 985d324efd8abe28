/** The calendar month in which DingTalk counts: that of UTC+8. */
export function monthOf(nowMs: number): string {
  return new Date(nowMs + 8 * 3_600_000).toISOString().slice(0, 7).replace('-', '');
}

/** The organisation's allowance of DingTalk calls, shared by all its robots. */
export interface BudgetRequest {
  /** Names organisation and month. */
  account: string;
  limit: number;
  /** Calls that an answer may need, by how freely it may spend them. */
  reserve: Readonly<Record<'full' | 'few' | 'last', number>>;
}

/**
 * How freely an answer may spend calls: as configured, few updates (from 80 % of the month), only the last frame (from
 * 95 %), or none at all.
 */
export type SpendingLevel = 'full' | 'few' | 'last' | 'none';

export interface Budget {
  level: SpendingLevel;
  /** The share of the month, in percent, that was reached just now for the first time; null otherwise. */
  reached: number | null;
}

/** Calls that a question took which is dropped while it waits: its card, the word that it waits, and its end. */
export const DROPPED_CALLS = 3;

/** Shares of the month, in percent: from the first on updates get fewer, from the second only the last frame is shown. */
export const BUDGET_STEPS = { few: 80, last: 95, none: 100 } as const;

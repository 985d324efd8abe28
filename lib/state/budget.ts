/** The calendar month in which DingTalk counts: that of UTC+8. */
export function monthOf(nowMs: number): string {
  return new Date(nowMs + 8 * 3_600_000).toISOString().slice(0, 7).replace('-', '');
}

/** The organisation's allowance of DingTalk calls, shared by all its robots. */
export interface BudgetRequest {
  /** Names organisation and month. */
  account: string;
  limit: number;
  /** Calls to set aside for an answer, by how freely it may spend them. */
  reserve: Readonly<Record<'full' | 'few' | 'last', number>>;
}

/**
 * How freely an answer may spend calls: as configured, few updates (from 80 % of the month), only the last frame (from
 * 95 %), or none at all.
 */
export type SpendingLevel = 'full' | 'few' | 'last' | 'none';

export interface Budget {
  level: SpendingLevel;
  /** The step of the month, in percent, that this request is the first to reach; null otherwise. */
  reached: number | null;
}

/** Calls of a question that is dropped while it waits: its card, the note that it waits, and the card's end. */
export const DROPPED_CALLS = 3;

/** Steps of the month, in percent. Updates get fewer from `few`; only the last frame is shown from `last`. */
export const BUDGET_STEPS = { few: 80, last: 95, none: 100 } as const;

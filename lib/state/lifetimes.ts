// How long what is on record is kept, in milliseconds.

/**
 * How long it is remembered that a message was accepted. Redeliveries have been seen after 16 and 60 s; a captured
 * signature can be replayed for an hour; a day outlives both.
 */
export const CLAIM_TTL_MS = 86_400_000;

/** How long the question of a failed turn is kept. */
export const FAILED_TTL_MS = 3_600_000;

/** How long a receipt is kept, so that a button below an old answer still works. */
export const RECEIPT_TTL_MS = 30 * 86_400_000;

/** Longer than any month, so that its count is there until its end. */
export const BUDGET_TTL_MS = 40 * 86_400_000;

/** How long failures are counted after the last one. */
export const FAILURES_TTL_MS = 30 * 86_400_000;

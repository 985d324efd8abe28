// How long what is on record is kept, in milliseconds.

/**
 * How long the store remembers that a message was accepted. DingTalk has delivered messages again after 16 and 60 s, and a
 * captured signature can be replayed for an hour. A day is longer than both.
 */
export const CLAIM_TTL_MS = 86_400_000;

/** How long the question of a failed turn is kept, for the button that tries again. */
export const FAILED_TTL_MS = 3_600_000;

/** How long a receipt is kept, so that the buttons below an old answer work. */
export const RECEIPT_TTL_MS = 30 * 86_400_000;

/** How long the row of answers to robots is kept after the last of them: far longer than two robots leave each other alone. */
export const ROBOT_ROW_TTL_MS = 365 * 86_400_000;

/** How long a month's count is kept. It is longer than any month, so that the count lasts until the month's end. */
export const BUDGET_TTL_MS = 40 * 86_400_000;

/** How long the store remembers the last callback: as long as the last accepted question. */
export const ARRIVALS_TTL_MS = 40 * 86_400_000;

/** How long the counts of failures are kept after the last failure. */
export const FAILURES_TTL_MS = 30 * 86_400_000;

/** How long the reply address of a message works: DingTalk closes it after 90 minutes. */
const REPLY_TTL_MS = 90 * 60_000;

/** How long a reply address is kept: until it closes. */
export const replyTtlMs = (nowMs: number, untilMs: number | null): number =>
  Math.min((untilMs ?? Number.POSITIVE_INFINITY) - nowMs, REPLY_TTL_MS);

/** How old the request that hands a turn over may be. */
export const HANDOVER_AGE_MS = 60_000;

/**
 * How long a turn that a newer version has on record is left to that version after its lease has lapsed. A roll-out takes a
 * few minutes; after that the newer version was taken back.
 */
export const LEFT_TO_NEWER_MS = 10 * 60_000;

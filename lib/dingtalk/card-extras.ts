import type { Clock } from '../runtime/clock.ts';

/**
 * Whether cards are made with the fields that they can do without (`card-request.ts`). DingTalk's pages describe these
 * fields in part, so a tenant may refuse one.
 */
export interface CardExtras {
  mayUse(): boolean;
  /** DingTalk took a card only without them. */
  noteRefused(): void;
}

/** For how long cards are made without them. After that one card tries them again. */
const WITHOUT_MS = 86_400_000;

/** Kept by this process: asking the store would cost every cold start a request. */
export function createCardExtras(clock: Clock): CardExtras {
  let refusedUntilMs = 0;
  return {
    mayUse: () => clock.now() >= refusedUntilMs,
    noteRefused() {
      refusedUntilMs = clock.now() + WITHOUT_MS;
    },
  };
}

import type { CardSink } from '../delivery/sink.ts';
import { BridgeError, type DeliveryErrorCode, type ErrorCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** Leaves cards alone while they cannot work, so that every answer does not first fail at one. */
export interface CardBreaker {
  /** Whether to try a card. When cards have been left alone long enough, true is said once: that card is the trial. */
  mayOpen(): boolean;
  /**
   * What became of one card: `'opened'` once it has shown something, or the error that kept it from that. To be told
   * once a card, because a wrong variable fails at the frames of a card that opened well; `watchCard` does it so.
   *
   * @param asker whose card it was. Several failures of one asker that may be about that asker alone count as one.
   */
  note(outcome: unknown, asker?: string): void;
  /** Why cards are left alone; null while they are not. */
  reason(): ErrorCode | null;
}

const MAX_FAILURES = 3;

const LEFT_ALONE_MS = 600_000;

/** A trial without an outcome (the function died, the answer was for nobody) does not keep cards away for ever. */
const TRIAL_MS = 60_000;

/**
 * What the next card will meet as well: somebody has to change something at DingTalk or in our configuration.
 *
 * Not here, because the next card may well work: what passes by itself (`dingtalk_qps`, `dingtalk_timeout`,
 * `dingtalk_unreachable`, `dingtalk_server_error`, `dingtalk_token_invalid`), what is about this one card or text
 * (`dingtalk_card_exists`, `dingtalk_card_no_target`, `dingtalk_content_unsafe`). They do not count and do not
 * interrupt a row either: a time-out says nothing about the template.
 *
 * `dingtalk_card_variable` is here although `errors.ts` calls it passing: single frames meet it at random, but three
 * cards in a row that showed nothing have no such variable.
 */
const LASTING: ReadonlySet<ErrorCode> = new Set<DeliveryErrorCode>([
  'dingtalk_template_missing',
  'dingtalk_template_unpublished',
  'dingtalk_permission_missing',
  'dingtalk_card_variable',
  'dingtalk_credentials',
  'dingtalk_ip_refused',
  'dingtalk_month_used_up',
]);

/** Lasting too, as far as one can tell; but it may be the asker who cannot be reached, such as an external member. */
const MAYBE_OF_ASKER: ReadonlySet<ErrorCode> = new Set<DeliveryErrorCode>([
  'dingtalk_card_undelivered',
  'dingtalk_refused',
]);

function isLasting(error: unknown): error is BridgeError {
  return error instanceof BridgeError && (LASTING.has(error.code) || MAYBE_OF_ASKER.has(error.code));
}

export function createCardBreaker(clock: Clock): CardBreaker {
  let failures = 0;
  const askers = new Set<string>();
  /** Set while cards are left alone. */
  let open: { code: ErrorCode; untilMs: number; isTrial: boolean } | null = null;

  function close(): void {
    failures = 0;
    askers.clear();
    open = null;
  }

  function fail(code: ErrorCode, asker: string | undefined): void {
    if (open) {
      // Of the cards that were under way when they were given up, nothing new is learnt.
      if (open.isTrial) open = { code, untilMs: clock.now() + LEFT_ALONE_MS, isTrial: false };
      return;
    }
    if (asker !== undefined && MAYBE_OF_ASKER.has(code)) {
      if (askers.has(asker)) return;
      askers.add(asker);
    }
    failures += 1;
    if (failures >= MAX_FAILURES) open = { code, untilMs: clock.now() + LEFT_ALONE_MS, isTrial: false };
  }

  return {
    mayOpen() {
      if (!open) return true;
      if (clock.now() < open.untilMs) return false;
      open = { code: open.code, untilMs: clock.now() + TRIAL_MS, isTrial: true };
      return true;
    },
    note(outcome, asker) {
      if (outcome === 'opened') close();
      else if (isLasting(outcome)) fail(outcome.code, asker);
      else if (open?.isTrial) {
        // The trial told nothing, so the next card is one.
        open = { ...open, untilMs: clock.now(), isTrial: false };
      }
    },
    reason: () => open?.code ?? null,
  };
}

/**
 * The card, with its outcome told to the breaker: when it has shown its first frame, or at the first lasting failure
 * before that.
 */
export function watchCard(card: CardSink, breaker: CardBreaker, asker?: string): CardSink {
  let hasShown = false;
  let hasFailed = false;

  function onFailure(error: unknown): void {
    if (hasShown || hasFailed) return;
    hasFailed = isLasting(error);
    breaker.note(error, asker);
  }

  return {
    ...card,
    async open() {
      try {
        await card.open();
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
    async write(frame) {
      try {
        await card.write(frame);
      } catch (error) {
        onFailure(error);
        throw error;
      }
      if (!hasShown) breaker.note('opened', asker);
      hasShown = true;
    },
  };
}

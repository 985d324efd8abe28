import type { CardSink } from '../delivery/sink.ts';
import { BridgeError, type DeliveryErrorCode, type ErrorCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';

/** Keeps answers off cards while cards cannot work, so that not every answer first fails at its card. */
export interface CardBreaker {
  /** Whether to try a card. After the pause it answers true once: that card is the trial. */
  mayOpen(): boolean;
  /**
   * What became of one card: `'opened'` once it has shown a frame, or the error that kept it from that. A card counts
   * once, and not before a frame, because a wrong variable fails only at the frames. `watchCard` does so.
   *
   * @param asker whose card it was. Several failures that may be about the asker count as one for the same asker.
   */
  note(outcome: unknown, asker?: string): void;
  /** Why no cards are tried; null while they are. */
  reason(): ErrorCode | null;
}

/** Failures in a row after which no cards are tried. */
const MAX_FAILURES = 3;

/** For how long no cards are tried. */
const PAUSE_MS = 600_000;

/** A trial may have no outcome, because its function died or its answer was dropped. After this long comes the next. */
const TRIAL_MS = 60_000;

/**
 * Failures that the next card will meet as well, until an operator changes something at DingTalk or in the
 * configuration.
 *
 * Two kinds are not here, because the next card may work: failures that pass (`dingtalk_qps`, `dingtalk_timeout`,
 * `dingtalk_unreachable`, `dingtalk_server_error`, `dingtalk_token_invalid`), and failures about one card or text
 * (`dingtalk_card_exists`, `dingtalk_card_no_target`, `dingtalk_content_unsafe`). They do not count and do not
 * interrupt a row: a time-out says nothing about the template.
 *
 * `dingtalk_card_variable` is here although `errors.ts` calls it passing. Single frames meet it at random, but when
 * three cards in a row show nothing, the template has no such variable.
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

/** Failures that seem to last, but may be about the asker alone: external members, for example, cannot be reached. */
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
  /** Set while no cards are tried. */
  let open: { code: ErrorCode; untilMs: number; isTrial: boolean } | null = null;

  function close(): void {
    failures = 0;
    askers.clear();
    open = null;
  }

  function fail(code: ErrorCode, asker: string | undefined): void {
    if (open) {
      // The other cards were begun before the pause, so they bring no news.
      if (open.isTrial) open = { code, untilMs: clock.now() + PAUSE_MS, isTrial: false };
      return;
    }
    if (asker !== undefined && MAYBE_OF_ASKER.has(code)) {
      if (askers.has(asker)) return;
      askers.add(asker);
    }
    failures += 1;
    if (failures >= MAX_FAILURES) open = { code, untilMs: clock.now() + PAUSE_MS, isTrial: false };
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
        // The trial decided nothing, so the next card is a trial.
        open = { ...open, untilMs: clock.now(), isTrial: false };
      }
    },
    reason: () => open?.code ?? null,
  };
}

/**
 * The card, with its outcome reported to the breaker: when it has shown its first frame, or at the first lasting
 * failure before that.
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

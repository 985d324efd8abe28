import { BridgeError, isLimited, isRefusedForNow, isUnanswered } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { retry } from '../runtime/retry.ts';
import { createHints } from './hints.ts';
import type { Limiter } from './limiter.ts';
import { paceOf, type Pace } from './pace.ts';
import type { CardSink } from './sink.ts';
import { createWriter, type Writer, type WriterOptions } from './writer.ts';

export interface CardPorts {
  /** Pause between delivery and the first frame, and before the last, in milliseconds. */
  settleMs: number;
  limiter: Limiter;
  clock: Clock;
  newId: () => string;
  log: Log;
}

/** The answer whose card is opened. */
export interface CardOptions {
  sink: CardSink;
  pace: Pace;
  reference: string;
  acceptedAtMs: number;
  /** Whether the card is there already. */
  isOpen: boolean;
  /**
   * Asks whether the instance that accepted the question has opened the card; null while that is not known. Null where
   * no other instance can be opening it.
   */
  lookForCard: (() => Promise<boolean | null>) | null;
  /** Called once with whether the card is there; null when a call to open it got no answer. */
  onOpened: (hasCard: boolean | null) => void;
  /** Called once, when the card first shows words of the answer. From then on another instance can end it with them. */
  onTextShown: () => void;
}

/** A turn's card, opening or open. */
export interface OpenCard {
  writer: Writer;
  /** Shows what the app is doing, at most once in a while, until there is text. */
  hint(render: () => string): void;
  /** Whether it is there. Never rejects. */
  opened: Promise<boolean>;
  /** There is text of the answer. */
  noteText(): void;
  /** When the first text was there, in milliseconds since the message was accepted. */
  firstTextMs(): number | null;
  /** The code of what kept it from being opened; null when nothing did. */
  refusedFor(): string | null;
}

/** How often a turn that waited looks for its card before it opens one itself, and the pause after each look. */
const CARD_LOOKS = 12;

const CARD_LOOK_MS = 250;

/** Pauses before each repeat of a refused opening. After a refusal for speed the limiter makes the pause longer. */
const OPEN_RETRY_MS = [500, 500, 500] as const;

/** Opens the card while Dify is being asked. */
export function openCard(options: CardOptions, ports: CardPorts): OpenCard {
  const { sink, pace, acceptedAtMs, onOpened, onTextShown, reference } = options;
  const { clock, log, settleMs } = ports;
  let firstTextAtMs: number | null = null;
  let isTextShown = false;
  let refusedFor: string | null = null;
  const opening = ensureOpen(options, ports);
  const onFrameShown = () => {
    if (isTextShown || firstTextAtMs === null) return;
    isTextShown = true;
    onTextShown();
  };
  const writer = cardWriter({ sink, pace, reference, opened: opening, settleMs, onFrameShown }, ports);
  const hints = createHints(clock, (render) => writer.show(render));
  const opened = opening.then(
    () => {
      onOpened(true);
      return true;
    },
    (error: unknown) => {
      // DingTalk may have made the card without saying so. Then it must be ended, so this counts as opened: if there is
      // no card, ending it fails and the answer goes out as messages.
      const mayBeThere = isUnanswered(error);
      refusedFor = error instanceof BridgeError ? error.code : 'internal';
      onOpened(mayBeThere ? null : false);
      log.error('card_refused', { turn: reference, ...errorFields(error) });
      return mayBeThere;
    },
  );
  return {
    writer,
    opened,
    hint: (render) => hints.show(render),
    noteText() {
      firstTextAtMs ??= clock.now();
      hints.end();
    },
    refusedFor: () => refusedFor,
    firstTextMs: () => (firstTextAtMs === null ? null : firstTextAtMs - acceptedAtMs),
  };
}

/** The writer of a card that was opened before, to end it. */
export function reopenCard(sink: CardSink, reference: string, ports: CardPorts): Writer {
  const opened = Promise.resolve();
  const onFrameShown = () => undefined;
  return cardWriter({ sink, reference, opened, pace: paceOf('off'), settleMs: 0, onFrameShown }, ports);
}

function cardWriter(
  { reference, ...options }: Omit<WriterOptions, 'clock' | 'newId' | 'slot' | 'onFrameFailed'> & { reference: string },
  { limiter, clock, newId, log }: CardPorts,
): Writer {
  return createWriter({
    ...options,
    clock,
    newId,
    slot: (priority, signal) => limiter.slot('stream', priority, signal),
    onFrameFailed(error) {
      if (isLimited(error)) limiter.slowDown('stream');
      log.warn('frame_failed', { turn: reference, ...errorFields(error) });
    },
  });
}

/** Opens the card, unless it is there or another instance opens it. @throws BridgeError when there is none. */
async function ensureOpen({ sink, isOpen, lookForCard }: CardOptions, ports: CardPorts): Promise<void> {
  if (isOpen || (lookForCard && (await isOpenedElsewhere(lookForCard, ports.clock)))) return;
  await openWithRetry(sink, ports);
}

/**
 * Waits for what the instance that accepted the question records of its card; false when it records nothing in time.
 *
 * @throws BridgeError when that instance could not open the card.
 */
async function isOpenedElsewhere(lookForCard: () => Promise<boolean | null>, clock: Clock): Promise<boolean> {
  for (let look = 0; look < CARD_LOOKS; look += 1) {
    const hasCard = await lookForCard().catch(() => null);
    if (hasCard === true) return true;
    if (hasCard === false) throw new BridgeError('dingtalk_card_undelivered', 'the card could not be opened before');
    await sleep(clock, CARD_LOOK_MS);
  }
  return false;
}

/**
 * Opens a card, again after a refusal that may pass. Each try names the same card id, so there is never a second card.
 *
 * @throws BridgeError when the card did not open. The sink itself has repeated a call without an answer.
 */
export function openWithRetry(
  sink: Pick<CardSink, 'open'>,
  { limiter, clock }: Pick<CardPorts, 'limiter' | 'clock'>,
): Promise<void> {
  async function open(): Promise<void> {
    await limiter.slot('create', 'last');
    try {
      await sink.open();
    } catch (error) {
      if (isLimited(error)) limiter.slowDown('create');
      throw error;
    }
  }
  return retry(open, { clock, pausesMs: OPEN_RETRY_MS, mayRetry: isRefusedForNow });
}

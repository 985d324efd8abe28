import { BridgeError, isLimited, isPassing, isUnanswered } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Limiter } from './limiter.ts';
import { paceOf, type Pace } from './pace.ts';
import type { CardSink } from './sink.ts';
import { createWriter, type LastFrame, type Writer } from './writer.ts';

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
  /** Told once whether the card is there; null when a call to open it got no answer. */
  onOpened: (hasCard: boolean | null) => void;
  /** Told once, when the first words of the answer are shown: another instance can end the answer with them. */
  onTextShown: () => void;
}

/** A turn's card, opening or open. */
export interface OpenCard {
  writer: Writer;
  /** Shows what the app is doing, now and then, as long as there is nothing else to see. */
  hint(render: () => string): void;
  /** Whether it is there. Never rejects. */
  opened: Promise<boolean>;
  noteText(): void;
  /** When the first text was there, in milliseconds since the message was accepted. */
  firstTextMs(): number | null;
  /** The code of what kept it from being opened; null when nothing did. */
  refusedFor(): string | null;
}

/** What the app is doing is worth a call only to somebody who has waited a while, and then not each step of it. */
const FIRST_HINT_MS = 1_000;

const HINT_GAP_MS = 2_500;

/** How often, and how long, the card of a question that waited is looked for before one is made. */
const CARD_LOOKS = 12;

const CARD_LOOK_MS = 250;

/** Tries to make a card that is refused for the moment, and the pause between them; a limit has a pause of its own. */
const MAX_OPEN_TRIES = 4;

const OPEN_PAUSE_MS = 500;

/** Opens the card while Dify is being asked. */
export function openCard(options: CardOptions, ports: CardPorts): OpenCard {
  const { sink, reference, onOpened, onTextShown } = options;
  const { clock, log, limiter } = ports;
  const openedAtMs = clock.now();
  let firstTextAtMs: number | null = null;
  let isTextRecorded = false;
  let refusedFor: string | null = null;
  let nextHint: (() => string) | null = null;
  let lastHintAtMs = openedAtMs + FIRST_HINT_MS - HINT_GAP_MS;
  const onFailed = (error: unknown) => {
    if (isLimited(error)) limiter.slowDown('stream');
    log.warn('frame_failed', { turn: reference, ...errorFields(error) });
  };
  const opening = ensureOpen(options, ports);
  const writer = createWriter({
    sink,
    opened: opening,
    pace: options.pace,
    clock,
    newId: ports.newId,
    settleMs: ports.settleMs,
    slot: (priority, signal) => limiter.slot('stream', priority, signal),
    onFrameFailed: onFailed,
    onFrameShown() {
      if (isTextRecorded || firstTextAtMs === null) return;
      isTextRecorded = true;
      onTextShown();
    },
  });
  const showHint = () => {
    const render = nextHint;
    nextHint = null;
    if (!render || firstTextAtMs !== null) return;
    lastHintAtMs = clock.now();
    writer.show(render);
  };
  const opened = opening.then(
    () => {
      onOpened(true);
      return true;
    },
    (error: unknown) => {
      // A card that may be there must be ended all the same; if it is not, the answer comes as messages then.
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
    hint(render) {
      const isDue = nextHint !== null;
      nextHint = render;
      if (!isDue) clock.schedule(Math.max(0, lastHintAtMs + HINT_GAP_MS - clock.now()), showHint);
    },
    noteText() {
      firstTextAtMs ??= clock.now();
    },
    refusedFor: () => refusedFor,
    firstTextMs: () => (firstTextAtMs === null ? null : firstTextAtMs - options.acceptedAtMs),
  };
}

/** The writer of a card that was opened before, for its end. */
export function reopenCard(sink: CardSink, reference: string, { limiter, clock, newId, log }: CardPorts): Writer {
  return createWriter({
    sink,
    opened: Promise.resolve(),
    pace: paceOf('off'),
    clock,
    newId,
    settleMs: 0,
    slot: (priority, signal) => limiter.slot('stream', priority, signal),
    onFrameFailed: (error) => log.warn('frame_failed', { turn: reference, ...errorFields(error) }),
    onFrameShown: () => undefined,
  });
}

/** Ends a card with its last frame; false when it could not be ended, which is in the log. Never rejects. */
export async function endCard(
  writer: Pick<Writer, 'finish'>,
  last: LastFrame,
  { log, reference }: { log: Log; reference: string },
): Promise<boolean> {
  try {
    await writer.finish(last);
    return true;
  } catch (error) {
    log.error('card_not_ended', { turn: reference, ...errorFields(error) });
    return false;
  }
}

/** Opens the card, unless it is there; waits for whoever may be opening it. @throws BridgeError when there is none. */
async function ensureOpen({ sink, isOpen, lookForCard }: CardOptions, ports: CardPorts): Promise<void> {
  if (isOpen) return;
  for (let look = 0; look < (lookForCard ? CARD_LOOKS : 0); look += 1) {
    const hasCard = await lookForCard?.().catch(() => null);
    if (hasCard === true) return;
    if (hasCard === false) throw new BridgeError('dingtalk_card_undelivered', 'the card could not be opened before');
    await sleep(ports.clock, CARD_LOOK_MS);
  }
  await openWithRetry(sink, ports);
}

/** Tries again what may pass: the id of a card is its own, so that no second one can come of it. */
export async function openWithRetry(
  sink: CardSink,
  { limiter, clock }: Pick<CardPorts, 'limiter' | 'clock'>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await limiter.slot('create', 'last');
    try {
      await sink.open();
      return;
    } catch (error) {
      if (isLimited(error)) limiter.slowDown('create');
      // A call without an answer has been repeated by the sink.
      const mayRepeat = isPassing(error) && !isUnanswered(error);
      if (!mayRepeat || tries >= MAX_OPEN_TRIES) throw error;
      if (!isLimited(error)) await sleep(clock, OPEN_PAUSE_MS);
    }
  }
}

import type { RobotConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import type { Lease } from '../turn/lease.ts';
import { readProgress } from '../turn/record.ts';
import type { Turn } from '../turn/turn.ts';
import type { Traffic } from './limiter.ts';
import type { Pace } from './pace.ts';
import type { CardSink, FailureRules, MessageSink } from './sink.ts';
import { createWriter, type Writer } from './writer.ts';

export interface CardPorts {
  robot: RobotConfig;
  texts: Texts;
  /** Null without a template, or while cards are left alone. */
  card: () => CardSink | null;
  reply: MessageSink;
  pace: Pace;
  traffic: Traffic;
  clock: Clock;
  newId: () => string;
  log: Log;
  failures: FailureRules;
  state: Pick<State, 'peek'>;
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

/** Opens the card while Dify is being asked; null where there is none. */
export function openCard(turn: Turn, ports: CardPorts, lease: Lease): OpenCard | null {
  const { clock, log, failures, traffic, robot } = ports;
  const sink = lease.progress.hasCard === false ? null : ports.card();
  const openedAtMs = clock.now();
  let firstTextAtMs: number | null = null;
  let isTextRecorded = false;
  let refusedFor: string | null = null;
  let nextHint: (() => string) | null = null;
  let lastHintAtMs = openedAtMs + FIRST_HINT_MS - HINT_GAP_MS;
  const onFailed = (error: unknown) => {
    if (failures.isRateLimit(error)) traffic.slowDown('stream');
    log.warn('frame_failed', { turn: turn.reference, ...errorFields(error) });
  };
  if (!sink) return null;
  const opening = ensureOpen(turn, sink, ports, lease);
  const writer = createWriter({
    sink,
    opened: opening,
    pace: ports.pace,
    clock,
    newId: ports.newId,
    settleMs: robot.dingtalk.cardSettleMs,
    failures,
    slot: (priority, signal) => traffic.slot('stream', priority, signal),
    onFrameFailed: onFailed,
    onFrameShown() {
      // From the first words on the turn can be ended by somebody else, with at least those.
      if (isTextRecorded || firstTextAtMs === null) return;
      isTextRecorded = true;
      void lease.write();
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
      lease.note({ hasCard: true });
      return true;
    },
    (error: unknown) => {
      // A card that may be there must be ended all the same; if it is not, the answer comes as messages then.
      const mayBeThere = failures.isUnanswered(error);
      refusedFor = error instanceof BridgeError ? error.code : 'internal';
      lease.note({ hasCard: mayBeThere ? null : false });
      log.error('card_refused', { turn: turn.reference, ...errorFields(error) });
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
    firstTextMs: () => (firstTextAtMs === null ? null : firstTextAtMs - turn.acceptedAtMs),
  };
}

/** Opens the card, unless it is there; waits for whoever may be opening it. @throws BridgeError when there is none. */
async function ensureOpen(turn: Turn, sink: CardSink, ports: CardPorts, lease: Lease): Promise<void> {
  if (lease.progress.hasCard) return;
  for (let look = 0; turn.hasWaited && look < CARD_LOOKS; look += 1) {
    const noted = await ports.state.peek(turn.id).catch(() => null);
    const hasCard = readProgress(noted?.progress ?? null)?.hasCard ?? null;
    if (hasCard === true) return;
    if (hasCard === false) throw new BridgeError('dingtalk_card_undelivered', 'the card could not be opened before');
    await sleep(ports.clock, CARD_LOOK_MS);
  }
  await openPatiently(sink, ports);
}

/** Tries again what may pass: the id of a card is its own, so that no second one can come of it. */
export async function openPatiently(
  sink: CardSink,
  { traffic, failures, clock }: Pick<CardPorts, 'traffic' | 'failures' | 'clock'>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await traffic.slot('create', 'last');
    try {
      await sink.open();
      return;
    } catch (error) {
      const isLimited = failures.isRateLimit(error);
      if (isLimited) traffic.slowDown('create');
      // A call without an answer has been repeated by the sink.
      const mayRepeat = failures.isPassing(error) && !failures.isUnanswered(error);
      if (!mayRepeat || tries >= MAX_OPEN_TRIES) throw error;
      if (!isLimited) await sleep(clock, OPEN_PAUSE_MS);
    }
  }
}

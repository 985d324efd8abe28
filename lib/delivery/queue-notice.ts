import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import { noProgress } from '../turn/record.ts';
import { openPatiently } from './card.ts';
import type { Traffic } from './limiter.ts';
import type { CardSink, FailureRules, MessageSink } from './sink.ts';

export interface QueuedPorts {
  card: (onCall: () => void) => CardSink | null;
  reply: MessageSink;
  traffic: Traffic;
  state: State;
  texts: Texts;
  clock: Clock;
  log: Log;
  newId: () => string;
  failures: FailureRules;
  /** Ends a card whose question was given up while the card was being opened. */
  endDropped: (turnId: string) => Promise<void>;
}

/** Without a card nobody is told of a wait shorter than this. */
const HINT_AFTER_MS = 10_000;

/** Pauses between tries to put it on record that the card is there, while the store is down. */
const NOTE_RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

/** Tells somebody that their question waits: on its own card at once, else in a message after a while. Never rejects. */
export async function showQueued(
  { turnId, reference, place }: { turnId: string; reference: string; place: number },
  { card: cardOf, reply, traffic, state, texts, clock, log, newId, failures, endDropped }: QueuedPorts,
): Promise<void> {
  const text = texts.queued(place);
  let calls = 0;
  const card = cardOf(() => (calls += 1));
  const note = (hasCard: boolean) =>
    state.noteWaiting({ turnId, progress: JSON.stringify({ ...noProgress, hasCard, calls }) });
  if (card && (await tellOnCard(card))) return;
  try {
    await note(false);
    await sleep(clock, HINT_AFTER_MS);
    const waiting = await state.peek(turnId);
    if (waiting.state === 'queued') await reply.send({ title: texts.messageTitle, text, mentionAsker: true });
  } catch (error) {
    log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
  }

  /** False when there is no card to tell it on. */
  async function tellOnCard(opening: CardSink): Promise<boolean> {
    try {
      await openPatiently(opening, { traffic, failures, clock });
    } catch (error) {
      log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
      // Without an answer it may be there: whoever answers finds out when making it once more.
      return failures.isUnanswered(error);
    }
    try {
      const waiting = await state.peek(turnId);
      if (waiting.state === 'queued') {
        await traffic.slot('stream', 'typing');
        await opening.write({ text, state: 'typing', id: newId() });
      }
    } catch (error) {
      log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
    }
    // Only now: whoever answers waits for this note, so that two calls for one card do not overlap. Without it the card
    // is found when it is to be made once more; but a card whose question was given up nobody else would end.
    for (const pauseMs of [...NOTE_RETRY_MS, null]) {
      const noted = await note(true).catch(() => null);
      if (noted?.state === 'dropped') await endDropped(turnId);
      if (noted || pauseMs === null) return true;
      await sleep(clock, pauseMs);
    }
    return true;
  }
}

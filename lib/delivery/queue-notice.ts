import { isUnanswered } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import { openWithRetry } from './card.ts';
import type { Limiter } from './limiter.ts';
import type { CardSink, MessageSink } from './sink.ts';

/** What is known of a question that waits: whether it still does, or was given up. */
export type WaitingState = 'queued' | 'started' | 'dropped' | 'over';

export interface QueuedPorts {
  card: (onCall: () => void) => CardSink | null;
  reply: MessageSink;
  limiter: Limiter;
  /** Keeps with the question whether its card is there, and the calls that it took; answers how the question stands. */
  note: (card: { hasCard: boolean; calls: number }) => Promise<WaitingState>;
  isWaiting: () => Promise<boolean>;
  texts: Texts;
  clock: Clock;
  log: Log;
  newId: () => string;
  /** Ends a card whose question was given up while the card was being opened. */
  endDropped: () => Promise<void>;
}

/** Without a card nobody is told of a wait shorter than this. */
const HINT_AFTER_MS = 10_000;

/** Pauses between tries to put it on record that the card is there, while the store is down. */
const NOTE_RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

/** Tells somebody that their question waits: on its own card at once, else in a message after a while. Never rejects. */
export async function showQueued(
  { reference, place }: { reference: string; place: number },
  { card: cardOf, reply, limiter, note: noteCard, isWaiting, texts, clock, log, newId, endDropped }: QueuedPorts,
): Promise<void> {
  const text = texts.queued(place);
  let calls = 0;
  const card = cardOf(() => (calls += 1));
  const note = (hasCard: boolean) => noteCard({ hasCard, calls });
  if (card && (await tellOnCard(card))) return;
  try {
    await note(false);
    await sleep(clock, HINT_AFTER_MS);
    if (await isWaiting()) await reply.send({ title: texts.messageTitle, text, mentionAsker: true });
  } catch (error) {
    log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
  }

  /** False when there is no card to tell it on. */
  async function tellOnCard(opening: CardSink): Promise<boolean> {
    try {
      await openWithRetry(opening, { limiter, clock });
    } catch (error) {
      log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
      // Without an answer it may be there: whoever answers finds out when making it once more.
      return isUnanswered(error);
    }
    try {
      if (await isWaiting()) {
        await limiter.slot('stream', 'typing');
        await opening.write({ text, state: 'typing', id: newId() });
      }
    } catch (error) {
      log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
    }
    // Only now: whoever answers waits for this note, so that two calls for one card do not overlap. Without it the card
    // is found when it is to be made once more; but a card whose question was given up nobody else would end.
    for (const pauseMs of [...NOTE_RETRY_MS, null]) {
      const noted = await note(true).catch(() => null);
      if (noted === 'dropped') await endDropped();
      if (noted || pauseMs === null) return true;
      await sleep(clock, pauseMs);
    }
    return true;
  }
}

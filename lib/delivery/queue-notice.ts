import { isUnanswered } from '../errors.ts';
import { sleep, withTimeout, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { retry } from '../runtime/retry.ts';
import type { Texts } from '../texts/texts.ts';
import { openWithRetry } from './card.ts';
import type { Limiter } from './limiter.ts';
import type { CardSink, MessageSink } from './sink.ts';

/** How a question that was put in line stands: `dropped` when it was given up before its turn came. */
export type WaitingState = 'queued' | 'started' | 'dropped' | 'over';

/** What is recorded with the question: whether its card is there, and the calls that it took. */
export interface CardRecord {
  hasCard: boolean;
  calls: number;
}

export interface QueueNoticePorts {
  /** The card of the question; null where there is none. `onCall` is called with each call that counts. */
  card: (onCall: () => void) => CardSink | null;
  reply: MessageSink;
  limiter: Limiter;
  /** @throws BridgeError while the store cannot be reached. */
  record: (card: CardRecord) => Promise<WaitingState>;
  isWaiting: () => Promise<boolean>;
  /** Ends the card of a question that was given up while this instance opened it, where it has one. Never rejects. */
  endDropped: (hasCard: boolean) => Promise<void>;
  texts: Texts;
  clock: Clock;
  log: Log;
  newId: () => string;
}

/** Without a card the asker hears of a wait only when it takes longer than this. */
const MESSAGE_AFTER_MS = 10_000;

/** The notice is left out where it would wait longer for its slot: the card has to be on record soon. */
const SLOT_PATIENCE_MS = 1_000;

/** Pauses before each repeat, while the store is down, of the record that the card is there. */
const RECORD_RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

/** Tells the asker that the question waits: on its own card at once, else in a message after a while. Never rejects. */
export async function showQueued(
  { reference, place, quote = '' }: { reference: string; place: number; quote?: string },
  ports: QueueNoticePorts,
): Promise<void> {
  const { reply, isWaiting, texts, clock, log } = ports;
  const text = texts.queued(place);
  const warn = (error: unknown) => log.warn('queue_hint_failed', { turn: reference, ...errorFields(error) });
  let calls = 0;
  const card = ports.card(() => (calls += 1));
  const record = (hasCard: boolean) => ports.record({ hasCard, calls });
  try {
    const opened = card ? await open(card) : 'refused';
    // After a call without an answer the card may be there. The instance that answers finds out: it opens it again.
    if (opened === 'unanswered') return;
    if (card && opened === 'opened') {
      await write(card).catch(warn);
      await recordOpened();
      return;
    }
    if ((await record(false)) === 'dropped') {
      await ports.endDropped(false);
      return;
    }
    await sleep(clock, MESSAGE_AFTER_MS);
    if (await isWaiting()) await reply.send({ title: texts.messageTitle, text, mentionAsker: true });
  } catch (error) {
    warn(error);
  }

  async function open(sink: CardSink): Promise<'opened' | 'refused' | 'unanswered'> {
    try {
      await openWithRetry(sink, ports);
      return 'opened';
    } catch (error) {
      warn(error);
      return isUnanswered(error) ? 'unanswered' : 'refused';
    }
  }

  async function write(sink: CardSink): Promise<void> {
    const slot = (signal: AbortSignal) => ports.limiter.slot('stream', 'typing', signal);
    try {
      await withTimeout(clock, SLOT_PATIENCE_MS, slot);
    } catch {
      return;
    }
    // Its turn may have come while the notice waited for its slot.
    if (!(await isWaiting())) return;
    await sink.write({ text: quote === '' ? text : `${quote}\n\n${text}`, state: 'typing', id: ports.newId() });
  }

  /**
   * Comes after the text: the instance that answers waits for this record, so that two calls for one card do not
   * overlap. Without the record that instance opens the card again and finds it. But the card of a question that was
   * given up has no such instance, so it is ended here.
   */
  async function recordOpened(): Promise<void> {
    const state = await retry(() => record(true), { clock, pausesMs: RECORD_RETRY_MS }).catch(() => null);
    if (state === 'dropped') await ports.endDropped(true);
  }
}

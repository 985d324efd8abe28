import { crashText } from '../answer/ending.ts';
import type { FinalView } from '../answer/view.ts';
import { isPassing, isUnanswered, isUnsafe } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import { endCard } from './card.ts';
import type { MessageSink } from './sink.ts';
import type { Writer } from './writer.ts';

/** Pause between messages of one answer: webhooks of robots have been limited to 20 a minute. */
const MESSAGE_GAP_MS = 3_000;

const MESSAGE_RETRY_MS = 1_500;

/** A card that could not be ended is left in peace for so long. */
const LATE_MS = 10_000;

export interface DeliveryOptions {
  reply: MessageSink;
  clock: Clock;
  log: Log;
  texts: Texts;
  /** In log lines: the answer's reference. */
  reference: string;
  /** Whether somebody else may have ended the card before. */
  mayHaveEnded?: boolean;
  /** DingTalk's content check has refused the card: its answer is not sent by any other way. */
  cardWasUnsafe?: boolean;
  /** Asks whether this answer is still ours to show. Never rejects. */
  isHeld?: () => Promise<boolean>;
  /** Goes on after the delivery. The work never rejects. */
  endLater?: (work: Promise<void>) => void;
}

/** How an answer reached its reader. */
export type Shown = 'card' | 'message' | 'nothing';

/**
 * Shows a finished answer: on the card with the rest below it, or, when there is no card or it cannot be ended, as
 * messages. Never rejects.
 *
 * @param writer the card's writer, or null when the card did not open.
 * @param view renders the answer with or without a card.
 */
export async function deliver(
  writer: Writer | null,
  state: 'finished' | 'failed',
  view: (hasCard: boolean) => FinalView,
  options: DeliveryOptions,
): Promise<Shown> {
  const { log, reference, texts, mayHaveEnded = false } = options;
  /** What cannot be rendered would crash whoever tries next, too, and keep its conversation waiting. */
  const render = (onCard: boolean): FinalView => {
    try {
      return view(onCard);
    } catch (error) {
      log.error('turn_crashed', { turn: reference, ...errorFields(error) });
      const sorry = crashText(texts, reference);
      return onCard ? { card: sorry, messages: [] } : { card: null, messages: [sorry] };
    }
  };
  if (writer) {
    const { card, messages } = render(true);
    try {
      await writer.finish({ text: card ?? texts.emptyAnswer, state, mayHaveEnded });
      await sendAll(messages, false, options);
      return 'card';
    } catch (error) {
      log.error('card_not_ended', { turn: reference, ...errorFields(error) });
      if (isUnsafe(error)) return endNeutrally(writer, options);
      // It may be refused because whoever took the turn over has ended it.
      if ((await options.isHeld?.()) === false) return 'nothing';
      // A card that has worked will work again.
      if (writer.hasShown && isPassing(error)) options.endLater?.(endLate(writer, options));
    }
  }
  if (options.cardWasUnsafe) return (await sendAll([texts.unsafe], true, options)) ? 'message' : 'nothing';
  return (await sendAll(render(false).messages, true, options)) ? 'message' : 'nothing';
}

/** Ends a card that could not be ended in time: its answer stands below it. Never rejects. */
async function endLate(writer: Writer, options: DeliveryOptions): Promise<void> {
  await sleep(options.clock, LATE_MS);
  await endCard(writer, { text: options.texts.answeredBelow, state: 'finished' }, options);
}

/** DingTalk's content check refused the text: it is not sent again by any other way. */
async function endNeutrally(writer: Writer, options: DeliveryOptions): Promise<Shown> {
  return (await endCard(writer, { text: options.texts.unsafe, state: 'failed' }, options)) ? 'card' : 'nothing';
}

/** Sends messages one after another; false when the first did not get through. Never rejects. */
export async function sendAll(
  messages: readonly string[],
  mentionAsker: boolean,
  options: DeliveryOptions,
): Promise<boolean> {
  const { reply, clock, log, texts, reference } = options;
  for (const [index, text] of messages.entries()) {
    if (index > 0 || !mentionAsker) await sleep(clock, MESSAGE_GAP_MS);
    const message = { title: titleOf(text, texts), text, mentionAsker: mentionAsker && index === 0 };
    try {
      await reply.send(message).catch(async (error: unknown) => {
        // A refused message was not sent; one without an answer may have been, and has been repeated as far as that helps.
        if (!isPassing(error) || isUnanswered(error)) throw error;
        await sleep(clock, MESSAGE_RETRY_MS);
        await reply.send(message);
      });
    } catch (error) {
      log.error('message_not_sent', { turn: reference, part: index + 1, ...errorFields(error) });
      if (isUnsafe(error)) await reply.send({ ...message, text: texts.unsafe }).catch(() => undefined);
      return index > 0;
    }
  }
  return true;
}

/** What the chat list shows of a message: its beginning, without the markdown. */
function titleOf(text: string, texts: Texts): string {
  const line = text
    .replaceAll(/[#>*_`|[\]]|<[^>]*>|\(https?:[^)]*\)/g, '')
    .replace(/^[-\s]+/, '')
    .split('\n', 1)[0];
  return (
    Array.from(line ?? '')
      .slice(0, 30)
      .join('')
      .trim() || texts.messageTitle
  );
}

import { crashText } from '../answer/ending.ts';
import type { FinalView } from '../answer/view.ts';
import { beginningOf } from '../characters.ts';
import { isPassing, isRefusedForNow, isUnsafe } from '../errors.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { retry } from '../runtime/retry.ts';
import type { Texts } from '../texts/texts.ts';
import { closeCard, endCard } from './card-end.ts';
import type { MessageSink } from './sink.ts';
import type { LastFrame, Writer } from './writer.ts';

/** Pause between messages of one answer: webhooks of robots have been limited to 20 messages a minute. */
const MESSAGE_GAP_MS = 3_000;

/** Pause before the one repeat of a refused message. */
const MESSAGE_RETRY_MS = [1_500] as const;

/** Pause before the last try to end a card that could not be ended. */
const LATE_MS = 10_000;

export interface DeliveryOptions {
  reply: MessageSink;
  clock: Clock;
  log: Log;
  texts: Texts;
  /** In log lines: the answer's reference. */
  reference: string;
  /** Whether another instance may have ended the card before. */
  mayHaveEnded?: boolean;
  /** DingTalk's content check has refused the card, so the answer is not sent by any other way. */
  cardWasUnsafe?: boolean;
  /** Asks whether this instance still holds the answer. Never rejects. */
  isHeld?: () => Promise<boolean>;
  /** Takes work that goes on after the delivery. The work never rejects. */
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
  const { texts, mayHaveEnded = false } = options;
  const asMessages = (): readonly string[] => render(view, false, options).messages;
  if (!writer) return sendAnswer(options.cardWasUnsafe ? [texts.unsafe] : asMessages(), options);
  const { card, messages } = render(view, true, options);
  const ending = await endCard(writer, { text: card ?? texts.emptyAnswer, state, mayHaveEnded }, options);
  if (ending === null) {
    await sendAll(messages, false, options);
    return 'card';
  }
  // DingTalk may have refused the frame because the instance that took the turn over has ended the card.
  if ((await options.isHeld?.()) === false) return 'nothing';
  if (isUnsafe(ending.failure)) return endUnsafe(writer, options);
  // The messages come first: an instance that takes the turn over in between takes an ended card for an answer.
  const shown = await sendAnswer(asMessages(), options);
  await pointBelow(writer, ending.failure, shown, options);
  return shown;
}

async function sendAnswer(messages: readonly string[], options: DeliveryOptions): Promise<Shown> {
  return (await sendAll(messages, true, options)) ? 'message' : 'nothing';
}

/**
 * The answer as it is shown. An answer that cannot be rendered ends with a sentence: a crash would repeat at each
 * instance that takes the turn over, and its conversation would wait all that time.
 */
function render(
  view: (hasCard: boolean) => FinalView,
  onCard: boolean,
  { log, reference, texts }: DeliveryOptions,
): FinalView {
  try {
    return view(onCard);
  } catch (error) {
    log.error('turn_crashed', { turn: reference, ...errorFields(error) });
    const sorry = crashText(texts, reference);
    return onCard ? { card: sorry, messages: [] } : { card: null, messages: [sorry] };
  }
}

/** Ends a card that could not be ended with its answer. Never rejects. */
async function pointBelow(writer: Writer, failure: unknown, shown: Shown, options: DeliveryOptions): Promise<void> {
  const { clock, texts, reference } = options;
  if (writer.saysMissing(failure)) return;
  const last: LastFrame =
    shown === 'message'
      ? { text: texts.answeredBelow, state: 'finished' }
      : { text: crashText(texts, reference), state: 'failed' };
  async function endLate(): Promise<void> {
    await sleep(clock, LATE_MS);
    await closeCard(writer, last, options);
  }
  // DingTalk took no frame for as long as the tries went on, so it is left alone for a while.
  const left = isPassing(failure) ? { failure } : await closeCard(writer, last, options);
  if (left && isPassing(left.failure)) options.endLater?.(endLate());
}

/** DingTalk's content check refused the text: a sentence takes its place, on the card or else below it. Never rejects. */
async function endUnsafe(writer: Writer, options: DeliveryOptions): Promise<Shown> {
  const ending = await closeCard(writer, { text: options.texts.unsafe, state: 'failed' }, options);
  return ending === null ? 'card' : sendAnswer([options.texts.unsafe], options);
}

/**
 * Sends messages one after another. A sentence takes the place of one that the content check refuses, and is the last.
 * Never rejects.
 *
 * @returns false when none was sent.
 */
export async function sendAll(
  messages: readonly string[],
  mentionAsker: boolean,
  options: DeliveryOptions,
): Promise<boolean> {
  const { clock, log, texts, reference } = options;
  for (const [index, text] of messages.entries()) {
    if (index > 0 || !mentionAsker) await sleep(clock, MESSAGE_GAP_MS);
    const mention = mentionAsker && index === 0;
    try {
      await sendWithRetry(text, mention, options);
    } catch (error) {
      log.error('message_not_sent', { turn: reference, part: index + 1, ...errorFields(error) });
      return (isUnsafe(error) && (await isFine(sendOnce(texts.unsafe, mention, options)))) || index > 0;
    }
  }
  return true;
}

/**
 * Sends a message about an answer. Where that fails only the log says so: the answer comes without it. Never rejects.
 *
 * @returns false when it was not sent.
 */
export async function sendBeside(text: string, mentionAsker: boolean, options: DeliveryOptions): Promise<boolean> {
  try {
    await sendWithRetry(text, mentionAsker, options);
    return true;
  } catch (error) {
    options.log.warn('extras_failed', { turn: options.reference, ...errorFields(error) });
    return false;
  }
}

function sendWithRetry(text: string, mentionAsker: boolean, options: DeliveryOptions): Promise<void> {
  // A message without an answer may have been sent. The sink itself repeats it where DingTalk shows it only once.
  return retry(() => sendOnce(text, mentionAsker, options), {
    clock: options.clock,
    pausesMs: MESSAGE_RETRY_MS,
    mayRetry: isRefusedForNow,
  });
}

const sendOnce = (text: string, mentionAsker: boolean, { reply, texts }: DeliveryOptions): Promise<void> =>
  reply.send({ title: titleOf(text, texts), text, mentionAsker });

const isFine = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** What the chat list shows of a message: its beginning, without the markdown. */
function titleOf(text: string, texts: Texts): string {
  const line = text
    .replaceAll(/[#>*_`|[\]]|<[^>]*>|\((?:https?|dtmd):[^)]*\)/g, '')
    .replace(/^[-\s]+/, '')
    .split('\n', 1)[0];
  return beginningOf(line ?? '', 30).trim() || texts.messageTitle;
}

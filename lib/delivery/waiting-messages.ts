import { answerText, emptyAnswer, type Answer } from '../answer/answer.ts';
import type { Activity } from '../answer/event.ts';
import { progressLine } from '../answer/view.ts';
import { within } from '../runtime/clock.ts';
import { sendBeside, type DeliveryOptions } from './deliver.ts';

/** Says in messages that a question is being worked on, where no card says so. */
export interface WaitingMessages {
  /** The answer so far. */
  see(answer: Answer): void;
  /** The answer has not begun: what the app does meanwhile. */
  wait(activity: Activity): void;
  /** No more messages. Resolves when none is under way, or after a while. Never rejects. */
  end(): Promise<void>;
}

export interface WaitingMessagesOptions extends DeliveryOptions {
  /** The question in one line. */
  question: string;
  /** How to stop the answer. */
  stopHint: string;
  /** Resolves with whether there is a card. Never rejects. */
  hasCard: Promise<boolean>;
  /** How many have had their time before, in an earlier instance. */
  told: number;
  onTold: (told: number) => void;
  /** The answer is shown by another instance, or was stopped. */
  isOff: () => boolean;
}

/** Pauses before each message. A quick answer needs none, and more than these would flood a chat. */
const PAUSES_MS = [8_000, 60_000, 60_000] as const;

/** How long an answer waits for a message under way, so that it does not come before it. */
const PATIENCE_MS = 3_000;

export function createWaitingMessages(options: WaitingMessagesOptions): WaitingMessages {
  const { clock, texts, question, stopHint, isOff, onTold } = options;
  let answer: Answer = emptyAnswer;
  let { told } = options;
  let isOver = false;
  let cancelTimer = () => {};
  let sending: Promise<void> = Promise.resolve();

  function end(): void {
    isOver = true;
    cancelTimer();
  }

  function schedule(): void {
    // One that begins elsewhere follows those of the instance before it.
    const pauseMs = PAUSES_MS[told];
    if (pauseMs !== undefined && !isOver) cancelTimer = clock.schedule(pauseMs, () => void (sending = tell()));
  }

  async function tell(): Promise<void> {
    if (isOver || isOff()) return;
    const isFirst = told === 0;
    told += 1;
    onTold(told);
    // Words are coming, so the answer is near: the first message would only announce it.
    const isDone = (isFirst && isWriting()) || (await sendBeside(textOf(isFirst), false, options));
    if (!isDone) end();
    schedule();
  }

  const isWriting = () => answerText(answer).text.trim() !== '';

  function textOf(isFirst: boolean): string {
    const doing = isWriting() ? texts.progress.writing : progressLine(answer, texts);
    const lines = isFirst ? [texts.working(question)] : [texts.stillWorking(question), doing];
    return [...lines, stopHint].filter((line) => line !== '').join('\n\n');
  }

  void options.hasCard.then((hasCard) => (hasCard ? end() : schedule()));
  return {
    see: (soFar) => (answer = soFar),
    wait: (activity) => (answer = { ...emptyAnswer, activity }),
    async end() {
      end();
      await within(clock, PATIENCE_MS, sending).catch(() => undefined);
    },
  };
}

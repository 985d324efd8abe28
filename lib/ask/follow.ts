import { emptyAnswer, endAnswer, expectsMore, foldEvent, type Answer } from '../answer/answer.ts';
import type { AnswerEvent } from '../answer/event.ts';
import type { Clock } from '../runtime/clock.ts';

export interface FollowOptions {
  clock: Clock;
  /** Ends the following early; its reason is the failure. */
  signal: AbortSignal;
  /** Called after each event with the answer so far. */
  onProgress: (answer: Answer) => void;
}

/** How long the second end event of a chatflow is waited for. Versions that send both send them together. */
const SECOND_END_MS = 500;

/**
 * Folds the events until the answer has ended. Leaving them closes their connection; `controller` closes it where the
 * second end does not come.
 *
 * @throws what broke the stream before the answer ended, or the reason of `signal`.
 */
export async function follow(
  events: AsyncIterable<AnswerEvent>,
  controller: AbortController,
  { clock, signal, onProgress }: FollowOptions,
  before: Answer = emptyAnswer,
): Promise<Answer> {
  let answer = before;
  let cancelGrace: (() => void) | undefined;
  try {
    for await (const event of events) {
      answer = foldEvent(answer, event);
      onProgress(answer);
      if (!expectsMore(answer)) break;
      if (answer.ending) cancelGrace ??= clock.schedule(SECOND_END_MS, () => controller.abort());
    }
  } catch (error) {
    // After its end the answer is whole, so a connection that breaks then is no failure.
    if (!answer.ending) throw signal.aborted ? (signal.reason as Error) : error;
  } finally {
    cancelGrace?.();
  }
  return endAnswer(answer);
}

import { emptyAnswer, type Answer } from '../answer/answer.ts';
import type { AnswerEvent } from '../answer/event.ts';
import { BridgeError, isUnanswered } from '../errors.ts';
import { follow, type FollowOptions } from './follow.ts';

export interface ResumeOptions extends FollowOptions {
  /** The run that waits for its form. */
  runId: string;
  /** Opens the events of the run, without a snapshot; null where Dify has none (`Dify.followRun`). */
  openEvents: (signal: AbortSignal) => Promise<AsyncIterable<AnswerEvent> | null>;
  /** Answers the form. Called once, after the events are open: Dify does not repeat an event (`docs/wire-dify.md`). */
  submit: () => Promise<void>;
}

/**
 * Answers a form and follows its run to its end or its next form. The answer holds only what came after the form.
 *
 * @throws BridgeError what `submit` throws; `dify_cut` when the form was answered but the run could not be followed to an
 * end, so that its answer has to be looked for.
 */
export async function resume(options: ResumeOptions): Promise<Answer> {
  const { runId, submit, signal } = options;
  const controller = new AbortController();
  try {
    const events = await openEvents(options, AbortSignal.any([signal, controller.signal]));
    await submit().catch((error: unknown) => {
      // Without a response the form may have been answered all the same. Then the run goes on, and its events show it.
      if (!events || !isUnanswered(error)) throw error;
    });
    if (!events) throw new BridgeError('dify_cut', 'the run cannot be followed');
    const answer = await follow(events, controller, options, begunBefore(runId)).catch((error: unknown) => {
      throw signal.aborted || !(error instanceof BridgeError) || error.code === 'dify_cut'
        ? error
        : new BridgeError('dify_cut', 'the events of the run broke off', {}, error);
    });
    if (answer.ending?.kind === 'cut') throw new BridgeError('dify_cut', 'the events of the run ended without an end');
    return withoutRepetition(answer);
  } finally {
    controller.abort();
  }
}

/** The run was announced in an earlier stream. So the end of its message is not yet its end. */
const begunBefore = (runId: string): Answer => ({
  ...emptyAnswer,
  ids: { runId },
  progress: { ...emptyAnswer.progress, runStarted: true },
});

/** Null where the events cannot be opened: the form is answered nevertheless. @throws the reason of an aborted signal. */
async function openEvents({ openEvents: open, signal }: ResumeOptions, both: AbortSignal) {
  try {
    return await open(both);
  } catch (error) {
    if (signal.aborted) throw signal.reason as Error;
    if (error instanceof BridgeError) return null;
    throw error;
  }
}

/** The outputs of a chatflow repeat the whole text, with the text from before the form. */
function withoutRepetition(answer: Answer): Answer {
  if (answer.ids.messageId === undefined || answer.outputs === null) return answer;
  const { answer: _whole, files: _files, ...outputs } = answer.outputs;
  return { ...answer, outputs };
}

import { emptyAnswer, type Answer } from '../answer/answer.ts';
import type { DifyEvent } from '../answer/event.ts';
import { BridgeError, isUnanswered } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { follow } from './ask.ts';

export interface ResumeOptions {
  /** The run that waits for its form. */
  runId: string;
  /** Opens the events of the run, without a snapshot; null where Dify has none (`followRun`). */
  openEvents: (signal: AbortSignal) => Promise<AsyncIterable<DifyEvent> | null>;
  /** Answers the form. Called once, after the events are open: what nobody listens to is gone (`docs/wire-dify.md`). */
  submit: () => Promise<void>;
  clock: Clock;
  /** Ends it early; its reason is the failure. */
  signal: AbortSignal;
  /** Called after each event with what has come since the form. */
  onProgress: (answer: Answer) => void;
}

/**
 * Answers a form and follows its run to its end or its next form. The answer holds only what came after the form.
 *
 * @throws BridgeError what `submit` throws; `dify_cut` when the form was answered but the run could not be followed to an
 * end, so that its answer is to be looked for.
 */
export async function resumeRun(options: ResumeOptions): Promise<Answer> {
  const { runId, submit, signal } = options;
  const controller = new AbortController();
  try {
    const events = await openEvents(options, AbortSignal.any([signal, controller.signal]));
    await submit().catch((error: unknown) => {
      // It may have arrived all the same, and then the run goes on: its events tell.
      if (!events || !isUnanswered(error)) throw error;
    });
    if (!events) throw new BridgeError('dify_cut', 'the run cannot be followed');
    // A run was announced, if not to us, so the end of its message is not yet the end.
    const before: Answer = { ...emptyAnswer, ids: { runId }, progress: { ...emptyAnswer.progress, runStarted: true } };
    const answer = await follow(events, controller, options, before).catch((error: unknown) => {
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

/** An answer to a form must not depend on whether it can be watched. */
async function openEvents({ openEvents: open, signal }: ResumeOptions, both: AbortSignal) {
  try {
    return await open(both);
  } catch (error) {
    if (signal.aborted) throw signal.reason as Error;
    if (error instanceof BridgeError) return null;
    throw error;
  }
}

/** The outputs of a chatflow repeat the whole text, with what was shown before the form. */
function withoutRepetition(answer: Answer): Answer {
  if (answer.ids.messageId === undefined || answer.outputs === null) return answer;
  const { answer: _whole, files: _files, ...outputs } = answer.outputs;
  return { ...answer, outputs };
}

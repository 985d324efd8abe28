import { answerText, emptyAnswer, endAnswer, type Answer } from '../answer/answer.ts';
import { endingFailure } from '../ask/ending-failure.ts';
import { isFormOver } from '../ask/form.ts';
import { BridgeError } from '../errors.ts';
import type { Recovered } from '../recovery/recover.ts';

/** What became of asking (or looking for) an answer. */
export type Obtained =
  | {
      kind: 'answer';
      answer: Answer;
      failure: BridgeError | null;
      /** The form that the conversation waited for is answered, or cannot be answered any more. */
      formIsOver: boolean;
      /** Why a part of the question was left out. */
      refused: BridgeError | null;
    }
  /** It goes on at Dify, but not here: time is up. */
  | { kind: 'unfinished' }
  /** Another instance has taken the turn over. */
  | { kind: 'lost' };

/** How following an answer ended. */
export interface Followed {
  /** The answer as far as it came. */
  answer: Answer;
  /** What broke it off; null when its stream came to an end. */
  error: unknown;
  formIsOver: boolean;
  refused: BridgeError | null;
}

/** How the turn stood when following (or looking) ended. */
export interface Circumstances {
  /** Another instance has taken the turn over. */
  isLost: boolean;
  /** The answer was stopped. */
  isStopped: boolean;
  isTimeUp: boolean;
  /** The process is asked to end. */
  isEnding: boolean;
  /** Another instance can find the turn on record. */
  mayBeLeft: boolean;
  /** The run goes on at Dify without its connection. */
  goesOn: boolean;
}

/** Beside the outcomes: the connection broke, and the run is looked for. `broken` is in the log in either case. */
export type Verdict = { obtained: Obtained | 'look-for'; broken: unknown };

/** What follows from the way in which following an answer ended. Pure: one row of the table in its test for each exit. */
export function judgeFollowed({ answer, error, formIsOver, refused }: Followed, now: Circumstances): Verdict {
  const whole = { kind: 'answer', formIsOver, refused } as const;
  const isCut = answer.ending?.kind === 'cut';
  if (error === null && !isCut) return { obtained: { ...whole, answer, failure: endingFailure(answer) }, broken: null };
  const cause = error ?? new BridgeError('dify_cut', 'the stream ended without an end');
  if (now.isLost) return { obtained: { kind: 'lost' }, broken: null };
  if (now.isStopped) {
    return { obtained: { ...whole, answer: { ...answer, ending: { kind: 'stopped' } }, failure: null }, broken: null };
  }
  // A process that is asked to end leaves every answer to the next one, which has the time to look for it.
  const isLeft = now.isTimeUp && (now.goesOn || now.isEnding) && now.mayBeLeft;
  if (isLeft) return { obtained: { kind: 'unfinished' }, broken: null };
  const ended = endAnswer(answer);
  const failure = asBridgeError(cause);
  if (!isBroken(cause)) {
    // A form that Dify did not take can still be answered.
    return {
      obtained: { ...whole, answer: ended, failure, formIsOver: formIsOver || isFormOver(failure) },
      broken: null,
    };
  }
  // The connection broke. A run that goes on without it is looked for; else the text so far is the answer.
  if (now.goesOn) return { obtained: 'look-for', broken: cause };
  return { obtained: { ...whole, answer: ended, failure: endingFailure(ended) && failure }, broken: cause };
}

/** What is known of a turn whose answer was looked for. */
export interface LookedFor {
  /** `failed`: something unexpected ended the search. */
  recovered: Recovered | { kind: 'failed'; error: unknown };
  /** What was on record of the answer. */
  before: Pick<Answer, 'ids'> & { text: string };
  /** Why looking for it ended. */
  reason: unknown;
}

/** What follows from the way in which looking for an answer ended. Pure, as `judgeFollowed`. */
export function judgeRecovered({ recovered, before, reason }: LookedFor, now: Omit<Circumstances, 'goesOn'>): Obtained {
  if (now.isLost) return { kind: 'lost' };
  const partial = endAnswer({
    ...emptyAnswer,
    ids: before.ids,
    texts: { ...emptyAnswer.texts, message: before.text },
  });
  const whole = (answer: Answer, failure: BridgeError | null): Obtained => ({
    kind: 'answer',
    answer,
    failure,
    formIsOver: false,
    refused: null,
  });
  switch (recovered.kind) {
    case 'answer': {
      const found = recovered.answer;
      // Of a run that did not come to its end Dify may have no text: the text that was shown stays.
      const isShort = found.ending?.kind !== 'complete' && answerText(found).text === '';
      const answer = isShort ? { ...found, texts: partial.texts } : found;
      return whole(answer, endingFailure(answer));
    }
    case 'still-running':
      if (now.isStopped) return whole({ ...partial, ending: { kind: 'stopped' } }, null);
      return now.mayBeLeft ? { kind: 'unfinished' } : whole(partial, asBridgeError(reason));
    case 'failed':
      return whole(partial, asBridgeError(recovered.error));
    case 'lost': {
      const isEmpty = before.text === '';
      return whole(
        partial,
        isEmpty ? new BridgeError('answer_lost', 'the function ended and Dify has no answer') : null,
      );
    }
  }
}

const isBroken = (error: unknown) =>
  error instanceof BridgeError && (error.code === 'dify_cut' || error.code === 'dify_stalled');

const asBridgeError = (error: unknown) =>
  error instanceof BridgeError ? error : new BridgeError('internal', 'unexpected', {}, error);

import { answerText, emptyAnswer, endAnswer, type Answer } from '../answer/answer.ts';
import { endingFailure } from '../ask/ending-failure.ts';
import { BridgeError } from '../errors.ts';
import type { Recovered } from '../recovery/recover.ts';

/** What became of asking (or looking for) an answer. */
export type Obtained =
  | {
      kind: 'answer';
      answer: Answer;
      failure: BridgeError | null;
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
  refused: BridgeError | null;
}

/** How the turn stood when following (or looking) ended. */
export interface Circumstances {
  /** Another instance has taken the turn over. */
  isLost: boolean;
  /** A stop was asked for. */
  isStopped: boolean;
  /** The run was silent for long, and a question waits behind it. */
  isSilent: boolean;
  isTimeUp: boolean;
  /** The process is asked to end. */
  isEnding: boolean;
  /** Another instance can find the turn on record. */
  mayBeLeft: boolean;
  /** The run goes on at Dify without its connection. */
  goesOn: boolean;
  /** An answer whose connection broke is looked for. */
  isSought: boolean;
}

/** What counts once an answer is looked for. */
export type Stand = Omit<Circumstances, 'goesOn' | 'isSought'>;

/** Beside the outcomes: the connection broke, and the run is looked for. `broken` is in the log in either case. */
export type Verdict = { obtained: Obtained | 'look-for'; broken: unknown };

/** What follows from the way in which following an answer ended. Pure: one row of the table in its test for each exit. */
export function judgeFollowed({ answer, error, refused }: Followed, now: Circumstances): Verdict {
  const whole = { kind: 'answer', refused } as const;
  const isCut = answer.ending?.kind === 'cut';
  if (error === null && !isCut) return { obtained: { ...whole, answer, failure: endingFailure(answer) }, broken: null };
  const cause = error ?? new BridgeError('dify_cut', 'the stream ended without an end');
  if (now.isLost) return { obtained: { kind: 'lost' }, broken: null };
  if (now.isStopped) {
    return { obtained: { ...whole, answer: { ...answer, ending: { kind: 'stopped' } }, failure: null }, broken: null };
  }
  const ended = endAnswer(answer);
  const failure = asBridgeError(cause);
  const partial = { ...whole, answer: ended, failure: endingFailure(ended) && failure };
  if (now.isSilent) return { obtained: partial, broken: cause };
  // A process that is asked to end leaves every answer to the next one, which has the time to look for it.
  const isLeft = now.isTimeUp && (now.goesOn || now.isEnding) && now.mayBeLeft;
  if (isLeft) return { obtained: { kind: 'unfinished' }, broken: null };
  if (!isBroken(cause)) {
    return { obtained: { ...whole, answer: ended, failure }, broken: null };
  }
  // The connection broke. Where nothing can be found, the text so far is the answer.
  return { obtained: now.isSought ? 'look-for' : partial, broken: cause };
}

/** What is known of a turn whose answer was looked for. */
export interface LookedFor {
  /** `failed`: something unexpected ended the search. */
  recovered: Recovered | { kind: 'failed'; error: unknown };
  /** What was on record of the answer. */
  before: Pick<Answer, 'ids'> & { text: string };
  /** Why looking for it ended. */
  reason: unknown;
  /** What broke the connection, where it broke here. */
  broken: unknown;
}

/** What follows from the way in which looking for an answer ended. Pure, as `judgeFollowed`. */
export function judgeRecovered({ recovered, before, reason, broken }: LookedFor, now: Stand): Obtained {
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
    refused: null,
  });
  if (recovered.kind === 'answer') {
    const found = recovered.answer;
    // Of a run that did not come to its end Dify may have no text: the text that was shown stays.
    const isShort = found.ending?.kind !== 'complete' && answerText(found).text === '';
    const answer = isShort ? { ...found, texts: partial.texts } : found;
    const isStopped = now.isStopped && answer.ending?.kind === 'failed';
    // A stop can make a run fail.
    return isStopped ? whole({ ...answer, ending: { kind: 'stopped' } }, null) : whole(answer, endingFailure(answer));
  }
  if (now.isStopped) return whole({ ...partial, ending: { kind: 'stopped' } }, null);
  if (recovered.kind === 'failed') return whole(partial, asBridgeError(recovered.error));
  const failure = (error: unknown) => (before.text === '' ? asBridgeError(error) : null);
  if (now.isSilent) return whole(partial, failure(reason));
  if (recovered.kind === 'lost') {
    return whole(
      partial,
      failure(broken ?? new BridgeError('answer_lost', 'the function ended and Dify has no answer')),
    );
  }
  return now.mayBeLeft ? { kind: 'unfinished' } : whole(partial, asBridgeError(reason));
}

const isBroken = (error: unknown) =>
  error instanceof BridgeError && (error.code === 'dify_cut' || error.code === 'dify_stalled');

const asBridgeError = (error: unknown) =>
  error instanceof BridgeError ? error : new BridgeError('internal', 'unexpected', {}, error);

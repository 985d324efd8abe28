import { describe, expect, test } from 'vitest';
import { answerText, emptyAnswer, type Answer, type Ending } from '../../lib/answer/answer.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import {
  judgeFollowed,
  judgeRecovered,
  type Circumstances,
  type LookedFor,
  type Obtained,
} from '../../lib/turn/judge.ts';

const answerOf = (text: string, ending: Ending | null = null): Answer => ({
  ...emptyAnswer,
  texts: { ...emptyAnswer.texts, message: text },
  ending,
});
const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');
const complete = { kind: 'complete' } as const;
const cut = { kind: 'cut' } as const;
const failed = { kind: 'failed', cause: 'run', upstreamCode: null, status: null } as const;

/** A turn that this instance holds, with time, and whose run would end with its connection. */
const usual: Circumstances = {
  isLost: false,
  isStopped: false,
  isTimeUp: false,
  isEnding: false,
  mayBeLeft: true,
  goesOn: false,
  isSilent: false,
  isSought: false,
};

/** An outcome in one line: what is shown, how it ended, why it failed. */
function summary(obtained: Obtained | 'look-for'): string {
  if (obtained === 'look-for' || obtained.kind !== 'answer') return obtained === 'look-for' ? obtained : obtained.kind;
  const { answer, failure } = obtained;
  return [answerText(answer).text || '(nothing)', answer.ending?.kind ?? 'no end', failure?.code ?? 'no failure'].join(
    ', ',
  );
}

describe('following an answer ends', () => {
  test.each<[string, { answer: Answer; error?: unknown } & Partial<Circumstances>, string, ErrorCode | null]>([
    ['as Dify ended it', { answer: answerOf('all', complete) }, 'all, complete, no failure', null],
    ['as a failure of the app', { answer: answerOf('some', failed) }, 'some, failed, dify_run_failed', null],
    [
      'whole although another instance has taken the turn over: that is asked for later',
      { answer: answerOf('all', complete), isLost: true },
      'all, complete, no failure',
      null,
    ],
    [
      'as lost, whatever broke it, when another instance has taken the turn over',
      { answer: answerOf('some'), error: error('dify_cut'), isLost: true, isStopped: true, goesOn: true },
      'lost',
      null,
    ],
    [
      'with the text so far when it was stopped, also when the time is up',
      { answer: answerOf('some'), error: new Error('stopped'), isStopped: true, isTimeUp: true, goesOn: true },
      'some, stopped, no failure',
      null,
    ],
    [
      'unfinished when the time is up and the run goes on',
      { answer: answerOf('some'), error: error('out_of_time'), isTimeUp: true, goesOn: true },
      'unfinished',
      null,
    ],
    [
      'unfinished when the process ends, even if the run ends with it: the next instance looks for it',
      { answer: answerOf('some'), error: error('interrupted'), isTimeUp: true, isEnding: true },
      'unfinished',
      null,
    ],
    [
      'with a failure when the time is up and nothing goes on',
      { answer: answerOf('some'), error: error('out_of_time'), isTimeUp: true },
      'some, cut, out_of_time',
      null,
    ],
    [
      'with a failure when the time is up and no other instance can find the turn',
      { answer: answerOf('some'), error: error('interrupted'), isTimeUp: true, goesOn: true, mayBeLeft: false },
      'some, cut, interrupted',
      null,
    ],
    [
      'with the failure that Dify refused it with',
      { answer: answerOf(''), error: error('dify_busy'), goesOn: true },
      '(nothing), cut, dify_busy',
      null,
    ],
    [
      'as an internal failure when something unexpected is thrown',
      { answer: answerOf(''), error: new TypeError('oops') },
      '(nothing), cut, internal',
      null,
    ],
    [
      'in a search when the connection broke and the run goes on',
      { answer: answerOf('some'), error: error('dify_stalled'), isSought: true },
      'look-for',
      'dify_stalled',
    ],
    [
      'in a search when the stream ended without an end and the run goes on',
      { answer: answerOf('some', cut), isSought: true },
      'look-for',
      'dify_cut',
    ],
    [
      'with the text so far when it went silent and a question waits behind it, whatever goes on',
      { answer: answerOf('some'), error: error('dify_stalled'), isSilent: true, goesOn: true, isSought: true },
      'some, cut, no failure',
      'dify_stalled',
    ],
    [
      'with the text so far when the connection broke and nothing goes on',
      { answer: answerOf('some'), error: error('dify_cut') },
      'some, cut, no failure',
      'dify_cut',
    ],
    [
      'with a failure when the connection broke before any text and nothing goes on',
      { answer: answerOf(''), error: error('dify_stalled') },
      '(nothing), cut, dify_stalled',
      'dify_stalled',
    ],
    [
      'with a failure when the stream ended before any text and nothing goes on',
      { answer: answerOf('', cut) },
      '(nothing), cut, dify_cut',
      'dify_cut',
    ],
  ])('%s', (_, { answer, error: thrown = null, ...now }, expected, broken) => {
    const verdict = judgeFollowed({ answer, error: thrown, refused: null }, { ...usual, ...now });
    expect(summary(verdict.obtained)).toBe(expected);
    // What broke is for the log.
    expect((verdict.broken as BridgeError | null)?.code ?? null).toBe(broken);
  });

  test('with what was left out of the question', () => {
    const refused = error('file_not_accepted');
    const { obtained } = judgeFollowed({ answer: answerOf('all', complete), error: null, refused }, usual);
    expect(obtained).toMatchObject({ refused });
  });
});

describe('looking for an answer ends', () => {
  const found = (text: string, ending: Ending): Recovered => ({ kind: 'answer', answer: answerOf(text, ending) });
  const reason = error('out_of_time');

  test.each<
    [string, { recovered: LookedFor['recovered']; shown?: string; broken?: unknown } & Partial<Circumstances>, string]
  >([
    ['with what Dify has', { recovered: found('all', complete), shown: 'some' }, 'all, complete, no failure'],
    [
      'as lost when another instance has taken the turn over',
      { recovered: found('all', complete), isLost: true },
      'lost',
    ],
    [
      'with the text that was shown when the run failed and Dify has no text of it',
      { recovered: found('', failed), shown: 'some' },
      'some, failed, dify_run_failed',
    ],
    [
      'with the text that Dify has of a run that failed',
      { recovered: found('more', failed), shown: 'some' },
      'more, failed, dify_run_failed',
    ],
    [
      'with nothing when a run that came to its end has no text',
      { recovered: found('', complete), shown: 'some' },
      '(nothing), complete, no failure',
    ],
    [
      'with the text so far when it was stopped',
      { recovered: { kind: 'still-running' }, shown: 'some', isStopped: true },
      'some, stopped, no failure',
    ],
    [
      'with the text so far when it was stopped and Dify has nothing',
      { recovered: { kind: 'lost' }, isStopped: true },
      '(nothing), stopped, no failure',
    ],
    [
      'as stopped when the stop made the run fail',
      { recovered: found('some', failed), isStopped: true },
      'some, stopped, no failure',
    ],
    [
      'with the text so far when the run is silent and a question waits behind it',
      { recovered: { kind: 'still-running' }, shown: 'some', isSilent: true },
      'some, cut, no failure',
    ],
    [
      'with a failure when nothing was shown of a run that is silent',
      { recovered: { kind: 'still-running' }, isSilent: true },
      '(nothing), cut, out_of_time',
    ],
    [
      'with what broke the connection when Dify has nothing and nothing was shown',
      { recovered: { kind: 'lost' }, broken: error('dify_cut') },
      '(nothing), cut, dify_cut',
    ],
    [
      'unfinished while the run goes on and the turn can be found',
      { recovered: { kind: 'still-running' }, shown: 'some' },
      'unfinished',
    ],
    [
      'with why it ended when the turn cannot be found any more',
      { recovered: { kind: 'still-running' }, shown: 'some', mayBeLeft: false },
      'some, cut, out_of_time',
    ],
    [
      'with the text that was shown when Dify has none',
      { recovered: { kind: 'lost' }, shown: 'some' },
      'some, cut, no failure',
    ],
    [
      'with a failure when Dify has none and none was shown',
      { recovered: { kind: 'lost' } },
      '(nothing), cut, answer_lost',
    ],
    [
      'with a failure below the text that was shown when something unexpected ended the search',
      { recovered: { kind: 'failed', error: new TypeError('oops') }, shown: 'some' },
      'some, cut, internal',
    ],
  ])('%s', (_, { recovered, shown = '', broken = null, ...now }, expected) => {
    const before = { ids: { runId: 'run-1' }, text: shown };
    expect(summary(judgeRecovered({ recovered, before, reason, broken }, { ...usual, ...now }))).toBe(expected);
  });

  test('keeps the ids that were on record, so that its buttons work', () => {
    const before = { ids: { runId: 'run-1' }, text: 'some' };
    expect(judgeRecovered({ recovered: { kind: 'lost' }, before, reason, broken: null }, usual)).toMatchObject({
      answer: { ids: { runId: 'run-1' } },
    });
  });
});

import { describe, expect, test } from 'vitest';
import {
  answerText,
  emptyAnswer,
  endAnswer,
  expectsMore,
  foldEvent,
  withoutBeginning,
  type Answer,
} from '../../lib/answer/answer.ts';
import type { AnswerEvent, PendingForm, RunIds } from '../../lib/answer/event.ts';
import { renderOutputs } from '../../lib/answer/outputs.ts';

const MEGABYTE = 1024 * 1024;

type Told = AnswerEvent extends infer E ? (E extends AnswerEvent ? Omit<E, 'ids'> & { ids?: RunIds } : never) : never;

/** The answer after these events. */
const fold = (...events: readonly Told[]): Answer =>
  events.reduce<Answer>((answer, event) => foldEvent(answer, { ids: {}, ...event }), emptyAnswer);

const text = (source: 'message' | 'agent' | 'chunk', part: string): Told => ({ kind: 'text', source, text: part });
const step = (stepId: string): Told => ({ kind: 'step', stepId, activity: null });
const finished = (outputs: Record<string, unknown> = {}, status: 'succeeded' | 'failed' | 'stopped' = 'succeeded') =>
  ({ kind: 'run-finished', status, outputs, files: [] }) as const;
const messageEnded: Told = { kind: 'message-ended', citations: [], files: [], totalTokens: 7, price: null };
const failed: Told = { kind: 'failed', upstreamCode: 'invalid_param', status: 400 };

/** An app that never ends. */
function repeat(event: AnswerEvent, times: number): Answer {
  let answer = emptyAnswer;
  for (let index = 0; index < times; index += 1) answer = foldEvent(answer, event);
  return answer;
}

describe('an answer without an end is kept within bounds', () => {
  const part = 'x'.repeat(MEGABYTE / 4);

  test.each(['message', 'agent', 'chunk'] as const)('as text of %s', (source) => {
    const answer = repeat({ ids: {}, kind: 'text', source, text: part }, 40);
    expect(answerText(answer).text).toHaveLength(MEGABYTE);
  });

  test('as reasoning, as a replacement, as files', () => {
    expect(repeat({ ids: {}, kind: 'reasoning', text: part }, 40).reasoning).toHaveLength(MEGABYTE);
    const replaced = repeat({ ids: {}, kind: 'replace', source: 'current', text: part.repeat(40) }, 1);
    expect(answerText(replaced).text).toHaveLength(MEGABYTE);
    const file = {
      id: null,
      name: '',
      kind: 'image',
      url: '/files/a',
      extension: null,
      mimeType: null,
      sizeBytes: null,
    };
    expect(repeat({ ids: {}, kind: 'file', file }, 1_000).files).toHaveLength(200);
  });
});

test('a workflow that was stopped keeps the text so far, whatever its outputs are', () => {
  const seen = foldEvent(emptyAnswer, { ids: {}, kind: 'text', source: 'chunk', text: 'as far as this' });
  const outputs = { text: 'as' };
  expect(
    answerText(foldEvent(seen, { ids: {}, kind: 'run-finished', status: 'stopped', outputs, files: [] })).text,
  ).toBe('as far as this');
  expect(
    answerText(foldEvent(seen, { ids: {}, kind: 'run-finished', status: 'succeeded', outputs, files: [] })).text,
  ).toBe('as');
});

test('a file among other outputs is named, without what Dify keeps of it', () => {
  const file = { dify_model_identity: '__dify__file__', filename: 'a.png', url: '/files/a', tenant_id: 'secret' };
  const shown = renderOutputs({ report: { parts: [{ file }], pages: 2 } });
  expect(shown).toContain('"file": "📎 a.png"');
  expect(shown).not.toContain('secret');
});

describe('the text', () => {
  const said = (answer: Answer) => answerText(answer).text;

  test('is the message, else what agents said, else the only output, else the chunks, else the outputs by name', () => {
    const agent = text('agent', 'streamed');
    expect(said(fold(agent, text('message', 'whole')))).toBe('whole');
    expect(said(fold(agent, text('chunk', 'c'), finished({ a: 'b' })))).toBe('streamed');
    expect(said(fold(text('chunk', 'preview')))).toBe('preview');
    expect(said(fold(text('chunk', 'preview'), finished({ result: 'final' })))).toBe('final');
    expect(said(fold(text('chunk', 'preview'), finished({ a: 'x', b: 'y' })))).toBe('**a**: x\n\n**b**: y');
    expect(said(fold(text('chunk', 'x\n0'), finished({ a: 'x', b: 0 })))).toBe('**a**: x\n\n**b**: 0');
    expect(said(fold(text('chunk', 'x\n'), finished({ a: 'x', b: null })))).toBe('x\n');
    expect(said(fold(text('chunk', 'preview'), finished({})))).toBe('preview');
    expect(said(fold(text('chunk', 'preview'), finished({ a: 'x', b: 0 }, 'failed')))).toBe('preview');
    expect(said(fold(text('chunk', ' \n'), finished({ text: 'x', b: 'y' })))).toBe('**text**: x\n\n**b**: y');
  });

  test('of an agent has a line break between two steps, unless there is one', () => {
    const steps = (first: string) => said(fold(step('1'), text('agent', first), step('2'), text('agent', 'b')));
    expect(steps('a')).toBe('a\nb');
    expect(steps('a\n')).toBe('a\nb');
    expect(steps('')).toBe('b');
    expect(said(fold(step('1'), text('agent', 'a'), step('1'), text('agent', 'b')))).toBe('ab');
    const between = fold(step('1'), text('agent', 'a'), step('2'), text('chunk', 'c'), text('agent', 'b'));
    expect(said(between)).toBe('a\nb');
    // Only an agent has steps.
    expect(said(fold(step('1'), text('message', 'a'), step('2'), text('message', 'b')))).toBe('ab');
  });

  test('that is replaced goes on from the replacement', () => {
    const replace = (source: 'message' | 'chunk' | 'current'): Told => ({ kind: 'replace', source, text: 'instead' });
    expect(said(fold(text('message', 'a'), replace('current'), text('message', ', more')))).toBe('instead, more');
    expect(said(fold(text('agent', 'a'), replace('current'), text('agent', ', more')))).toBe('instead, more');
    expect(fold(text('chunk', 'a'), replace('chunk')).texts).toEqual({ message: '', agent: '', chunk: 'instead' });
  });

  const from = (node: string, part: string, source: 'message' | 'chunk' = 'message'): Told => ({
    kind: 'text',
    source,
    text: part,
    node,
  });
  const tryEnded = (node: string, inVain: boolean): Told => ({ kind: 'try-ended', node, failed: inVain });

  test('of a failed try is taken back, and the text of other nodes stays', () => {
    const twice = [from('a', '1 '), from('b', '2 '), from('a', '3 '), from('c', '4 '), from('b', '5 ')] as const;
    const left = fold(...twice, tryEnded('a', true));
    expect(said(left)).toBe('2 4 5 ');
    expect(said(foldEvent(left, { ids: {}, ...tryEnded('b', true) }))).toBe('4 ');
    expect(said(fold(...twice, tryEnded('z', true)))).toBe('1 2 3 4 5 ');
    expect(said(fold(from('a', 'x', 'chunk'), from('b', 'y', 'chunk'), tryEnded('a', true)))).toBe('y');
  });

  test('of a try that went well stays, as a loop runs the same node again', () => {
    const rounds = fold(from('a', '1 '), tryEnded('a', false), from('a', '2 '), tryEnded('a', true), from('a', '3 '));
    expect(said(rounds)).toBe('1 3 ');
  });

  test('after a retry is that of the outputs, unless it was replaced, stopped, or is not there', () => {
    const retried = [from('a', 'bad bad '), tryEnded('b', true), from('a', 'good')] as const;
    const done = finished({ answer: 'good' });
    expect(said(fold(...retried, done))).toBe('good');
    expect(said(fold(from('a', 'streamed'), done))).toBe('streamed');
    expect(said(fold(...retried, finished({ answer: 'good' }, 'stopped')))).toBe('bad bad good');
    expect(said(fold(...retried, finished({ answer: ' ' })))).toBe('bad bad good');
    expect(said(fold(from('a', 'bad bad good'), { ...done, retried: true }))).toBe('good');
    expect(said(fold(from('a', 'streamed'), { ...done, retried: false }))).toBe('streamed');
    const blocked: Told = { kind: 'replace', source: 'current', text: 'blocked' };
    expect(said(fold(...retried, blocked, done))).toBe('blocked');
    const chunks = [from('a', 'bad bad good', 'chunk'), tryEnded('b', true)] as const;
    expect(said(fold(...chunks, finished({ text: 'good', more: null })))).toBe('good');
  });

  test('before a replacement cannot be taken back from it', () => {
    const blocked: Told = { kind: 'replace', source: 'current', text: 'blocked' };
    expect(said(fold(from('a', 'bad'), blocked, tryEnded('a', true)))).toBe('blocked');
  });

  test('of one node is taken back in whatever number of pieces it came', () => {
    const pieces = Array.from({ length: 300 }, () => from('a', 'x'));
    expect(said(fold(...pieces, tryEnded('a', true)))).toBe('');
  });

  test('of many nodes by turns is kept within bounds', () => {
    let answer = emptyAnswer;
    for (let index = 0; index < 1_000; index += 1) {
      answer = foldEvent(answer, { ids: {}, ...from(index % 2 === 0 ? 'a' : 'b', 'x') });
    }
    expect(answer.tries).toHaveLength(200);
  });

  test('is without the reasoning, which is kept beside it', () => {
    const thought: Told = { kind: 'reasoning', text: 'First,' };
    expect(answerText(fold(thought, text('message', '<think>then</think>Yes')))).toEqual({
      text: 'Yes',
      reasoning: 'First,\n\nthen',
    });
    expect(fold({ kind: 'reasoning', text: '' })).toEqual(emptyAnswer);
  });

  test('without its beginning is the rest, also in the outputs of a chatflow', () => {
    const answer = fold(text('message', 'before after'), finished({ answer: 'before after', other: 1 }));
    const rest = withoutBeginning(answer, 'before '.length);
    expect(said(rest)).toBe('after');
    expect(rest.outputs).toEqual({ answer: 'after', other: 1 });
    const without = fold(text('message', 'ab'), finished({ other: 1 }));
    expect(withoutBeginning(without, 1)).toMatchObject({ texts: { message: 'b' }, outputs: { other: 1 } });
    expect(withoutBeginning(fold(text('message', 'ab')), 1).outputs).toBeNull();
  });
});

describe('the ending', () => {
  const error = { kind: 'failed', cause: 'error', upstreamCode: 'invalid_param', status: 400, reason: null };
  const run = { kind: 'failed', cause: 'run', upstreamCode: null, status: null, reason: null };

  test.each<[string, readonly Told[], object | null]>([
    ['is not there yet', [text('message', 'a')], null],
    ['of a message', [messageEnded], { kind: 'complete' }],
    ['of a run', [finished()], { kind: 'complete' }],
    ['of a stopped run', [messageEnded, finished({}, 'stopped')], { kind: 'stopped' }],
    ['of a failed run', [finished({}, 'failed')], run],
    ['of a failed run after its message', [messageEnded, finished({}, 'failed')], run],
    ['of an error', [failed], error],
    ['of an error that the run repeats', [failed, finished({}, 'failed')], error],
    ['of a failed run that an error repeats', [finished({}, 'failed'), failed], run],
    ['of an error after a good end', [messageEnded, failed], { kind: 'complete' }],
    ['of a message after an error', [failed, messageEnded], error],
    ['of a pause', [{ kind: 'run-paused', form: null }], { kind: 'paused' }],
  ])('%s', (_what, events, ending) => {
    expect(fold(...events).ending).toEqual(ending);
  });

  test('of a stream without an end event is a cut', () => {
    expect(endAnswer(fold(text('message', 'a'))).ending).toEqual({ kind: 'cut' });
    const complete = fold(messageEnded);
    expect(endAnswer(complete)).toBe(complete);
  });

  test('of a chatflow is there when both of its ends are', () => {
    const ids = { messageId: 'm' };
    const started: Told = { kind: 'run-started', ids };
    expect(expectsMore(fold(started))).toBe(true);
    expect(expectsMore(fold(started, messageEnded))).toBe(true);
    expect(expectsMore(fold(started, finished()))).toBe(true);
    expect(expectsMore(fold(started, messageEnded, finished()))).toBe(false);
    expect(expectsMore(fold(started, failed))).toBe(false);
    expect(expectsMore(fold({ ...messageEnded, ids }))).toBe(false);
    expect(expectsMore(fold({ kind: 'run-started' }, finished()))).toBe(false);
  });
});

test('a form is there until it is closed or its run has ended, the first that can be answered', () => {
  const form = (token: string | null, nodeTitle: string): PendingForm => ({
    token,
    runId: 'r',
    nodeTitle,
    content: '',
    fields: [],
    actions: [],
    expiresAtMs: null,
  });
  const asked = (token: string | null, title: string): Told => ({ kind: 'form', form: form(token, title) });
  expect(fold(asked(null, 'mail'), asked('a', 'first'), asked('b', 'second')).form?.nodeTitle).toBe('first');
  expect(fold(asked(null, 'mail'), { kind: 'run-paused', form: null }).form?.nodeTitle).toBe('mail');
  expect(fold({ kind: 'run-paused', form: form('a', 'late') }).form?.nodeTitle).toBe('late');
  expect(fold(asked('a', 'x'), finished()).form).toBeNull();
  const expired = fold(asked('a', 'x'), { kind: 'form-closed', how: 'expired' });
  expect(expired).toMatchObject({ form: null, formExpired: true });
  expect(fold(asked('a', 'x'), { kind: 'form-closed', how: 'filled' })).toMatchObject({
    form: null,
    formExpired: false,
  });
  expect(foldEvent(expired, { ids: {}, kind: 'form', form: form('b', 'y') }).formExpired).toBe(false);
});

test('what the app does is told by steps and activities until there is text; ids come with any event', () => {
  const activity = { kind: 'tool', name: 'search' } as const;
  const busy = fold(
    { kind: 'activity', activity },
    { ...step('1'), ids: { taskId: 't' } },
    { kind: 'none', ids: { runId: 'r' } },
  );
  expect(busy).toMatchObject({ activity, ids: { taskId: 't', runId: 'r' } });
  expect(fold({ kind: 'activity', activity }, { kind: 'step', stepId: '1', activity: null }).activity).toEqual(
    activity,
  );
  const other = { kind: 'node', name: 'LLM' } as const;
  expect(fold({ kind: 'activity', activity }, { kind: 'step', stepId: '1', activity: other }).activity).toEqual(other);
  expect(fold({ kind: 'activity', activity }, text('message', '')).activity).toEqual(activity);
  expect(fold({ kind: 'activity', activity }, text('message', 'a')).activity).toBeNull();
});

test('where only blanks were streamed, the outputs are the text', () => {
  const seen = foldEvent(emptyAnswer, { ids: {}, kind: 'text', source: 'chunk', text: ' \n' });
  expect(answerText(foldEvent(seen, { ids: {}, ...finished({ result: 'Yes' }, 'stopped') })).text).toBe('Yes');
});

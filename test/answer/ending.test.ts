// What stands below an answer, and what an asker reads of a failure.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer, type Ending } from '../../lib/answer/answer.ts';
import { crashText, endingNotes, failureText } from '../../lib/answer/ending.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import { BridgeError, type ErrorCode, type ErrorFacts } from '../../lib/errors.ts';
import { textsFor } from '../../lib/texts/index.ts';

const texts = textsFor('en');
const form: PendingForm = {
  token: 't',
  runId: 'r',
  nodeTitle: '',
  content: '',
  fields: [],
  actions: [],
  expiresAtMs: null,
};
const ended = (ending: Ending | null, more: Partial<Answer> = {}): Answer => ({ ...emptyAnswer, ...more, ending });
const notes = (answer: Answer, failure: BridgeError | null = null, retryText: string | null = null) =>
  endingNotes(answer, failure, { reference: '3f9a1c07', links: true, toldAdmins: false, retryText }, texts);

describe('below the text', () => {
  const failed = { kind: 'failed', cause: 'error', upstreamCode: null, status: null } as const;

  test.each<[string, Answer, string[]]>([
    ['a complete answer', ended({ kind: 'complete' }), []],
    ['an answer that goes on', ended(null), []],
    ['an app that failed with text', ended(failed), []],
    ['a stopped answer', ended({ kind: 'stopped' }), [texts.stopped]],
    ['a run that waits for a person', ended({ kind: 'paused' }), [texts.paused]],
    ['a run whose form is shown', ended({ kind: 'paused' }, { form }), []],
    ['an answer that broke off', ended({ kind: 'cut' }), [texts.incomplete('3f9a1c07')]],
  ])('of %s', (_what, answer, expected) => {
    expect(notes(answer)).toEqual(expected);
  });

  test.each([
    [15 * 1_048_576, texts.fileTooLarge(15)],
    [1_000, texts.failures.file_too_large],
  ])('of a file that is too large the limit is named, from 1 MB on: %i', (maxBytes, expected) => {
    expect(failureText(new BridgeError('file_too_large', 'too large', { maxBytes }), texts)).toBe(expected);
  });

  test('of a failure stand the reason, the reference, and a link that asks again', () => {
    const failure = new BridgeError('dify_busy', 'busy');
    const reason = [`⚠️ ${texts.failures.dify_busy}`, 'Reference 3f9a1c07'];
    expect(notes(ended({ kind: 'stopped' }), failure)).toEqual(reason);
    expect(notes(ended(null), failure, '年假？')).toEqual([
      ...reason,
      `[🔄 Try again](dtmd://dingtalkclient/sendMessage?content=${encodeURIComponent('年假？')})`,
    ]);
    expect(notes(ended(null), failure, 'x'.repeat(300))).toHaveLength(3);
    expect(notes(ended(null), failure, 'x'.repeat(301))).toEqual(reason);
    const noTap = { reference: '3f9a1c07', links: false, retryText: '年假？', toldAdmins: false };
    expect(endingNotes(ended(null), failure, noTap, texts)).toEqual(reason);
  });

  test('of a failure that a repeat does not mend stands no link that asks again', () => {
    const of = (code: ErrorCode, ids: Answer['ids'] = {}) =>
      notes(ended(null, { ids }), new BridgeError(code, 'x'), '年假？')[2];
    expect(of('dify_content_refused')).toBeUndefined();
    expect(of('dify_context_too_long')).toBeUndefined();
    expect(of('dify_context_too_long', { conversationId: 'c' })).toBe(
      '[🆕 New conversation](dtmd://dingtalkclient/sendMessage?content=%2Fnew)',
    );
  });

  test('of a failure that administrators were told of stands so', () => {
    const told = (code: ErrorCode) =>
      endingNotes(
        ended(null),
        new BridgeError(code, 'x'),
        { reference: '3f9a1c07', links: false, retryText: null, toldAdmins: true },
        texts,
      )[0];
    expect(told('dify_model_account')).toBe(`⚠️ ${texts.toldAdmins.dify_model_account}`);
    expect(told('dify_timeout')).toBe(`⚠️ ${texts.failures.dify_timeout}`);
  });
});

describe('a failure', () => {
  test.each<[ErrorCode, ErrorFacts, string]>([
    ['dify_timeout', { inputs: 'a', files: 'b', most: 2 }, texts.failures.dify_timeout],
    ['dify_input_missing', { inputs: 'City' }, texts.missingInputs('City')],
    ['dify_input_missing', { files: 'Report' }, texts.missingFiles('Report')],
    ['dify_input_missing', { inputs: '' }, texts.failures.dify_input_missing],
    [
      'dify_input_invalid',
      { input: 'Topic', maxChars: 256, chars: 300 },
      '"Topic" takes at most 256 characters; this time there are 300. Please ask with fewer words.',
    ],
    ['dify_input_invalid', { input: 'City', options: 'Berlin, Paris' }, texts.inputNotOffered('City', 'Berlin, Paris')],
    ['dify_input_invalid', { input: 'N' }, texts.inputOfWrongType('N')],
    ['dify_input_invalid', {}, texts.failures.dify_input_invalid],
    ['form_invalid', { fields: 'Reason, Amount' }, texts.form.missing(['Reason', 'Amount'])],
    ['form_invalid', { fields: 7 }, texts.failures.form_invalid],
    [
      'file_not_accepted',
      { kinds: 'image custom', extensions: 'dwg' },
      texts.acceptedFiles(['image', 'custom', 'dwg']),
    ],
    ['file_not_accepted', { kinds: 'image', extensions: '' }, texts.acceptedFiles(['image'])],
    ['file_not_accepted', { most: 2 }, texts.mostFiles(2)],
    ['file_not_accepted', { most: 0 }, texts.failures.file_not_accepted],
    ['file_not_accepted', { kinds: '', extensions: '', most: null }, texts.failures.file_not_accepted],
    // The asker does not hear of what went wrong with DingTalk.
    ['dingtalk_qps', {}, texts.failures.internal],
  ])('%s with %j is told as a sentence', (code, facts, sentence) => {
    expect(failureText(new BridgeError(code, 'not for the asker', facts), texts)).toBe(sentence);
  });

  test('of this bridge comes with the reference', () => {
    expect(crashText(texts, '3f9a1c07')).toBe(`⚠️ ${texts.failures.internal}\n\nReference 3f9a1c07`);
  });
});

// What stands below an answer, and what an asker reads of a failure.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer, type Ending } from '../../lib/answer/answer.ts';
import { crashText, endingLine, failureText, type EndingOptions } from '../../lib/answer/ending.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import { BridgeError, type ErrorCode, type ErrorFacts, type Named } from '../../lib/errors.ts';
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
const OPTIONS = { reference: '3f9a1c07', canTap: true, hasRetry: false, toldAdmins: false, retryText: null };
const line = (answer: Answer, failure: BridgeError | null = null, options: Partial<EndingOptions> = {}) =>
  endingLine(answer, failure, { ...OPTIONS, ...options }, texts);
const link = (label: string, text: string) =>
  `[${label}](dtmd://dingtalkclient/sendMessage?content=${encodeURIComponent(text)})`;

describe('the last line', () => {
  const failed = { kind: 'failed', cause: 'error', upstreamCode: null, status: null } as const;

  test.each<[string, Answer, string]>([
    ['a complete answer', ended({ kind: 'complete' }), ''],
    ['an answer that goes on', ended(null), ''],
    ['an app that failed with text', ended(failed), ''],
    ['a stopped answer', ended({ kind: 'stopped' }), texts.stopped],
    ['a run that waits for a person', ended({ kind: 'paused' }), texts.paused],
    ['a run whose form is shown', ended({ kind: 'paused' }, { form }), '⏳ Waiting for an answer'],
    [
      'a form with a time',
      ended({ kind: 'paused' }, { form: { ...form, expiresAtMs: Date.UTC(2026, 10, 30, 16, 5) } }),
      '⏳ Waiting for an answer until 1 Dec, 00:05 China time',
    ],
    ['an answer that broke off', ended({ kind: 'cut' }), texts.incomplete('3f9a1c07')],
  ])('of %s', (_what, answer, expected) => {
    expect(line(answer)).toBe(expected);
  });

  test.each([
    [15 * 1_048_576, texts.fileTooLarge(15)],
    [1_000, texts.failures.file_too_large],
  ])('of a file that is too large the limit is named, from 1 MB on: %i', (maxBytes, expected) => {
    expect(failureText(new BridgeError('file_too_large', 'too large', { maxBytes }), texts)).toBe(expected);
  });

  test('of a failure has the reason, the reference, and a link that asks again', () => {
    const failure = new BridgeError('dify_busy', 'busy');
    const reason = `⚠️ ${texts.failures.dify_busy} (reference 3f9a1c07)`;
    expect(line(ended({ kind: 'stopped' }), failure)).toBe(reason);
    expect(line(ended(null), failure, { retryText: '年假？' })).toBe(`${reason} ${link('🔄 Try again', '年假？')}`);
    expect(line(ended(null), failure, { retryText: 'x'.repeat(300) })).toContain('Try again');
    expect(line(ended(null), failure, { retryText: 'x'.repeat(301) })).toBe(reason);
    expect(line(ended(null), failure, { retryText: '年假？', canTap: false })).toBe(reason);
  });

  test('of a text that is too long for the model offers a new conversation, where there is one', () => {
    const of = (ids: Answer['ids']) => line(ended(null, { ids }), new BridgeError('dify_context_too_long', 'x'));
    expect(of({ conversationId: 'c' })).toContain(link('🆕 New conversation', '/new'));
    expect(of({})).not.toContain('dtmd:');
  });

  test('of a failure after some text says that the text is not whole, except where the sentence says so', () => {
    const begun = { texts: { ...emptyAnswer.texts, message: 'Some' } };
    const of = (code: ErrorCode) => line(ended(null, begun), new BridgeError(code, 'x'), { canTap: false });
    expect(of('dify_timeout')).toContain(texts.unfinished(texts.failures.dify_timeout));
    expect(of('dify_model_cut')).toContain(`⚠️ ${texts.failures.dify_model_cut}`);
  });

  test('of a failure that administrators were told of says so', () => {
    const told = (code: ErrorCode) => line(ended(null), new BridgeError(code, 'x'), { toldAdmins: true });
    expect(told('dify_model_account')).toContain(`⚠️ ${texts.toldAdmins.dify_model_account}`);
    expect(told('dify_timeout')).toContain(`⚠️ ${texts.failures.dify_timeout}`);
  });
});

describe('a failure', () => {
  test.each<[ErrorCode, ErrorFacts, Named, string]>([
    ['dify_timeout', { most: 2 }, { missing: ['a'], missingFiles: ['b'] }, texts.failures.dify_timeout],
    ['dify_input_missing', {}, { missing: ['City', 'Day'] }, texts.missingInputs('City, Day')],
    ['dify_input_missing', {}, { missingFiles: ['Report'] }, texts.missingFiles('Report')],
    ['dify_input_missing', {}, {}, texts.failures.dify_input_missing],
    [
      'dify_input_invalid',
      { maxChars: 256, chars: 300 },
      { label: 'Topic' },
      '"Topic" takes at most 256 characters; this time there are 300. Please ask with fewer words.',
    ],
    [
      'dify_input_invalid',
      {},
      { label: 'City', options: ['Berlin', 'Paris'] },
      texts.inputNotOffered('City', 'Berlin, Paris'),
    ],
    ['dify_input_invalid', {}, { label: 'N' }, texts.inputOfWrongType('N')],
    ['dify_input_invalid', {}, {}, texts.failures.dify_input_invalid],
    // A label may hold the comma that stands between two of them.
    ['form_invalid', {}, { missing: ['Reason, if any', 'Amount'] }, texts.form.missing(['Reason, if any', 'Amount'])],
    ['form_invalid', {}, {}, texts.failures.form_invalid],
    [
      'file_not_accepted',
      { kinds: 'image custom' },
      { extensions: ['dwg'] },
      texts.acceptedFiles(['image', 'custom', 'dwg']),
    ],
    ['file_not_accepted', { kinds: 'image' }, { extensions: [] }, texts.acceptedFiles(['image'])],
    ['file_not_accepted', { most: 2 }, {}, texts.mostFiles(2)],
    ['file_not_accepted', { most: 0 }, {}, texts.failures.file_not_accepted],
    ['file_not_accepted', { kinds: '', most: null }, { extensions: [] }, texts.failures.file_not_accepted],
    ['file_not_accepted', { kinds: 'image' }, { label: 'Receipt' }, texts.form.acceptedFiles('Receipt', ['image'])],
    ['form_closed', { kinds: 'image' }, { label: 'Receipt' }, texts.failures.form_closed],
    [
      'form_invalid',
      {},
      { missing: ['Reason'], missingFiles: ['Receipt'] },
      `${texts.form.missing(['Reason'])} ${texts.form.missingFiles(['Receipt'])}`,
    ],
    // The asker does not hear of what went wrong with DingTalk.
    ['dingtalk_qps', {}, {}, texts.failures.internal],
  ])('%s with %j and %j is told as a sentence', (code, facts, named, sentence) => {
    expect(failureText(new BridgeError(code, 'not for the asker', facts, undefined, named), texts)).toBe(sentence);
  });

  test('of this bridge comes with the reference', () => {
    expect(crashText(texts, '3f9a1c07')).toBe(`⚠️ ${texts.failures.internal} (reference 3f9a1c07)`);
  });
});

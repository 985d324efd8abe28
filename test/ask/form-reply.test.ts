// What a person types as an answer to a form.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FormField } from '../../lib/answer/event.ts';
import type { QuestionFile } from '../../lib/dify/file-inputs.ts';
import { readFormReply } from '../../lib/ask/form-reply.ts';

const actions = [
  { id: 'approve', title: '同意' },
  { id: 'reject', title: 'Send Back' },
];
const field = (name: string, more: Partial<FormField> = {}): FormField => ({
  name,
  label: name,
  type: 'text',
  required: false,
  options: [],
  default: '',
  ...more,
});
const comment = field('comment', { label: '备注' });
const priority = field('priority', { type: 'select', required: true, options: ['low', 'high'] });

/** The answer with its action by id; of a problem the labels that lack a value, and the choice that is wrong. */
const read = (text: string, fields: readonly FormField[] = [], files: readonly QuestionFile[] = []) => {
  const reply = readFormReply(text, { actions, fields }, files);
  if (reply === null) return null;
  if ('inputs' in reply) return { action: reply.action.id, inputs: reply.inputs };
  const { missing, missingFiles, wrong } = reply.problem;
  return { problem: [...missing, ...missingFiles], ...(wrong ? { wrong: wrong.label } : {}) };
};

describe('the first line', () => {
  test.each(['同意', ' 同意 ', 'approve', 'APPROVE', '1', '１', '1.', '1、', '\n\n同意\n'])('%j agrees', (text) => {
    expect(read(text)).toEqual({ action: 'approve', inputs: {} });
  });

  test.each(['2', 'send  back', 'ＳＥＮＤ ＢＡＣＫ', 'reject'])('%j sends back', (text) => {
    expect(read(text)).toEqual({ action: 'reject', inputs: {} });
  });

  test.each(['', '3', '0', '-1', '同意吗？', 'approve it', '备注：同意', '1 同意'])('%j is a question', (text) => {
    expect(read(text, [comment])).toBeNull();
  });

  test.each(['同意 #2', '同意#２', '1 #2', 'approve ＃2'])('%j agrees, whatever the form it names', (text) => {
    expect(read(text)).toEqual({ action: 'approve', inputs: {} });
  });

  test('has a value only behind the number of a form', () => {
    expect(read('同意 #2：可以，\n时间: 明天', [comment])).toMatchObject({ inputs: { comment: '可以，\n时间: 明天' } });
    expect(read('同意 #2：priority：high', [comment, priority])).toMatchObject({ inputs: { priority: 'high' } });
    expect(read('同意：可以', [comment])).toBeNull();
    expect(read('#2', [comment])).toBeNull();
  });

  test('that is a title goes before the number that it looks like', () => {
    const numbers = [
      { id: 'a', title: '2' },
      { id: 'b', title: '1' },
    ];
    expect(readFormReply('1', { actions: numbers, fields: [] })).toMatchObject({ action: { id: 'b' } });
  });
});

describe('the fields', () => {
  test('that are optional choices take the first option, where Dify tells it', () => {
    const optional = (options: readonly string[]) => field('level', { type: 'select', options });
    expect(read('同意', [optional(['low', 'high'])])).toEqual({ action: 'approve', inputs: { level: 'low' } });
    expect(read('同意', [optional([])])).toEqual({ action: 'approve', inputs: { level: '' } });
  });

  test('are read by label or name, with either colon, in any order', () => {
    const text = '同意\npriority: HIGH\n备注 ： 可以\n第二行';
    const inputs = { comment: '可以\n第二行', priority: 'high' };
    expect(read(text, [comment, priority])).toEqual({ action: 'approve', inputs });
    expect(read('同意\nＰriority：b\nComment:可以', [comment, priority])).toMatchObject({
      inputs: { comment: '可以', priority: 'high' },
    });
  });

  test('what has no label belongs to the only text field, and to none of two', () => {
    expect(read('1\n可以，\n时间: 明天', [comment, priority])).toEqual({ problem: ['priority'] });
    expect(read('1\n可以，\n时间: 明天\npriority: low', [comment, priority])).toMatchObject({
      inputs: { comment: '可以，\n时间: 明天', priority: 'low' },
    });
    expect(read('1\npriority: low\n可以', [comment, priority])).toMatchObject({
      inputs: { comment: '可以', priority: 'low' },
    });
    expect(read('1\n可以', [comment, field('reason')])).toMatchObject({ inputs: { comment: '', reason: '' } });
  });

  test('that are left out take their default, or are missing', () => {
    const preset = { ...priority, default: 'low' };
    expect(read('1', [{ ...comment, default: '无' }, preset])).toMatchObject({
      inputs: { comment: '无', priority: 'low' },
    });
    expect(read('1', [{ ...comment, required: true }, priority])).toEqual({ problem: ['备注', 'priority'] });
  });

  test('a choice that is no option is missing, but any will do where the options are not told', () => {
    expect(read('1\npriority: medium', [priority])).toEqual({ problem: [], wrong: 'priority' });
    // A number is an action.
    expect(read('1\npriority: 2', [priority])).toEqual({ problem: [], wrong: 'priority' });
    expect(read('1\npriority: medium', [{ ...priority, options: [] }])).toMatchObject({
      inputs: { priority: 'medium' },
    });
  });

  test('a file cannot be typed, but sent', () => {
    const files = { classes: ['document'], extensions: [], takesUploads: true, most: 1 } as const;
    const file = field('receipt', { type: 'file', required: true, files });
    expect(read('1\nreceipt: a.pdf', [file])).toEqual({ problem: ['receipt'] });
    expect(read('1', [{ ...file, required: false }])).toEqual({ action: 'approve', inputs: {} });
    const [older, newer, other] = [
      { class: 'document', extension: 'pdf', uploadId: 'older' },
      { class: 'document', extension: 'pdf', uploadId: 'newer' },
      { class: 'image', extension: 'png', uploadId: 'other' },
    ] as const;
    const wire = (uploadId: string) => ({
      type: 'document',
      transfer_method: 'local_file',
      upload_file_id: uploadId,
    });
    expect(read('1', [file], [older, newer, other])).toMatchObject({ inputs: { receipt: wire('newer') } });
    const list = { ...file, type: 'file-list', files: { ...files, most: 2 } } as const;
    expect(read('1', [list], [older, newer])).toMatchObject({ inputs: { receipt: [wire('older'), wire('newer')] } });
  });

  test('the only choice takes a line without a label', () => {
    expect(read('1\nhigh', [priority])).toMatchObject({ inputs: { priority: 'high' } });
    expect(read('1\nhigh', [priority, field('other', { type: 'select', options: ['high'], required: true })])).toEqual({
      problem: ['priority', 'other'],
    });
  });

  test('a label may hold a colon, and a name may be one of every object', () => {
    const odd = [field('a', { label: 'Note: short' }), field('b', { label: 'Note' }), field('constructor')];
    expect(read('1\nNote: short: x\nNote: y\nconstructor: z', odd)).toMatchObject({
      inputs: { a: 'x', b: 'y', constructor: 'z' },
    });
  });
});

describe('any text', () => {
  const fields = [comment, priority, field('file', { type: 'file' })];

  test('is an answer with every field, a problem with labels of the form, or a question', () => {
    const line = fc.oneof(fc.string(), fc.constantFrom('1', '同意', 'priority: 1', '备注：', '2.', 'file: x'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const reply = read(lines.join('\n'), fields);
        if (reply === null) return;
        if (!('inputs' in reply)) expect([...reply.problem, reply.wrong]).toContain('priority');
        else {
          expect(Object.keys(reply.inputs)).toEqual(['comment', 'priority']);
          expect(priority.options).toContain(reply.inputs['priority']);
        }
      }),
    );
  });

  test('below an action is the value of the only text field, to the letter', () => {
    const letters = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n:：]/.test(text));
    fc.assert(
      fc.property(letters, (text) => {
        expect(read(`1\n${text}`, [comment])).toEqual({ action: 'approve', inputs: { comment: text.trim() } });
      }),
    );
  });
});

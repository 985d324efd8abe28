// What the bridge says about forms, in both languages, with links and with words to type.
import { describe, expect, test } from 'vitest';
import { readFormReply } from '../../lib/ask/form-reply.ts';
import { readAsked, readFirstLine } from '../../lib/ask/form-text.ts';
import type { Said } from '../../lib/answer/said.ts';
import { choiceTexts, saidNotes } from '../../lib/answer/said-view.ts';
import { en } from '../../lib/texts/en.ts';
import { zhCN } from '../../lib/texts/zh-CN.ts';

const form = { title: '费用_审批', number: 2 };
const approve = { kind: 'action', form, action: '同意  了' } as const;

const sentences: readonly [Said, zh: string, english: string][] = [
  [
    { kind: 'not-shown-yet', form, choices: [approve] },
    '这张表单当时还没有出现，所以没有提交：「费用 审批」 #2。请看过内容后再选择。',
    'This form had not been shown yet when you sent that, so nothing was submitted: "费用 审批" #2. Please read it, then choose.',
  ],
  [
    { kind: 'which-form', choices: [] },
    '有几张表单在等你处理，还没有提交。请选择是哪一张：',
    'Several forms wait for you, and none was submitted. Please choose which one you mean:',
  ],
  [
    { kind: 'answered', form, action: '同意', agoMs: 59_000, choices: [] },
    '「费用 审批」 #2 刚刚已经处理过了，选择的是：同意。',
    '"费用 审批" #2 was answered just now. The choice was: 同意.',
  ],
  [
    { kind: 'answered', form: { ...form, title: '' }, action: '同意', agoMs: 180_000, choices: [] },
    '表单 #2 在 3 分钟前已经处理过了，选择的是：同意。',
    'The form #2 was answered 3 min ago. The choice was: 同意.',
  ],
  [
    { kind: 'belongs', forms: [form, { ...form, number: 3 }], field: null, choices: [] },
    '「费用 审批」 #2、「费用 审批」 #3 在等你处理。这条消息是新问题吗？请选择：',
    '"费用 审批" #2, "费用 审批" #3 waits for you. Is this message a new question? Please choose:',
  ],
  [
    { kind: 'belongs', forms: [form], field: '原因', choices: [] },
    '「费用 审批」 #2 在等你处理。这条消息是要填入“原因”，还是新问题？请选择：',
    '"费用 审批" #2 waits for you. Is this message for "原因", or is it a new question? Please choose:',
  ],
  [
    { kind: 'files-kept', forms: [form], count: 1, choices: [approve] },
    '已收到 1 个文件，将随 「费用 审批」 #2 一起提交。请选择操作：',
    'Received one file, to be submitted with "费用 审批" #2. Please choose:',
  ],
  [
    { kind: 'files-kept', forms: [form], count: 2, choices: [] },
    '已收到 2 个文件，将随 「费用 审批」 #2 一起提交。请按表单填写其余内容，并选择操作。',
    'Received 2 files, to be submitted with "费用 审批" #2. Please fill in the rest of the form and choose an action.',
  ],
  [
    { kind: 'not-yours', form, byButton: true, choices: [] },
    '「费用 审批」 #2 没有提交：请由提问的人回复，或由你点击卡片上的按钮处理。',
    '"费用 审批" #2 was not submitted: it is for the person who asked, or for you by the button on its card.',
  ],
  [
    { kind: 'not-yours', form, byButton: false, choices: [] },
    '「费用 审批」 #2 没有提交：请由提问的人回复。',
    '"费用 审批" #2 was not submitted: it is for the person who asked.',
  ],
];

test.each(sentences)('%o is said in both languages', (said, zh, english) => {
  expect(saidNotes(said, { texts: zhCN })[0]).toBe(zh);
  expect(saidNotes(said, { texts: en })[0]).toBe(english);
});

describe('the choices', () => {
  const said: Said = {
    kind: 'belongs',
    forms: [form],
    field: '原因',
    choices: [approve, { ...approve, words: '出差，有 *发票*' }, { kind: 'question', words: '出差，有 *发票*' }],
  };

  test('are links in single chats, and words to type in groups', () => {
    const [, links = ''] = saidNotes(said, { texts: zhCN, links: true });
    expect(links.match(/\[[^\]]+\]/gu)).toEqual([
      '[同意 了（「费用 审批」 #2）]',
      '[填入并选择：同意 了（「费用 审批」 #2）]',
      '[作为新问题提问]',
    ]);
    expect(links).toContain(`content=${encodeURIComponent('同意 了 #2')})`);
    expect(saidNotes(said, { texts: zhCN })).toEqual([
      expect.any(String),
      '请 @我 并输入其中一项：',
      '- 同意 了 #2\n- 同意 了 #2：出差，有 发票\n- 提问：出差，有 发票',
    ]);
    expect(saidNotes({ ...said, choices: [] }, { texts: zhCN })).toHaveLength(1);
  });

  test.each([zhCN, en])('send what the reader of answers understands', (texts) => {
    const [action = '', filled = '', asked = ''] = choiceTexts(said, texts);
    expect(readFirstLine(action)).toEqual({ head: '同意 了', mark: 2, rest: null });
    const fields = [{ name: 'why', label: 'why', type: 'text', required: true, options: [], default: '' }] as const;
    expect(readFormReply(filled, { actions: [{ id: 'yes', title: '同意 了' }], fields })).toMatchObject({
      action: { id: 'yes' },
      inputs: { why: '出差，有 *发票*' },
    });
    expect(readAsked(asked)).toBe('出差，有 *发票*');
  });

  test('that are too long for a link are told how to be sent', () => {
    const long: Said = { ...said, choices: [approve, { kind: 'question', words: '长'.repeat(301) }] };
    expect(choiceTexts(long, zhCN)).toEqual(['同意 了 #2']);
    expect(saidNotes(long, { texts: zhCN, links: true }).at(-1)).toContain('“提问：”');
    expect(saidNotes(long, { texts: en, links: true }).at(-1)).toContain('"Ask:"');
  });
});

// What a reader sees of an answer, beside its text.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { PendingForm } from '../../lib/answer/event.ts';
import { readFormReply } from '../../lib/ask/form-reply.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { continuing, finalView, typingView, type ViewOptions } from '../../lib/answer/view.ts';

const zh: ViewOptions = { texts: textsFor('zh-CN'), showThinking: false, cardMaxChars: 3_000 };
const en: ViewOptions = { ...zh, texts: textsFor('en') };
const said = (message: string, more: Partial<Answer> = {}): Answer => ({
  ...emptyAnswer,
  texts: { ...emptyAnswer.texts, message },
  ...more,
});
const done = { ending: { kind: 'complete' } } as const;
const card = (answer: Answer, options = zh) => finalView(answer, [], true, options).card ?? '';

describe('progress', () => {
  const tool = { kind: 'tool', name: 'web search', labels: { zh: '联网搜索' } } as const;

  test('is told in the reader’s language while there is no text', () => {
    expect(typingView(said('', { activity: { kind: 'node', name: '检索' } }), zh)).toBe('⏳ 正在执行：检索');
    expect(typingView(said('', { activity: tool }), zh)).toBe('🔧 正在使用工具：联网搜索');
    expect(typingView(said('', { activity: tool }), en)).toBe('🔧 Using a tool: web search');
    expect(typingView(said('<think>Hm'), zh)).toBe('💭 正在思考…');
    expect(typingView(said(''), zh)).toBe('');
  });

  test('says that nothing has begun, and that nothing can be seen', () => {
    const options = { ...en, stopHint: 'Type /stop.' };
    for (const kind of ['queued', 'unseen'] as const) {
      const view = typingView(said('', { activity: { kind, name: '' } }), options);
      expect(view).toBe(`${en.texts.progress[kind]}\n\nType /stop.`);
    }
  });

  test('gives way to text and is no part of the end', () => {
    expect(typingView(said('你好', { activity: tool }), zh)).toBe('你好');
    expect(card(said('', { activity: tool, ...done }))).toBe(zh.texts.emptyAnswer);
  });

  test('stands below the reasoning, within the limit', () => {
    const options = { ...zh, showThinking: true, cardMaxChars: 200 };
    const view = typingView(said(`<think>${'想一想。'.repeat(200)}`), options);
    expect(view).toMatch(/^> \*\*思考过程\*\*/);
    expect(view).toMatch(/\n\n💭 正在思考…$/);
    expect(view.length).toBeLessThanOrEqual(200);
  });

  test('says how to stop, where no button does', () => {
    const options = { ...en, stopHint: 'Type /stop.' };
    expect(typingView(said('', { activity: tool }), options)).toBe('🔧 Using a tool: web search\n\nType /stop.');
    expect(typingView(said('Yes'), options)).toBe('Yes');
    expect(typingView(said(''), options)).toBe('');
  });

  test('does nothing in the reader’s name', () => {
    const activity = { kind: 'node', name: 'dtmd://dingtalkclient/sendMessage?content=x' } as const;
    expect(typingView(said('', { activity }), zh)).not.toContain('dtmd://');
  });
});

test('a text that goes on elsewhere says so', () => {
  expect(continuing('', en)).toBe(en.texts.continuing);
  expect(continuing('So far', en)).toBe(`So far\n\n${en.texts.continuing}`);
});

describe('the reasoning', () => {
  const options = { ...en, showThinking: true };
  const thought = said('<think>First\nthen</think>Yes', done);

  test('stands above the text as a quote, where it is wanted', () => {
    expect(card(thought, options)).toBe('> **Thinking**<br>First<br>then\n\nYes');
    expect(card(thought, en)).toBe('Yes');
    expect(card(said('Yes', { reasoning: ' \n', ...done }), options)).toBe('Yes');
  });

  test('may be all there is', () => {
    expect(card(said('<think>Hm</think>', done), options)).toBe('> **Thinking**<br>Hm');
  });
});

describe('a long answer', () => {
  const paragraph = 'word '.repeat(40).trim();
  const long = (paragraphs: number) => said(Array<string>(paragraphs).fill(paragraph).join('\n\n'), done);
  const small = { ...en, cardMaxChars: 500 };

  test('is cut where the card ends while it grows', () => {
    const view = typingView(said('**a** '.repeat(200)), small);
    expect(view.length).toBeLessThanOrEqual(500);
    expect(view).toMatch(/^\*\*a\*\* /);
    const quote = `> ${'q'.repeat(98)}`;
    expect(typingView(said('x'.repeat(2_000)), { ...small, quote })).toBe(`${quote}\n\n${'x'.repeat(398)}`);
    // Sanitizing can make a text longer than it was.
    const links = typingView(said('dtmd://x '.repeat(55)), small);
    expect(links.length).toBeLessThanOrEqual(500);
    expect(links).not.toBe('');
  });

  test('goes on in messages below the card, and the notes stand at the end', () => {
    const { card: first, messages } = finalView(long(5), ['(stopped)'], true, small);
    expect(first?.endsWith(en.texts.continuesBelow)).toBe(true);
    expect(first?.length).toBeLessThanOrEqual(500);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(/word\n\n\(stopped\)$/);
    expect(messages.join('')).not.toContain(en.texts.continuesBelow);
    // A message breaks its lines in another way than a card.
    const lines = finalView(said(`${paragraph}\n\n${'line  \n'.repeat(100)}`, done), [], true, small);
    expect(lines.messages.join('')).toContain('line  \nline');
    expect(lines.messages.join('')).not.toContain('<br>');
  });

  test('without a card comes as messages, at most five; the last says how much is missing', () => {
    const { card: none, messages } = finalView(long(400), ['(stopped)'], false, en);
    expect(none).toBeNull();
    expect(messages).toHaveLength(5);
    const [, missing = ''] =
      /\((\d+) more characters are not shown[^)]*\)\n\n\(stopped\)$/.exec(messages[4] ?? '') ?? [];
    const shown = messages.join('').split('word').length - 1;
    expect(shown).toBeGreaterThan(3_000);
    // Each word that is missing has five characters, and the breaks between paragraphs count too.
    expect(Math.abs(Number(missing) - (400 * 40 - shown) * 5)).toBeLessThan(500);
    expect(Math.max(...messages.map((message) => message.length))).toBeLessThanOrEqual(3_800);
  });

  test('has at most five messages below its card', () => {
    const { messages } = finalView(long(400), [], true, en);
    expect(messages).toHaveLength(5);
    expect(messages.join('')).not.toContain(en.texts.continuesBelow);
  });

  test('without text is only its notes, or says that nothing came', () => {
    expect(finalView(said('', done), ['note'], false, en).messages).toEqual(['note']);
    expect(finalView(said('', done), [], false, en).messages).toEqual([en.texts.emptyAnswer]);
    expect(finalView(said('', done), ['note'], true, en)).toEqual({ card: 'note', messages: [] });
    // A workflow has no message.
    const progress = { runStarted: true, messageEnded: false, runEnded: true };
    expect(finalView(said('', { ...done, progress }), [], true, en).card).toBe(en.texts.emptyRun);
    const chatflow = said('', { ...done, progress, ids: { messageId: 'm' } });
    expect(finalView(chatflow, [], true, en).card).toBe(en.texts.emptyAnswer);
  });
});

test('an answer that begins a new conversation says so, above its notes, and not when it is empty for that alone', () => {
  const anew = { ...en, isAnew: true };
  const { conversationGone, emptyAnswer: nothing } = en.texts;
  expect(card(said('Yes', done), anew)).toBe(`Yes\n\n${conversationGone}`);
  expect(card(said('', done), anew)).toBe(`${nothing}\n\n${conversationGone}`);
  expect(finalView(said('Ye'), ['(stopped)'], false, anew).messages).toEqual([
    `Ye\n\n${conversationGone}\n\n(stopped)`,
  ]);
});

describe('reasoning that never ended', () => {
  const text = '<think>\n先看库存\n\n答案：还有 26 件。';

  test('is shown as reasoning when the answer is complete', () => {
    expect(card(said(text, done))).toBe('> **思考过程**<br>先看库存\n>\n> 答案：还有 26 件。');
    expect(card(said(`<think>一</think>好\n<think>二`, done))).toBe('> **思考过程**<br>二\n\n好');
  });

  test('is not shown when the answer was stopped, and not while it grows', () => {
    expect(card(said(text, { ending: { kind: 'stopped' } }))).not.toContain('26');
    expect(typingView(said(text), zh)).toBe('💭 正在思考…');
  });
});

test('a picture inside the text does not push the rest away', () => {
  const picture = `![图](data:image/png;base64,${'iVBORw0KGgoA'.repeat(5_000)})`;
  const options = { ...zh, cardMaxChars: 100 };
  expect(finalView(said(`前${picture}后`, done), [], true, options)).toEqual({ card: '前【图】后', messages: [] });
  expect(typingView(said(`前${picture}后`), options)).toBe('前【图】后');
  expect(typingView(said(`前${picture.slice(0, 30_000)}`), options)).toBe('前【图】');
});

test('a fence around a whole answer is removed, also where the answer is cut', () => {
  const answer = said(`\`\`\`markdown\n# 周报\n\n${'长'.repeat(90)}\n\n完\n\`\`\``, done);
  const { card: first, messages } = finalView(answer, [], true, { ...zh, cardMaxChars: 120 });
  expect([first, ...messages].join('\n')).not.toContain('```');
});

describe('links to Dify’s files', () => {
  const signed = '?timestamp=1784791801&nonce=9f&sign=zz%3D';
  const id = 'eba4f8c2-b9f5-53f1-8393-b77d2acab0d1';

  test.each([
    [`见 ![图表.png](/files/tools/${id}.png${signed})。`, '见 【图表.png】。'],
    [`![${id}.png](https://dify.example/files/tools/${id}.png${signed})`, '【图片】'],
    [`[报告.pdf](http://api:5001/files/${id}/file-preview${signed}) 好了`, '报告.pdf 好了'],
    [`[报告.pdf](/files/tools/${id}.pdf${signed})`, '报告.pdf'],
    [`https://dify.example/files/tools/${id}.png${signed} 好`, '【媒体】 好'],
    [`<https://dify.example/files/tools/${id}.png${signed}>`, '【媒体】'],
    [`<img src="https://dify.example/files/tools/${id}.png${signed}" alt="图">`, '【图】'],
    [`<a href="https://dify.example/files/tools/${id}.pdf${signed}">报告</a>`, '报告'],
    [`<audio src="https://dify.example/files/tools/${id}.mp3${signed}"></audio>`, '【媒体】'],
    [`[报告][1]\n\n[1]: https://dify.example/files/tools/${id}.pdf${signed}`, '报告'],
    [`\`/files/tools/a.png${signed}\``, '`/files/tools/a.png`'],
    [
      `\`\`\`json\n{"url":"/files/tools/a.png${signed}","x":1}\n\`\`\``,
      '```json\n{"url":"/files/tools/a.png","x":1}\n```',
    ],
    [`地址 /files/tools/a.png${signed} 在此`, '地址 /files/tools/a.png 在此'],
  ])('%s', (source, shown) => {
    expect(card(said(source, done))).toBe(shown);
    expect(finalView(said(source, done), [], false, zh).messages.join('\n')).not.toContain('sign=');
  });

  test('are not seen while they grow', () => {
    const source = `见 ![图表.png](https://dify.example/files/tools/${id}.png${signed}) 和 https://dify.example/files/tools/${id}.png${signed}`;
    for (let end = 1; end <= source.length; end += 1) {
      expect(typingView(said(source.slice(0, end)), zh)).not.toContain('sign=');
    }
  });

  test('are told from other people’s', () => {
    for (const address of ['https://other.example/a.png', 'https://other.example/files/2024/a.pdf']) {
      expect(card(said(`[x](${address}) ![y](${address})`, done))).toBe(`[x](${address}) ![y](${address})`);
    }
  });
});

test('sources are named only below a whole answer, at most ten, and only those with a name', () => {
  const named = (name: string, documentId: string | null = null) => ({ documentId, documentName: name });
  const citations = [named('a.md', '1'), named('*', '2'), named('b.md'), named('b.md')];
  expect(card(said('Yes', { citations, ...done }), en)).toBe('Yes\n\n**Sources**: a.md, b.md (2 passages)');
  expect(card(said('Yes', { citations, ending: { kind: 'stopped' } }), en)).toBe('Yes');
  const many = Array.from({ length: 12 }, (_, index) => named(`d${index}.md`));
  expect(card(said('Yes', { citations: many, ...done }), en).split(', ')).toHaveLength(10);
});

test('sources are named once, with the number of their passages', () => {
  const citations = ['a', 'b', 'a', 'a'].map((name) => ({ documentId: name, documentName: `${name}.md` }));
  expect(card(said('好', { citations, ...done }))).toBe('好\n\n**引用**：《a.md》（3 处）、《b.md》');
  expect(card(said('Yes', { citations, ...done }), en)).toBe('Yes\n\n**Sources**: a.md (3 passages), b.md');
});

describe('a form', () => {
  const files = { classes: ['image', 'document'], extensions: [], takesUploads: true, most: 1 } as const;
  const form: PendingForm = {
    token: 't',
    runId: 'r',
    nodeTitle: '退款审批',
    content: '退款 **40 元** 给 [Ann](dtmd://x)？\n\n说明：{{#$output.comment#}}',
    fields: [
      { name: 'comment', label: '备注', type: 'text', required: false, options: [], default: '无' },
      { name: 'level', label: 'level', type: 'select', required: true, options: ['low', 'high'], default: '' },
      { name: 'receipt', label: '收据', type: 'file', required: false, options: [], default: '', files },
    ],
    actions: [
      { id: 'approve', title: '同意 (1)' },
      { id: 'reject', title: '[驳回](https://evil.example)' },
    ],
    expiresAtMs: null,
  };
  const asked = said('请确认。', { form, ending: { kind: 'paused' } });

  test('names the extensions of the files that a field takes', () => {
    const custom = { ...files, classes: ['image', 'custom'], extensions: ['dwg', 'dxf'] } as const;
    const fields = form.fields.slice(-1).map((field) => ({ ...field, files: custom }));
    const shown = card(said('', { form: { ...form, fields }, ending: { kind: 'paused' } }), en);
    expect(shown).toContain(
      en.texts.form.fileField({ label: '收据', required: false, kinds: ['image', 'dwg', 'dxf'], most: 1 }),
    );
  });

  test('is shown below the text with its fields and how to answer', () => {
    expect(card(asked)).toBe(
      [
        '请确认。',
        '📝 **需要你来处理：退款审批**',
        '退款 **40 元** 给 Ann？',
        '说明：「备注」',
        '**需要填写**\n- 备注（可不填；默认：无）\n- level（必填；可选：A low，B high）\n- 收据（可不填；请直接发送文件：图片、文档）',
        '**可选操作**\n1. 同意 (1)\n2. 驳回 (https://evil.example)',
        '请回复操作的序号或名称，例如“同意 (1)”。要填写内容，请换行后写“备注：内容”，每项一行。',
      ].join('\n\n'),
    );
    expect(card(asked, { ...en, needsMention: true })).toContain('Mention me and reply with the number');
    expect(card(asked, { ...zh, needsMention: true })).toContain('请 @我 并回复操作的序号或名称');
    expect(card(asked, en)).toContain('Reply with the number or the name of an action, for example "同意 (1)".');
  });

  test.each([zh, en])('shows where a field stands, also on a line of its own', (options) => {
    const content = 'Refund?\n\n{{#$output.comment#}}\n\n{{#$output.level#}}: why';
    const places = [options.texts.form.place('备注'), `${options.texts.form.place('level')}: why`];
    expect(card({ ...asked, form: { ...form, content } }, options)).toContain(['Refund?', ...places].join('\n\n'));
  });

  /** The same without a choice that has no value yet. */
  const free = { ...asked, form: { ...form, fields: form.fields.filter(({ name }) => name !== 'level') } };

  test('offers links that type the action, which the reader of answers understands', () => {
    const view = card(free, { ...zh, links: true });
    const links = [...view.matchAll(/\]\(dtmd:\/\/dingtalkclient\/sendMessage\?content=([^()\s]*)\)/g)];
    const typed = links.map(([, content = '']) => decodeURIComponent(content));
    expect(typed).toEqual(form.actions.map(({ title }) => title));
    for (const [index, text] of typed.entries()) {
      expect(readFormReply(text, { actions: form.actions, fields: [] })).toEqual({
        action: form.actions[index],
        inputs: {},
      });
    }
    // Those that came with the form stay broken up.
    expect(view.match(/dtmd:\/\//g)).toHaveLength(2);
  });

  test('whose number has to be told has it in its title, its links and its example', () => {
    const view = card(free, { ...zh, links: true, formNumber: 2 });
    expect(view).toContain('**需要你来处理：退款审批 #2**');
    expect(view).toContain(`content=${encodeURIComponent('同意 ')}%281%29${encodeURIComponent(' #2')})`);
    expect(view).toContain('例如“同意 (1) #2”');
  });

  test('that has a choice or a file without a value offers no link, because it would be refused', () => {
    expect(card(asked, { ...zh, links: true })).not.toContain('dtmd:');
    const fields = free.form.fields.map((field) => ({ ...field, required: field.required || field.type === 'file' }));
    const view = card({ ...asked, form: { ...form, fields } }, { ...zh, links: true });
    expect(view).toContain('- 收据（必填；请直接发送文件：图片、文档）');
    expect(view).toContain('**可选操作**\n1. 同意');
    expect(view).not.toContain('dtmd:');
  });

  test('that requires a file which cannot be sent here says where one can', () => {
    const fields = [{ ...form.fields[2]!, required: true, files: { ...files, takesUploads: false } }];
    const view = card({ ...asked, form: { ...form, fields } }, { ...zh, links: true });
    expect(view).toMatch(/- 收据（[^）]*Dify 的网页[^）]*）$/);
    expect(view).not.toContain('可选操作');
  });

  test('whose files are not described says where one can be sent', () => {
    const { files: _files, ...field } = { ...form.fields[2]!, required: true };
    expect(card({ ...asked, form: { ...form, fields: [field] } }, zh)).toMatch(/- 收据（[^）]*Dify 的网页[^）]*）$/);
  });

  test.each([
    ['level', 'level：内容'],
    ['comment', '备注：内容'],
  ])('with the field %s says how to fill it in', (name, example) => {
    const fields = form.fields.filter((field) => field.name === name || field.type === 'file').toReversed();
    expect(card({ ...asked, form: { ...form, fields } }, zh)).toContain(`请换行后写“${example}”`);
  });

  test('whose options are not told says so', () => {
    const fields = [{ ...form.fields[1]!, options: [], isUnresolved: true }];
    expect(card({ ...asked, form: { ...form, fields } }, zh)).toContain('level（必填；选项由流程决定');
  });

  test('that came by e-mail says so instead', () => {
    const view = card({ ...asked, form: { ...form, token: null } }, { ...zh, links: true });
    expect(view).toContain('退款 **40 元**');
    expect(view).toMatch(new RegExp(`${zh.texts.form.byEmail([])}$`));
    expect(view).not.toContain('dtmd:');
    expect(view).not.toContain('可选操作');
  });

  test('without fields or actions shows only what it asks', () => {
    const bare = { ...form, nodeTitle: '', content: 'Wait for {{#$output.x#}}', fields: [], actions: [] };
    expect(card({ ...asked, form: bare }, en)).toBe(
      ['请确认。', '📝 **Your decision is needed**', 'Wait for “x”'].join('\n\n'),
    );
  });

  test('without a field to type says how to choose', () => {
    const view = card({ ...asked, form: { ...form, fields: [] } }, { ...en, links: false });
    expect(view).toContain('1. 同意 (1)\n2. ');
    expect(view).toMatch(/for example "同意 \(1\)"\.$/);
  });

  test('whose action has no name that can be shown makes no link of it', () => {
    const actions = [{ id: 'x', title: '***' }];
    const view = card({ ...asked, form: { ...form, actions } }, { ...en, links: true });
    expect(view).not.toContain('dtmd:');
    expect(view).toContain('**Choose one**\n1.');
  });

  test('that nobody answered is said to have expired', () => {
    expect(card(said('', { formExpired: true, ...done }))).toBe(zh.texts.form.expired(''));
    const named = { ...zh, expiredForm: '退款审批' };
    expect(card(said('已驳回。', { formExpired: true, ...done }), named)).toBe(
      '（表单「退款审批」没有在限定时间内处理，已经过期。）\n\n已驳回。',
    );
  });

  test('that was answered and led to no text says what was submitted', () => {
    expect(card(said('', done), { ...zh, submitted: '驳回' })).toBe('已提交：驳回。');
    expect(card(said('好', done), { ...zh, submitted: '驳回' })).toBe('好');
  });
});

describe('the label of a model’s text', () => {
  const { aiLabel } = zh.texts;
  const labelled = { ...zh, aiLabel, cardMaxChars: 300 };
  const long = said('很长的回答。\n\n'.repeat(100), done);
  const count = (messages: readonly string[]) => messages.join('\n').split(aiLabel).length - 1;

  test('stands once, at the end of the last message', () => {
    const { card: shown, messages } = finalView(long, [], true, labelled);
    expect(shown).not.toContain(aiLabel);
    expect(messages.at(-1)).toMatch(/\n\n内容由 AI 生成$/);
    expect(count(messages)).toBe(1);
    const many = finalView(said('字'.repeat(30_000), done), [], false, labelled).messages;
    expect(many).toHaveLength(5);
    expect(many.at(-1)).toMatch(/字\n\n内容由 AI 生成\n\n（还有/);
    expect(count(many)).toBe(1);
    expect(Math.max(...many.map((message) => message.length))).toBeLessThanOrEqual(3_800);
  });

  test('stands above what is said of how the answer ended', () => {
    expect(finalView(said('一半'), ['⚠️ 断了'], false, labelled).messages).toEqual([`一半\n\n${aiLabel}\n\n⚠️ 断了`]);
  });

  test.each<[string, Answer, string[], boolean]>([
    ['on a card', said('答', done), [], true],
    ['below a failure alone', said(''), ['⚠️ 失败'], false],
    ['below a sentence in the place of an answer', said('', done), [], false],
  ])('does not stand %s', (_where, answer, notes, hasCard) => {
    const { card: shown, messages } = finalView(answer, notes, hasCard, labelled);
    expect(count([shown ?? '', ...messages])).toBe(0);
  });
});

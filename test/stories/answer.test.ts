import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GROUP } from '../support/bridge.ts';
import { fast, stage, TAKEN, words } from '../support/stage.ts';

const { start, bridge } = stage();

describe('a question', () => {
  test('in a single chat streams into a card that ends', async () => {
    const chunks = ['Your order ', '**#4711** ', 'shipped.'].map((text) => ({ afterMs: 150, text }));
    await start({ app: { script: { chunks } } });
    const delivery = await bridge().ask('Where is my order?');
    expect(delivery).toMatchObject({ status: 200, body: TAKEN });
    expect(bridge().card()).toMatchObject({
      phase: 'finished',
      content: 'Your order **#4711** shipped.',
      space: { kind: 'single', id: 'staff-1' },
    });
    expect(
      bridge()
        .card()
        .frames.some(({ final }) => !final),
    ).toBe(true);
    expect(bridge().dingtalk.messages).toEqual([]);
  });

  test('in a group mentions the asker, and the chat list shows what was asked, then the answer', async () => {
    await start({ app: { script: words('Hi') } });
    await bridge().ask({ from: 'staff-2', conversation: GROUP, text: '年假怎么申请？' });
    expect(bridge().card()).toMatchObject({
      space: { kind: 'group', id: GROUP },
      mentions: [{ userId: 'staff-2', name: '李雷' }],
      listSummary: { ZH_CN: '正在回答：年假怎么申请？' },
      summaryFollows: true,
      variables: { config: '{"autoLayout":true}', question: '李雷：年假怎么申请？' },
      phase: 'finished',
    });
    // The space that the mention leaves is gone, and Dify knows the person by staff id, not by name.
    expect(bridge().dify.runs).toMatchObject([{ query: '年假怎么申请？', user: 'staff-2' }]);
  });

  test('of somebody outside the organisation is answered in the group, under a stable name that is not the nick', async () => {
    await start({ app: { script: words('Hi') } });
    await bridge().ask({ from: 'union-3', conversation: GROUP, text: 'one' });
    await bridge().ask({ from: 'union-3', conversation: GROUP, text: 'two' });
    const users = bridge().dify.runs.map(({ user }) => user);
    expect(users[0]).toMatch(/^sender-[0-9a-f]{32}$/);
    expect(users[1]).toBe(users[0]);
    expect(
      bridge()
        .cards()
        .map(({ phase }) => phase),
    ).toEqual(['finished', 'finished']);
  });

  test('may be spoken, or stand beside a picture', async () => {
    await start({ ...fast(), app: { script: words('Hi') } });
    await bridge().ask({
      from: 'staff-1',
      kind: 'audio',
      content: { downloadCode: 'd', duration: 1, recognition: '几点下班' },
    });
    await bridge().ask({
      from: 'staff-1',
      kind: 'richText',
      content: { richText: [{ text: '这张发票' }, { text: '能报销吗？' }, { type: 'picture', downloadCode: 'd' }] },
    });
    expect(bridge().dify.runs.map(({ query }) => query)).toEqual(['几点下班', '这张发票能报销吗？']);
    // An app that takes no pictures answers the words, and that it saw no picture is said.
    expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual([
      '这个 AI 应用不接受这种文件，请改用文字提问。',
    ]);
  });

  test('of a kind that nobody knows gets a friendly sentence and costs nothing', async () => {
    await start();
    await bridge().ask({ from: 'staff-1', kind: 'unknownMsgType' });
    await bridge().ask({ from: 'staff-1', conversation: GROUP, text: '' });
    expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual([
      expect.stringContaining('用文字提问'),
      expect.stringContaining('没有看到问题'),
    ]);
    expect(bridge().dify.requests).toEqual([]);
    expect(bridge().dingtalk.countedCalls()).toBe(0);
  });
});

describe('every kind of app', () => {
  const mode = (name: 'agent-chat' | 'agent' | 'advanced-chat' | 'workflow' | 'completion') => ({ mode: name });
  const form = { user_input_form: [{ paragraph: { variable: 'query', label: 'Question', required: true } }] };

  test.each([
    ['agent-chat', 'agent-tools.sse', 'Let me check the weather.<br>It is 21 °C and clear in Zürich.'],
    ['agent', 'new-agent-closing-message.sse', 'It is 21 °C and clear in Zürich.'],
    ['advanced-chat', 'chatflow-basic.sse', 'Your order **#4711** shipped yesterday and should arrive on Friday.'],
    ['advanced-chat', 'chatflow-legacy-0.15-order.sse', '你好，您的订单 #4711 已于昨天发货。'],
    ['advanced-chat', 'chatflow-think-tagged.sse', 'Your order shipped.'],
    ['workflow', 'workflow-text-chunks.sse', 'Bonjour le monde'],
    ['completion', 'completion-basic.sse', 'Your order **#4711** shipped yesterday and should arrive on Friday.'],
  ] as const)('%s: %s', async (name, bytes, content) => {
    const isForm = name === 'workflow' || name === 'completion';
    await start({ ...fast(), app: { ...mode(name), script: { bytes }, ...(isForm ? { parameters: form } : {}) } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content });
  });

  test('a workflow whose result is only in its outputs is no empty card', async () => {
    await start({
      ...fast(),
      app: { ...mode('workflow'), script: { bytes: 'workflow-outputs-only.sse' }, parameters: form },
    });
    await bridge().ask('hello');
    expect(bridge().card().content).toContain('Two issues found.');
    expect(bridge().card().content).toContain('report.pdf');
    expect(bridge().card().content).not.toContain('/files/');
  });

  const recorded = (file: string) => ({
    bytes: readFileSync(new URL(`../fixtures/dify-real/${file}.sse`, import.meta.url)),
  });

  test('a workflow with several outputs names them at the end, data in code blocks', async () => {
    const script = recorded('workflow-many-outputs');
    await start({ ...fast(), app: { ...mode('workflow'), script, parameters: form } });
    await bridge().ask('outputs');
    expect(bridge().card()).toMatchObject({ phase: 'finished' });
    const { content } = bridge().card();
    expect(content).toContain('**number**: 4\n\n**flag**: true');
    expect(content).toContain('```json\n{\n  "prompt_tokens": 21,\n');
    expect(bridge().dingtalk.messages).toEqual([]);
  });

  test('a chatflow takes back what a node said in a try that failed', async () => {
    await start({ ...fast(), app: { ...mode('advanced-chat'), script: recorded('chatflow-retry-then-default') } });
    await bridge().ask('errormid 8');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: '前 （默认的回答） 后' });
  });

  test.each([
    ['a second try that goes well', { text: '第二次' }, {}, '前：第一次 第二次。'],
    [
      'a default value',
      { pause: true },
      { ending: { kind: 'default-value', text: '默认', cause: 'broken-off' } },
      '前：默认。',
    ],
  ] as const)('the card never shows two tries of a node side by side: %s', async (_what, more, ending, content) => {
    const chunks = [
      { text: '第一次 ' },
      { afterMs: 3_000, retry: 'broken-off' as const },
      { afterMs: 3_000, text: '第一次 ' },
      { afterMs: 3_000, ...more },
    ];
    const script = { chunks, template: { before: '前：', after: '。' }, ...ending };
    await start({ ...fast(), app: { ...mode('advanced-chat'), script } });
    await bridge().ask('hello');
    const { frames, ...card } = bridge().card();
    expect(card).toMatchObject({ phase: 'finished', content });
    expect(frames.some((frame) => frame.content.includes('第一次'))).toBe(true);
    for (const frame of frames) expect(frame.content).not.toMatch(/第一次.*第一次/s);
  });

  test('a workflow whose other outputs are empty keeps its text as it streamed', async () => {
    const script = { chunks: [{ text: 'Just this' }], outputs: { text: 'Just this', score: null, rows: [] } };
    await start({ ...fast(), app: { ...mode('workflow'), script, parameters: form } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'Just this' });
  });

  test('a workflow without an input of the configured name gets the question in its only text input', async () => {
    const one = { user_input_form: [{ 'text-input': { variable: 'topic', label: 'Topic', required: true } }] };
    await start({ app: { ...mode('workflow'), script: words('ok'), parameters: one } });
    await bridge().ask('cats');
    expect(bridge().dify.runs).toMatchObject([{ inputs: { topic: 'cats' } }]);
  });

  test('an input that nobody fills is named, and Dify is not asked', async () => {
    const two = {
      user_input_form: [
        { 'text-input': { variable: 'query', label: '问题', required: true } },
        { 'text-input': { variable: 'city', label: '城市', required: true } },
      ],
    };
    await start({ app: { ...mode('workflow'), script: words('ok'), parameters: two } });
    await bridge().ask('weather');
    expect(bridge().card()).toMatchObject({ phase: 'failed', content: expect.stringContaining('城市') as string });
    expect(bridge().dify.runs).toEqual([]);
  });

  test('inputs are filled from the message', async () => {
    await start({
      app: {
        script: words('ok'),
        parameters: { user_input_form: [{ 'text-input': { variable: 'who', label: 'who' } }] },
      },
      env: { DIFY_INPUTS: '{"who":"{{staffId}}/{{chatTitle}}/{{query}}"}' },
    });
    await bridge().ask({ from: 'staff-1', conversation: GROUP, text: 'tell {{nick}}' });
    expect(bridge().dify.runs).toMatchObject([{ inputs: { who: 'staff-1/售后支持群/tell {{nick}}' } }]);
  });

  test('an app whose type /info does not tell is found by asking', async () => {
    await start({ app: { ...mode('workflow'), script: words('found'), parameters: form } });
    bridge().dify.faults.inject({ api: 'info', kind: 'http', name: 'internal-server-error' });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'found' });
    expect(bridge().dify.runs).toHaveLength(1);
  });

  test('the type is looked up once, not for each question', async () => {
    await start({ app: { script: words('ok') } });
    for (const text of ['one', 'two', 'three']) await bridge().ask(text);
    expect(bridge().dify.requests.filter(({ api }) => api === 'info')).toHaveLength(1);
  });
});

describe('an answer', () => {
  test('without text is shown as a sentence', async () => {
    await start({ app: { script: { bytes: 'chat-empty-answer.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card()).toMatchObject({
      phase: 'finished',
      content: expect.stringContaining('没有生成') as string,
    });
  });

  test('replaced by moderation shows the replacement only', async () => {
    await start({ app: { script: { bytes: 'chat-replace-final.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card().content).toBe("Sorry, I can't help with that.");
  });

  test("shows the model's reasoning as a quote, where SHOW_THINKING is true", async () => {
    const script = { bytes: 'chatflow-think-tagged.sse' };
    await start({ app: { mode: 'advanced-chat', script }, env: { SHOW_THINKING: 'true' } });
    await bridge().ask('hello');
    expect(bridge().card().content).toMatch(/^> \*\*思考过程\*\*.*order 4711\.\n\nYour order shipped\.$/s);
  });

  test('that rests on documents names each of them once', async () => {
    await start({ app: { script: { bytes: 'chat-citations.sse' } } });
    await bridge().ask('hello');
    expect(bridge().card().content).toMatch(
      /^Parcels ship within 24 hours \[1\]\.\n\n\*\*引用\*\*：《[^《》]+》(、《[^《》]+》)*$/,
    );
  });

  test('longer than a card goes on in messages below it, and what is left out is counted', async () => {
    const paragraph = `${'长'.repeat(99)}。\n\n`;
    await start({
      app: { script: words(paragraph.repeat(300)) },
      env: { DINGTALK_CARD_MAX_CHARS: '1000' },
      ...fast(10),
    });
    await bridge().ask('tell me everything');
    const { content, phase } = bridge().card();
    const messages = bridge().dingtalk.messages;
    expect(phase).toBe('finished');
    expect(content.length).toBeLessThanOrEqual(1000);
    expect(content).toContain('其余部分见下方消息');
    expect(messages).toHaveLength(5);
    const shown = [content, ...messages.map(({ text }) => text)].join('').split('长').length - 1;
    const leftOut = Number(/还有 (\d+) 个字符未显示/.exec(messages.at(-1)?.text ?? '')?.[1]);
    expect(shown / 99 + leftOut / 100).toBeGreaterThan(295);
    expect(shown / 99 + leftOut / 100).toBeLessThan(310);
    const gaps = messages.slice(1).map(({ at }, index) => at - (messages[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_900);
  });

  test('in English has English sentences', async () => {
    await start({ app: { script: { bytes: 'chat-empty-answer.sse' } }, env: { REPLY_LANGUAGE: 'en' } });
    await bridge().ask('hello');
    expect(bridge().card().content).toContain('Nothing was generated');
  });
});

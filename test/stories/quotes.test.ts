// What a message refers to: quotes in every shape, own cards, chat records, other robots, mentions left in the text.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { quoteShapes } from '../../playground/dingtalk/quotes.ts';
import type { CallbackInput, QuotedMessage, QuoteShape } from '../../playground/dingtalk/types.ts';
import { GROUP } from '../support/bridge.ts';
import { pdf, png } from '../support/files.ts';
import { askAs, fetched, shownIn, takingAll } from '../support/quotes.ts';
import { fast, heldAnswer, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const from = 'staff-1';
const script = words('好的。');
const runs = () => bridge().dify.runs;
const lastQuery = () => runs().at(-1)?.query;
const block = (text: string) =>
  text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');

interface Fixture {
  source: string;
  body: Record<string, unknown>;
  expect: { words: string; files?: { kind: string; code: string; name?: string }[]; told?: string };
}

const folder = new URL('../fixtures/quotes/', import.meta.url);
const fixtures = readdirSync(folder).map((file) => ({
  name: file.replace('.json', ''),
  ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Fixture),
}));

const CLASSES: Readonly<Record<string, string>> = {
  picture: 'image',
  audio: 'audio',
  video: 'video',
  file: 'document',
};

describe('a quote', () => {
  test.each(fixtures)('in the shape $name reaches Dify ($source)', async ({ body, expect: right }) => {
    await start({ app: { script, parameters: takingAll } });
    await askAs(bridge(), body);
    const question = '这是什么意思？';
    expect(runs()).toHaveLength(1);
    expect(lastQuery()).toBe(right.words === '' ? question : `${block(right.words)}\n\n${question}`);
    const files = right.files ?? [];
    expect(fetched(bridge())).toEqual(files.map(({ code }) => code));
    expect(runs()[0]?.files.map(({ type }) => type)).toEqual(files.map(({ kind }) => CLASSES[kind]));
    if (right.told === undefined) expect(bridge().card().content).toBe('好的。');
    else expect(bridge().card().content).toContain(right.told);
  });

  const picture = { name: 'a.png', bytes: png() };
  const record = [
    { name: '张晓雯', text: '明天几点开会' },
    { name: '李文博', file: picture },
  ];
  const quoteFor = (shape: QuoteShape): QuotedMessage => ({
    shape,
    text: '下周一切换',
    record,
    ...(shape === 'file' || shape === 'fileWithoutCode' ? { file: { name: 'a.pdf', bytes: pdf() } } : {}),
    ...(/picture|richText/.test(shape) ? { file: picture } : {}),
  });

  test.each(Object.keys(quoteShapes) as QuoteShape[])(
    'as the simulated DingTalk sends it in the shape %s is read, or told of',
    async (shape) => {
      await start({ app: { script, parameters: takingAll } });
      await bridge().ask({ from, text: '为什么？', quote: quoteFor(shape) });
      expect(runs()).toHaveLength(1);
      const known = /下周一切换|明天几点开会/.test(lastQuery() ?? '') || fetched(bridge()).length > 0;
      expect(known || /引用/.test(bridge().card().content)).toBe(true);
    },
  );

  test('that cannot be read and has no words beside it is answered with a sentence', async () => {
    await start({ app: { script } });
    await bridge().ask({ from, text: '', quote: { shape: 'idOnly' } });
    expect(runs()).toEqual([]);
    expect(shownIn(bridge())).toContain('没能读取引用的消息');
  });

  test('of which one picture is gone is asked about with the rest, and that is told', async () => {
    await start({ app: { script, parameters: takingAll } });
    const richText = [{ text: '两张图' }, { type: 'picture', downloadCode: 'gone' }];
    const text = { content: '比较', isReplyMsg: true, repliedMsg: { msgType: 'richText', content: { richText } } };
    await bridge().ask({ from, text: '' }, { text });
    expect(lastQuery()).toBe('> 两张图\n\n比较');
    expect(bridge().card().content).toContain('没能取到：1 张图片');
  });
});

describe('an own card that is quoted by its id', () => {
  const quoteOf = (index = 0): Pick<CallbackInput, 'from' | 'text' | 'quote'> => ({
    from,
    text: '再短一点',
    quote: { card: bridge().cards()[index]?.outTrackId ?? '' },
  });

  test.each(['chat', 'agent-chat', 'advanced-chat', 'workflow'] as const)(
    'is found, and its answer asked of Dify: %s',
    async (mode) => {
      await start({ app: { mode, script: words('<think>想一想</think>', '第一句。\n', '第二句。') } });
      await bridge().ask('写两句');
      await bridge().ask(quoteOf());
      expect(runs()).toHaveLength(2);
      const query = mode === 'workflow' ? Object.values(runs()[1]?.inputs ?? {}).join('\n') : lastQuery();
      expect(query).toBe('> 第一句。\n> 第二句。\n\n再短一点');
      expect(shownIn(bridge())).not.toContain('引用');
    },
  );

  test('has at most 4,000 characters', async () => {
    await start({ app: { script: words(`${'字'.repeat(3_999)}😀后面`) } });
    await bridge().ask('写长一点');
    await bridge().ask(quoteOf());
    expect(lastQuery()).toBe(`> ${'字'.repeat(3_999)}\n\n再短一点`);
  });

  test('is found when a hundred answers stand behind it', async () => {
    await start({ app: { script: words('好的。') } });
    await bridge().ask('第一问');
    const { conversationId: conversation_id, user } = runs()[0] ?? {};
    const body = { query: '别的', inputs: {}, response_mode: 'streaming', conversation_id, user };
    for (let more = 0; more < 110; more += 1) {
      const headers = { authorization: 'Bearer app-key-1', 'content-type': 'application/json' };
      const answer = await fetch(`${bridge().dify.url}/chat-messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      await answer.text();
    }
    await bridge().ask(quoteOf());
    expect(lastQuery()).toBe('> 好的。\n\n再短一点');
  });

  test('in a group is found for another member', async () => {
    await start({ app: { script: words('好的。') } });
    await bridge().ask({ from, conversation: GROUP, text: '群里问' });
    await bridge().ask({ ...quoteOf(), from: 'staff-2', conversation: GROUP });
    expect(lastQuery()).toBe('> 好的。\n\n再短一点');
  });

  test.each<[string, Partial<CallbackInput>, Partial<CallbackInput>]>([
    ['of another chat', {}, { conversation: GROUP }],
    ['of another single chat', {}, { from: 'staff-2' }],
    ['of a group, in a single chat', { conversation: GROUP }, {}],
  ])('%s is not told', async (_what, first, second) => {
    await start({ app: { script: words('机密。') } });
    await bridge().ask({ from, text: '问', ...first });
    await bridge().ask({ ...quoteOf(), ...second });
    expect(lastQuery()).toBe('再短一点');
    expect(bridge().cards()[1]?.content).toContain('没能读取引用的消息');
  });

  test('is not told to another person whose message names the same single chat', async () => {
    await start({ app: { script: words('机密。') } });
    await bridge().ask('问');
    const { conversationId } = bridge().card();
    await bridge().ask({ ...quoteOf(), from: 'staff-2' }, { conversationId });
    expect(lastQuery()).toBe('再短一点');
  });

  test('is not told to a person who may not ask', async () => {
    await start({ app: { script: words('机密。') }, env: { ALLOWED_USERS: 'staff-1' } });
    await bridge().ask({ from, conversation: GROUP, text: '问' });
    await bridge().ask({ ...quoteOf(), from: 'staff-2', conversation: GROUP });
    expect(runs()).toHaveLength(1);
  });

  test('of an app that keeps no answers is told of', async () => {
    await start({ app: { mode: 'completion', script: words('好的。') } });
    await bridge().ask('问');
    await bridge().ask(quoteOf());
    expect(bridge().cards()[1]?.content).toContain('没能读取引用的消息');
  });

  test('is found also when its question had waited', async () => {
    const held = heldAnswer();
    await start({ app: { script: held.script('第一。') } });
    await bridge().send('一');
    await expect
      .poll(() =>
        bridge()
          .cards()
          .map(({ content }) => content),
      )
      .toEqual([expect.stringContaining('well')]);
    await bridge().send('二');
    await expect.poll(() => bridge().dingtalk.cards.size).toBe(2);
    held.goOn();
    await bridge().idle();
    await bridge().ask(quoteOf(1));
    expect(lastQuery()).toBe('> well, 第一。\n\n再短一点');
  });
});

describe('a forwarded chat record', () => {
  test('is asked about: who said what, its pictures as files, and what is missing is named', async () => {
    await start({ app: { script, parameters: takingAll } });
    const record = [
      { name: '张晓雯', text: '明天几点开会' },
      { name: '李文博', file: { name: 'a.png', bytes: png() } },
      { name: '张晓雯', file: null },
    ];
    await bridge().ask({ from, kind: 'chatRecord', record });
    expect(lastQuery()).toBe('> 张晓雯: 明天几点开会\n> 李文博: [图片]\n> 张晓雯: [文件]\n\n请看这段聊天记录。');
    expect(runs()[0]?.files).toMatchObject([{ type: 'image' }]);
    expect(bridge().card().content).toContain('没能取到：1 个文件');
  });

  test('has 30 entries at most; the rest is counted', async () => {
    await start({ app: { script } });
    const record = Array.from({ length: 35 }, (_, index) => ({ name: '张晓雯', text: `第 ${index + 1} 句` }));
    await bridge().ask({ from, kind: 'chatRecord', record });
    expect(lastQuery()).toContain('> 张晓雯: 第 30 句\n\n');
    expect(bridge().card().content).toContain('没能取到：5 条消息');
  });

  test('without anything in it is told of', async () => {
    await start({ app: { script } });
    await bridge().ask({ from, kind: 'chatRecord', content: { title: '聊天记录', chatRecord: '[]' } });
    expect(runs()).toEqual([]);
    expect(shownIn(bridge())).toContain('没能读取转发的聊天记录');
  });
});

describe('other kinds', () => {
  test.each<[Partial<CallbackInput>, string]>([
    [{ kind: 'markdown', content: { text: '# 通知\n下周一' } }, '# 通知\n下周一'],
    [{ kind: 'link' }, '切换方案\n下周一\nhttps://example.com/plan'],
    [{ kind: 'interactiveCard', text: '今天天气' }, '今天天气'],
  ])('are answered like text: %j', async (input, query) => {
    await start({ app: { script } });
    await bridge().ask({ from, ...input });
    expect(lastQuery()).toBe(query);
  });

  test.each([
    { content: { biz_custom_action_url: 'https://alidocs.dingtalk.com/i/nodes/1' } },
    { biz_custom_action_url: 'dingtalk://x' },
  ])('a shared document is answered with what to do: %j', async (overrides) => {
    await start({ app: { script } });
    await bridge().ask({ from, text: '' }, { msgtype: 'interactiveCard', text: undefined, ...overrides });
    expect(runs()).toEqual([]);
    expect(shownIn(bridge())).toContain('我无法打开钉钉文档');
  });

  test('a file beside the words of a group is taken', async () => {
    await start({ app: { script, parameters: takingAll } });
    bridge().dingtalk.keepFile('code-1', { name: 'a.pdf', bytes: pdf() });
    const richText = [{ text: '总结' }, { type: 'file', downloadCode: 'code-1', fileName: 'a.pdf' }];
    await bridge().ask({ from, conversation: GROUP, kind: 'richText', content: { richText } });
    expect(runs()[0]).toMatchObject({ query: '总结', files: [{ type: 'document' }] });
  });
});

describe('two robots', () => {
  const robot: CallbackInput = { from: 'union-3', conversation: GROUP, kind: 'interactiveCard', text: '你怎么看？' };

  test('get three answers in a row, however slowly; a message of a person begins anew', async () => {
    await start({ app: { script }, ...fast() });
    const { dingtalk } = bridge();
    for (let times = 0; times < 5; times += 1) {
      await bridge().ask(robot);
      dingtalk.expireSessions();
    }
    expect(runs()).toHaveLength(3);
    expect(dingtalk.cards.size + dingtalk.messages.length).toBe(3);
    expect(bridge().logs.filter(({ event }) => event === 'robot_not_answered')).toHaveLength(2);
    await bridge().ask({ from, text: '别的会话' });
    await bridge().ask(robot);
    expect(runs()).toHaveLength(4);
    await bridge().ask({ from, conversation: GROUP, text: '/help' });
    await bridge().ask(robot);
    expect(runs()).toHaveLength(5);
    await bridge().ask({ from, conversation: GROUP, text: '人的问题' });
    for (let times = 0; times < 5; times += 1) await bridge().ask(robot);
    expect(runs()).toHaveLength(9);
  });

  test('are told no sentence', async () => {
    await start({ app: { script }, env: { ALLOWED_USERS: 'staff-1' } });
    await bridge().ask(robot);
    expect([runs(), shownIn(bridge())]).toEqual([[], '']);
  });
});

describe('a mention before a command', () => {
  test.each(['@小助手 /new', '@小助手\u2005/new。', '@AI 小助手 /NEW', '新会话！', '/new @小助手'])(
    'is none of its words: %s',
    async (text) => {
      await start({ app: { script } });
      await bridge().ask({ from, conversation: GROUP, text });
      expect(runs()).toEqual([]);
      expect(shownIn(bridge())).toContain('已开始新会话');
    },
  );

  test.each(['@小助手 停止使用这个功能', '怎么停止？', '请 停止'])('a question stays one: %s', async (text) => {
    await start({ app: { script } });
    await bridge().ask({ from, text });
    expect(lastQuery()).toBe(text);
  });

  test('spoken, with a full stop', async () => {
    await start({ app: { script } });
    await bridge().ask({ from, kind: 'audio', recognition: '帮助。' });
    expect(shownIn(bridge())).toContain('要问群里的文件');
  });
});

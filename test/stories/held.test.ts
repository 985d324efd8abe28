// A file, then words: in a single chat these are two messages and one question.
import { describe, expect, test } from 'vitest';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { Script } from '../../playground/dify/types.ts';
import type { CallbackInput } from '../../playground/dingtalk/types.ts';
import { GROUP, withButtons } from '../support/bridge.ts';
import { amr, pdf, png, taking } from '../support/files.ts';
import { fast, heldAnswer, stage, words } from '../support/stage.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const { start, bridge } = stage();

const script = words('seen');
const from = 'staff-1';
const picture = (name = 'a.png'): CallbackInput => ({ from, kind: 'picture', file: { name, bytes: png() } });
const paper = (name = '报告.pdf'): CallbackInput => ({ from, kind: 'file', file: { name, bytes: pdf() } });
const app = { script, parameters: taking('image', 'document') };
const runs = () => bridge().dify.runs;
const uploads = () => [...bridge().dify.uploads.values()];
const messages = () => bridge().dingtalk.messages.map(({ text }) => text);
/** What a person reads of the newest message, and where its link leads. */
const newest = () => {
  const text = messages().at(-1) ?? '';
  return { shown: text.replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1'), link: /dtmd:\S+?(?=\))/u.exec(text)?.[0] ?? '' };
};
const tap = async () => {
  const { conversationId } = bridge().dingtalk.messages.at(-1) ?? { conversationId: '' };
  const sent = bridge().dingtalk.tapLink(conversationId, from, newest().link);
  if (!sent) throw new Error('the link sends nothing');
  await bridge().ask(sent);
};
const countedCalls = () => bridge().dingtalk.countedCalls();

/** An app without a conversation: what it is not told with the question it does not know. */
const workflow = {
  mode: 'workflow',
  script,
  parameters: {
    user_input_form: [
      { 'text-input': { variable: 'query', label: 'query', required: true } },
      { 'file-list': { variable: 'papers', label: 'papers', allowed_file_types: ['document', 'image'] } },
    ],
  },
} as const;

/** DingTalk's answer to a download code that it does not take any more. */
const GONE = 'invalidParameter.robotCode.downloadCode';

describe('a file, then words', () => {
  test.each([
    ['a chat', app],
    ['a workflow', workflow],
  ])('are one question to %s', async (_, asked) => {
    await start({ app: asked });
    await bridge().ask(picture());
    expect(newest().shown).toBe('收到 1 张图片。想了解什么？请直接提问，或点「看看这个」');
    expect(bridge().dingtalk.messages[0]?.title).toBe(newest().shown);
    expect([runs(), uploads(), bridge().cards()]).toEqual([[], [], []]);
    await bridge().ask('这是什么花？');
    expect(runs()).toMatchObject([{ query: '这是什么花？', files: [{ type: 'image' }], user: 'staff-1' }]);
    expect(uploads()).toHaveLength(1);
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'seen' });
    await bridge().ask('还有呢？');
    expect(runs()[1]).toMatchObject({ query: '还有呢？', files: [] });
    expect(messages()).toHaveLength(1);
  });

  test('cost nothing of the month until there are words, and one store request', async () => {
    const operations: string[] = [];
    const state = createMemoryState(systemClock);
    await start({
      app,
      state: new Proxy(state, {
        get(target, name: keyof typeof state) {
          const value: unknown = target[name];
          // An arrival goes along with a request that is made anyway.
          if (typeof value !== 'function' || name === 'noteArrival') return value;
          return (...args: unknown[]) => {
            operations.push(name);
            return (value as (...given: unknown[]) => unknown).apply(target, args);
          };
        },
      }),
    });
    await bridge().ask(picture());
    expect(operations).toEqual(['hold']);
    expect(countedCalls()).toBe(0);
    await bridge().ask('what?');
    expect(operations.slice(1)).toEqual(['accept', 'renew', 'finish']);
  });

  test('two files go together, in the order in which they came', async () => {
    await start({ app: workflow });
    await bridge().ask(paper('一.pdf'));
    expect(newest().shown).toBe('收到 1 个文件。想了解什么？请直接提问，或点「看看这个」');
    await bridge().ask(picture('二.png'));
    expect(newest().shown).toBe('收到 1 张图片、1 个文件。想了解什么？请直接提问，或点「看看这个」');
    await bridge().ask('比较一下');
    expect(runs()).toMatchObject([{ query: '比较一下' }]);
    expect(runs()[0]?.files).toMatchObject([
      { variable: 'papers', type: 'document' },
      { variable: 'papers', type: 'image' },
    ]);
    expect(uploads().map(({ name }) => name)[0]).toBe('一.pdf');
  });

  test('a tap asks with the sentence that a file without words gets, once', async () => {
    await start({ app });
    await bridge().ask(picture());
    await tap();
    expect(runs()).toMatchObject([{ query: '请看这张图片。', files: [{ type: 'image' }] }]);
    await tap();
    expect(runs()).toHaveLength(1);
    expect(newest().shown).toContain('没有等待提问的文件');
    await bridge().ask(paper());
    await bridge().ask(picture());
    await tap();
    expect(runs()[1]).toMatchObject({ query: '请看这些文件。', files: [{ type: 'document' }, { type: 'image' }] });
  });

  test('words in another chat, of another person, or a command do not take it', async () => {
    await start({ app, env: { CONVERSATION_SCOPE: 'user' } });
    await bridge().ask(picture());
    await bridge().ask({ from, conversation: GROUP, text: 'in the group' });
    await bridge().ask({ from: 'staff-2', text: 'of another' });
    for (const command of ['/help', '/id', '/stop']) await bridge().ask(command);
    expect(runs().map(({ files }) => files)).toEqual([[], []]);
    await bridge().ask('mine');
    expect(runs()[2]).toMatchObject({ query: 'mine', files: [{ type: 'image' }] });
  });

  test('/new drops what was held, and says so', async () => {
    await start({ app });
    await bridge().ask(picture());
    await bridge().ask(picture());
    await bridge().ask('/new');
    expect(newest().shown).toContain('之前发来、还没有提问的 2 个文件也不再保留');
    await bridge().ask('and now?');
    expect(runs()).toMatchObject([{ query: 'and now?', files: [] }]);
    await bridge().ask('/new');
    expect(newest().shown).not.toContain('文件');
  });

  test('words that wait behind an answer take it; what comes after them waits for other words', async () => {
    const { goOn, script: held } = heldAnswer();
    await start({ app: { ...app, script: ({ text }) => (text === 'first' ? held('first') : script) } });
    await bridge().send('first');
    await expect.poll(() => runs().length).toBe(1);
    await bridge().send(picture());
    await bridge().send('second');
    await bridge().send(paper());
    goOn();
    await bridge().idle();
    await bridge().ask('third');
    expect(runs()).toMatchObject([
      { query: 'first', files: [] },
      { query: 'second', files: [{ type: 'image' }] },
      { query: 'third', files: [{ type: 'document' }] },
    ]);
  });

  test('a voice message is words, whoever recognises it', async () => {
    const parameters = { ...taking('image'), speech_to_text: { enabled: true } };
    await start({ app: { script, parameters, transcribe: () => '画的是谁' } });
    await bridge().ask(picture());
    await bridge().ask({ from, kind: 'audio', recognition: '这是哪里' });
    await bridge().ask(picture());
    await bridge().ask({ from, kind: 'audio', recognition: '', file: { name: 'a.amr', bytes: amr() } });
    expect(runs()).toMatchObject([
      { query: '这是哪里', files: [{ type: 'image' }] },
      { query: '画的是谁', files: [{ type: 'image' }] },
    ]);
  });

  test('words with a picture, or with a quoted one, go at once and take it along, in order', async () => {
    await start({ app });
    await bridge().ask(paper());
    await bridge().ask({ from, kind: 'richText', text: '对照', pictures: [{ name: 'b.png', bytes: png() }] });
    await bridge().ask(paper());
    const quote = { kind: 'picture', file: { name: 'q.png', bytes: png() } } as const;
    await bridge().ask({ from, text: '与引用的比较', quote });
    expect(runs()).toMatchObject([
      { query: '对照', files: [{ type: 'document' }, { type: 'image' }] },
      { query: '与引用的比较', files: [{ type: 'document' }, { type: 'image' }] },
    ]);
  });

  test('several pictures without words in one message are held', async () => {
    await start({ app });
    const pictures = [1, 2].map((index) => ({ name: `${index}.png`, bytes: png() }));
    await bridge().ask({ from, kind: 'richText', text: '', pictures });
    expect(newest().shown).toContain('收到 2 张图片。');
    await bridge().ask('有什么不同？');
    expect(runs()).toMatchObject([{ files: [{ type: 'image' }, { type: 'image' }] }]);
  });

  test('a repeated delivery of the file is held once', async () => {
    await start({ app });
    const callback = bridge().dingtalk.callback(picture());
    for (let time = 0; time < 3; time += 1) await bridge().dingtalk.deliver(bridge().callbackUrl, callback);
    await bridge().idle();
    expect(messages()).toHaveLength(1);
    await bridge().ask('once');
    expect(runs()[0]?.files).toHaveLength(1);
  });

  test('a kill after the file loses nothing', async () => {
    await start({ app: workflow, state: { ...createMemoryState(systemClock), isDurable: true } });
    await bridge().ask(picture());
    await bridge().kill();
    await bridge().ask('这是什么花？');
    expect(runs()).toMatchObject([{ query: '这是什么花？', files: [{ type: 'image' }] }]);
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'seen' });
  });

  test('a kill between the words and Dify leaves the files with the words', async () => {
    const state = createMemoryState(systemClock);
    const leaseTiming = { leaseMs: 600, renewMs: 200 };
    const { goOn, script: held } = heldAnswer();
    await start({
      app: { ...app, mode: 'advanced-chat', script: ({ text }) => (text === 'first' ? held('first') : script) },
      state: { ...state, isDurable: true },
      leaseTiming,
      env: { CRON_SECRET: 'cron-secret' },
    });
    await bridge().send('first');
    await expect.poll(() => runs().length).toBe(1);
    await bridge().send(picture());
    await expect.poll(messages).toHaveLength(1);
    await bridge().send('second');
    const recorded = async () => (await state.peek(bridge().cards()[1]?.outTrackId ?? '')).progress;
    await expect.poll(recorded).toContain('"hasCard":true');
    await bridge().kill();
    goOn();
    await new Promise((resolve) => setTimeout(resolve, leaseTiming.leaseMs));
    const headers = { authorization: 'Bearer cron-secret' };
    await fetch(`${bridge().url}?sweep`, { headers });
    await bridge().idle();
    expect(runs()[1]).toMatchObject({ query: 'second', files: [{ type: 'image' }] });
    expect(runs()).toHaveLength(2);
  });

  test('what was held for a quarter of an hour is not asked about, and the asker learns it', async () => {
    const clock = createVirtualClock();
    const state = createMemoryState(clock);
    await start({ app, state, ...fast() });
    await bridge().ask(picture());
    await clock.advance(15 * 60_000 + 1_000);
    await bridge().ask('这是什么花？');
    expect(runs()).toMatchObject([{ query: '这是什么花？', files: [] }]);
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'seen' });
    expect(newest().shown).toContain('之前发来的文件已失效');
    await bridge().ask(picture());
    await clock.advance(16 * 60_000);
    await tap();
    expect(newest().shown).toContain('没有等待提问的文件');
    expect(runs()).toHaveLength(1);
  });

  test('what DingTalk does not give any more is said to be so', async () => {
    await start({ app });
    await bridge().ask(picture());
    bridge().dingtalk.faults.inject({ api: 'downloadFile', kind: 'status', status: 400, code: GONE });
    await bridge().ask('这是什么花？');
    expect(runs()).toEqual([]);
    expect(bridge().card()).toMatchObject({ phase: 'failed' });
    expect(bridge().card().content).toContain('请重新发送文件后再问');
    expect(bridge().card().content).not.toContain('再试一次');
  });

  test('the eleventh file is not kept', async () => {
    await start({
      app: { script, parameters: { file_upload: { ...taking('image').file_upload, number_limits: 10 } } },
    });
    for (let count = 0; count < 11; count += 1) await bridge().ask(picture());
    expect(newest().shown).toContain('最多先保留 10 个文件');
    await tap();
    expect(runs()[0]?.files).toHaveLength(10);
  });

  test('what the app has no room for is told at once, and left out', async () => {
    const parameters = { file_upload: { ...taking('image').file_upload, number_limits: 1 } };
    await start({ app: { script, parameters }, ...fast() });
    await bridge().ask(picture());
    await bridge().ask(picture());
    expect(newest().shown).toMatch(/一次最多接受 1 个文件.*\n\n收到 1 张图片。/su);
    await bridge().ask('what?');
    expect(runs()[0]?.files).toHaveLength(1);
  });

  test('what the app does not take is refused at once, and not held', async () => {
    await start({ app });
    await bridge().ask(picture());
    await bridge().ask({ from, kind: 'video' });
    expect(bridge().card()).toMatchObject({ phase: 'failed' });
    expect(bridge().card().content).toContain('可以发送：图片、文档');
    await bridge().ask('what?');
    expect(runs()).toMatchObject([{ query: 'what?', files: [{ type: 'image' }] }]);
    expect(messages()).toHaveLength(1);
  });

  test('an app that greets does so before it says what waits', async () => {
    const opening = { opening_statement: '你好，我是助手。' };
    await start({ app: { script, parameters: { ...taking('image'), ...opening } } });
    await bridge().ask(picture());
    expect(messages()).toEqual(['你好，我是助手。', expect.stringContaining('收到 1 张图片')]);
    await bridge().ask('what?');
    expect(messages()).toHaveLength(2);
  });

  test('a failed question is tried again with its files, and without those that came since', async () => {
    let isDown = true;
    const failing: Script = { chunks: [], ending: { kind: 'failed', message: 'x' } };
    await start({ ...withButtons, app: { ...workflow, script: () => (isDown ? failing : script) } });
    await bridge().ask(paper());
    await bridge().ask('what?');
    await bridge().ask(picture());
    isDown = false;
    const { outTrackId } = bridge().card();
    await bridge().dingtalk.tap({ outTrackId, userId: from, actionId: 'retry', params: { action: 'retry' } });
    await bridge().idle();
    expect(runs()[1]).toMatchObject({ query: 'what?', files: [{ type: 'document' }] });
    await bridge().ask('and this?');
    expect(runs()[2]).toMatchObject({ query: 'and this?', files: [{ type: 'image' }] });
  });

  test('with FILE_ALONE=ask a file is asked about at once', async () => {
    await start({ app, env: { FILE_ALONE: 'ask' } });
    await bridge().ask(picture());
    expect(runs()).toMatchObject([{ query: '请看这张图片。', files: [{ type: 'image' }] }]);
    expect(messages()).toEqual([]);
  });
});

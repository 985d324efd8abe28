// One conversation has one running answer; who waits is told so; commands pass the queue.
import { beforeEach, describe, expect, test } from 'vitest';
import { GROUP } from '../support/bridge.ts';
import { fast, heldAnswer, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const slow = (ms: number, text: string) => ({
  chunks: [
    { afterMs: ms / 2, text: 'well, ' },
    { afterMs: ms / 2, text },
  ],
});
/** Slow answers end when they are told to. */
let held = heldAnswer();
beforeEach(() => {
  held = heldAnswer();
});
const script = ({ text }: { text: string }) => (text.startsWith('slow') ? held.script(text) : words(text));
const cards = () => bridge().cards();
const inGroup = (from: string, text: string) => ({ from, conversation: GROUP, text });

describe('two quick questions of one person', () => {
  test('are answered in order, in one conversation, one run at a time', async () => {
    await start({ app: { script } });
    await bridge().send('slow one');
    await bridge().send('two');
    held.goOn();
    await bridge().idle();
    const runs = bridge().dify.runs;
    expect(runs.map(({ query, turn }) => `${turn} ${query}`)).toEqual(['1 slow one', '2 two']);
    expect(runs[1]?.conversationId).toBe(runs[0]?.conversationId);
    expect(runs[1]?.startedAt).toBeGreaterThanOrEqual(runs[0]?.finishedAt ?? Infinity);
    expect(cards().map(({ phase, content }) => `${phase} ${content}`)).toEqual([
      'finished well, slow one',
      'finished > two\n\ntwo',
    ]);
  });

  test('open two cards at once, and the second says that it waits', async () => {
    await start({ app: { script } });
    await bridge().send('slow one');
    await bridge().send('two');
    await expect.poll(() => cards()[1]?.frames.length ?? 0).toBeGreaterThan(0);
    held.goOn();
    await bridge().idle();
    const [, second] = cards();
    expect(second?.frames[0]?.content).toContain('前面还有 1 个问题');
    expect(second?.createdAt).toBeLessThan(bridge().dify.runs[0]?.finishedAt ?? 0);
  });

  test('are asked in any case, also when the first one fails', async () => {
    await start({
      app: {
        script: ({ text }) =>
          text === 'bad' ? { ...held.script(text), ending: { kind: 'failed', message: 'x' } } : words(text),
      },
    });
    await bridge().send('bad');
    await bridge().send('good');
    held.goOn();
    await bridge().idle();
    expect(cards().map(({ phase }) => phase)).toEqual(['failed', 'finished']);
  });
});

describe('without a card', () => {
  const env = { DINGTALK_CARD_TEMPLATE_ID: '' };

  test('a question that waits is answered through its own reply address, also when nobody tells how long that lives', async () => {
    await start({ env, app: { script }, ...fast(10) });
    await bridge().send('slow one');
    await bridge().send('two', { sessionWebhookExpiredTime: undefined });
    held.goOn();
    await bridge().idle();
    expect(bridge().dingtalk.messages.map(({ channel, text }) => `${channel} ${text}`)).toEqual([
      'session well, slow one',
      'session two',
    ]);
  });

  test('nobody is told of a short wait', async () => {
    await start({ app: { script: ({ text }) => slow(6_000, text) }, env, ...fast(4) });
    await bridge().send('slow one');
    await bridge().send('two');
    await bridge().idle();
    expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual(['well, slow one', 'well, two']);
  });

  test('a longer one is told once', async () => {
    await start({ app: { script: () => slow(30_000, 'there') }, env, ...fast(20) });
    await bridge().send('slow one');
    await bridge().send('two');
    await bridge().idle();
    expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual([
      expect.stringContaining('正在处理“slow one”'),
      expect.stringContaining('前面还有 1 个问题'),
      'well, there',
      expect.stringContaining('正在处理“two”'),
      'well, there',
    ]);
  });
});

test('more than five waiting questions are refused in a sentence, and lose nothing of the others', async () => {
  await start({ app: { script } });
  await bridge().send('slow 0');
  for (const text of ['1', '2', '3', '4', '5', '6']) await bridge().send(text);
  held.goOn();
  await bridge().idle();
  expect(bridge().dify.runs.map(({ query }) => query)).toEqual(['slow 0', '1', '2', '3', '4', '5']);
  expect(bridge().dingtalk.messages).toMatchObject([{ text: expect.stringContaining('等待的问题太多') as string }]);
});

describe('different people in a group', () => {
  test('do not wait for each other', async () => {
    await start({ app: { script } });
    await bridge().send(inGroup('staff-1', 'slow one'));
    await bridge().send(inGroup('staff-2', 'quick'));
    await expect.poll(() => bridge().dify.runs[1]?.status).toBe('succeeded');
    expect(bridge().dify.runs[0]?.status).toBe('running');
    held.goOn();
  });

  test('take turns where they share one conversation', async () => {
    await start({ app: { script }, env: { CONVERSATION_SCOPE: 'chat' } });
    await bridge().send(inGroup('staff-1', 'slow one'));
    await bridge().send(inGroup('staff-2', 'quick'));
    held.goOn();
    await bridge().idle();
    expect(bridge().dify.runs.map(({ turn }) => turn)).toEqual([1, 2]);
    expect(cards().map(({ mentions }) => mentions[0]?.userId)).toEqual(['staff-1', 'staff-2']);
  });
});

describe('commands pass the queue', () => {
  test('/new: what waits starts in the new conversation', async () => {
    await start({ app: { script } });
    await bridge().ask('before');
    await bridge().send('slow one');
    await bridge().send('two');
    await bridge().send('/new');
    await expect.poll(() => bridge().dingtalk.messages.length).toBe(1);
    held.goOn();
    await bridge().idle();
    const [before, running, waiting] = bridge().dify.runs;
    expect(running?.conversationId).toBe(before?.conversationId);
    expect(waiting).toMatchObject({ query: 'two', turn: 1 });
    expect(waiting?.conversationId).not.toBe(before?.conversationId);
  });

  test.each(['/stop', '停止'])(
    '%s: the running answer ends with its text, and what waits is not asked',
    async (typed) => {
      await start({
        app: {
          script: () => ({
            chunks: [
              { afterMs: 50, text: 'so far' },
              { afterMs: 60_000, text: ' never' },
            ],
          }),
        },
      });
      await bridge().send('one');
      await expect.poll(() => cards()[0]?.content).toBe('so far');
      await bridge().send('two');
      await expect.poll(() => cards().length).toBe(2);
      await bridge().send(typed);
      await bridge().idle();
      expect(bridge().dify.runs).toMatchObject([{ query: 'one', status: 'stopped' }]);
      expect(cards().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
      expect(cards()[0]?.content).toMatch(/^so far.*已停止/s);
      expect(cards()[1]?.content).toContain('已停止');
      expect(bridge().dingtalk.messages).toMatchObject([{ text: expect.stringContaining('正在停止') as string }]);
    },
  );

  test('/stop of somebody else stops nothing', async () => {
    await start({ app: { script }, env: { CONVERSATION_SCOPE: 'chat' } });
    await bridge().send(inGroup('staff-1', 'slow one'));
    await bridge().send(inGroup('staff-2', '/stop'));
    await expect.poll(() => bridge().dingtalk.messages.length).toBe(1);
    held.goOn();
    await bridge().idle();
    expect(cards()).toMatchObject([{ content: 'well, slow one' }]);
    expect(bridge().dingtalk.messages).toMatchObject([{ text: expect.stringContaining('没有正在生成') as string }]);
  });
});

test('a run that waits for a person ends its turn and frees the conversation', async () => {
  const paused = {
    chunks: [{ text: 'Approve?' }],
    ending: { kind: 'paused' as const, formContent: 'x', formToken: 't' },
  };
  await start({ app: { mode: 'advanced-chat', script: ({ text }) => (text === 'refund' ? paused : words(text)) } });
  await bridge().send('refund');
  await bridge().send('next');
  await bridge().idle();
  expect(bridge().dify.runs.map(({ query, status }) => `${query} ${status}`)).toEqual([
    'refund paused',
    'next succeeded',
  ]);
});

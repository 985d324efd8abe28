// What is remembered from one question to the next.
import { describe, expect, test } from 'vitest';
import type { DifyVersion } from '../../playground/dify/types.ts';
import { GROUP } from '../support/bridge.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { heldAnswer, stage, words } from '../support/stage.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const { start, bridge } = stage();

const conversations = () => bridge().dify.runs.map(({ conversationId }) => conversationId);
const inGroup = (from: string, text: string) => ({ from, conversation: GROUP, text });

describe('the context', () => {
  test('goes on with the next question', async () => {
    await start({ app: { script: words('Hello') } });
    await bridge().ask('one');
    await bridge().ask('two');
    expect(bridge().dify.runs.map(({ turn }) => turn)).toEqual([1, 2]);
  });

  test.each([
    // The same person in a single chat and in the group, then somebody else in the group.
    ['user-in-chat', 3, ['staff-1', 'staff-1', 'staff-2']],
    ['user', 2, ['staff-1', 'staff-1', 'staff-2']],
    ['chat', 2, [expect.stringMatching(/^chat-/), expect.stringMatching(/^chat-/), expect.stringMatching(/^chat-/)]],
  ] as const)('with scope %s is shared as far as that', async (scope, different, users) => {
    await start({ app: { script: words('Hello') }, env: { CONVERSATION_SCOPE: scope } });
    await bridge().ask('alone');
    await bridge().ask(inGroup('staff-1', 'in the group'));
    await bridge().ask(inGroup('staff-2', 'somebody else'));
    expect(new Set(conversations()).size).toBe(different);
    expect(bridge().dify.runs.map(({ user }) => user)).toEqual(users);
  });

  test('survives an answer that breaks off', async () => {
    await start({
      app: { script: ({ turn }) => (turn === 1 ? { ...words('half'), ending: { kind: 'cut' } } : words('whole')) },
    });
    await bridge().ask('one');
    await bridge().ask('two');
    expect(bridge().dify.runs.map(({ turn }) => turn)).toEqual([1, 2]);
  });

  test.each([
    ['chat', 'modern', undefined],
    ['advanced-chat', 'legacy', 'not-found'],
    ['advanced-chat', '1.14', undefined],
    ['advanced-chat', 'main', undefined],
  ] as const)(
    'that Dify has lost (%s, %s) is replaced within the same turn',
    async (mode, version, staleConversation) => {
      const behaviour = staleConversation ? { staleConversation } : {};
      await start({
        clock: createFastClock(20),
        env: { REPLY_LANGUAGE: 'en' },
        app: { mode, script: words('Hello') },
        dify: { version: version satisfies DifyVersion, behaviour },
      });
      await bridge().ask('one');
      bridge().dify.forgetConversation(conversations()[0] ?? '');
      await bridge().ask('two');
      await bridge().ask('three');
      const [first, second, third] = bridge()
        .dify.runs.filter(({ status }) => status === 'succeeded')
        .map((run) => run.conversationId);
      expect(second).not.toBe(first);
      expect(third).toBe(second);
      expect(
        bridge()
          .cards()
          .map(({ phase, content }) => `${phase} ${content}`),
      ).toEqual(['finished Hello', `finished Hello\n\n${textsFor('en').conversationGone}`, 'finished Hello']);
    },
  );
});

describe('/new', () => {
  test.each(['/new', '/RESET', '／new', ' 新会话 ', '重置'])(
    'typed as "%s" starts again, without a call to Dify',
    async (typed) => {
      await start({ app: { script: words('Hello') } });
      await bridge().ask('one');
      await bridge().ask(typed);
      await bridge().ask('two');
      expect(bridge().dify.runs.map(({ turn }) => turn)).toEqual([1, 1]);
      expect(bridge().dingtalk.messages).toMatchObject([{ text: expect.stringContaining('已开始新会话') as string }]);
    },
  );

  test('in the middle of an answer is not undone when that answer ends', async () => {
    const { goOn, script: held } = heldAnswer();
    await start({ app: { script: ({ text }) => (text === 'slow' ? held('answer') : words('quick')) } });
    await bridge().ask('first');
    await bridge().send('slow');
    await bridge().send('/new');
    await expect.poll(() => bridge().dingtalk.messages.length).toBe(1);
    goOn();
    await bridge().idle();
    await bridge().ask('after');
    const last = bridge().dify.runs.at(-1);
    expect(last?.turn).toBe(1);
    expect(last?.conversationId).not.toBe(conversations()[0]);
  });

  test('of one person does not touch the context of another in the same group', async () => {
    await start({ app: { script: words('Hello') } });
    await bridge().ask(inGroup('staff-1', 'one'));
    await bridge().ask(inGroup('staff-2', 'one'));
    await bridge().ask(inGroup('staff-1', '/new'));
    await bridge().ask(inGroup('staff-2', 'two'));
    expect(bridge().dify.runs.at(-1)).toMatchObject({ user: 'staff-2', turn: 2 });
  });
});

describe('/id and /help', () => {
  test('answer everybody, also those who may not ask', async () => {
    await start({ env: { ALLOWED_USERS: 'staff-9' } });
    await bridge().ask(inGroup('staff-1', '/id'));
    await bridge().ask('帮助');
    const [ids, help] = bridge().dingtalk.messages.map(({ text }) => text);
    expect(ids).toContain('staff-1');
    expect(ids).toContain(GROUP);
    expect(help).toContain('/new');
    expect(bridge().dify.requests).toEqual([]);
  });
});

describe('who may not ask', () => {
  test('is told so once, not each time, and nothing is called', async () => {
    await start({ env: { ALLOWED_USERS: 'staff-2', ADMIN_USERS: 'staff-9' }, app: { script: words('Hello') } });
    for (const text of ['one', 'two', '/new']) await bridge().ask(text);
    expect(bridge().dingtalk.messages).toMatchObject([
      { text: expect.stringContaining('没有使用这个机器人的权限') as string },
    ]);
    expect(bridge().dify.requests).toEqual([]);
    await bridge().ask({ from: 'staff-2', text: 'hello' });
    expect(bridge().card().phase).toBe('finished');
  });
});

describe('who asks too much', () => {
  test('is told so once, and administrators are not limited', async () => {
    await start({ env: { USER_RATE_LIMIT: '2/1d', ADMIN_USERS: 'staff-2' }, app: { script: words('Hello') } });
    for (const text of ['one', 'two', 'three', 'four', 'five', '/help']) await bridge().ask(text);
    for (const text of ['one', 'two', 'three']) await bridge().ask({ from: 'staff-2', text });
    expect(bridge().dify.runs.map(({ user }) => user)).toEqual(['staff-1', 'staff-1', 'staff-2', 'staff-2', 'staff-2']);
    expect(bridge().dingtalk.messages.map(({ text }) => text)).toEqual([
      expect.stringContaining('个问题的上限'),
      expect.stringContaining('/new'),
    ]);
  });
});

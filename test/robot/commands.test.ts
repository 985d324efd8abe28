import { describe, expect, test } from 'vitest';
import { findCommand, type CommandContext } from '../../lib/robot/commands.ts';
import { conversationOf } from '../../lib/turn/conversation.ts';
import { GROUP, messageOf, robotOf, texts } from '../support/turn.ts';

function context(changes: Partial<CommandContext> = {}) {
  const started: unknown[] = [];
  const message = messageOf('', { chat: GROUP });
  const commandContext: CommandContext = {
    message,
    conversation: conversationOf(message, 'chat'),
    robot: robotOf({ CONVERSATION_TTL_MINUTES: '1' }),
    texts,
    state: { startConversation: async (request) => started.push(request) - 1 },
    newId: () => 'generation-1',
    stop: async () => true,
    greeting: async () => '',
    ...changes,
  };
  return { commandContext, started };
}

const run = async (words: string, changes: Partial<CommandContext> = {}) =>
  findCommand(words)?.run(context(changes).commandContext);

describe('a command', () => {
  test.each([
    '/new',
    ' /NEW ',
    '／new',
    '/reset',
    '新会话',
    '重置',
    '新会话。',
    '@bot /new',
    '/new @bot',
    '@AI bot /new！',
  ])('is understood as %s', (typed) => {
    expect(findCommand(typed)?.words).toContain('/new');
  });

  test.each(['new', '/new please', '/unknown', '', '@bot', '@bot what does /new', `/new ${'@bot '.repeat(60)}`])(
    'is not %s',
    (typed) => {
      expect(findCommand(typed)).toBeNull();
    },
  );

  test('that is open is answered for everybody', () => {
    const open = (typed: string) => findCommand(typed)?.open;
    expect([open('/help'), open('/id'), open('/new'), open('/stop')]).toEqual([true, true, false, false]);
  });
});

describe('/new', () => {
  test('begins the conversation anew', async () => {
    const { commandContext, started } = context();
    expect(await findCommand('/new')?.run(commandContext)).toBe(texts.newConversation);
    expect(started).toEqual([
      { conversationKey: commandContext.conversation.key, generation: 'generation-1', ttlMs: 60_000 },
    ]);
  });

  test('says how many files that waited for words are dropped', async () => {
    const text = await run('/new', { state: { startConversation: async () => 2 }, greeting: async () => 'Welcome!' });
    expect(text).toBe(`${texts.newConversation}\n\n${texts.heldDropped(2)}\n\nWelcome!`);
  });

  test('says what the app says first', async () => {
    expect(await run('/new', { greeting: async () => 'Welcome!' })).toBe(`${texts.newConversation}\n\nWelcome!`);
  });
});

test('/stop says whether there was something to stop', async () => {
  expect(await run('/stop')).toBe(texts.stopping);
  expect(await run('停止', { stop: async () => false })).toBe(texts.nothingToStop);
});

test('/help and /id say what an asker and an administrator need', async () => {
  expect(await run('帮助')).toBe(texts.help);
  expect(await run('/id')).toBe(texts.ids({ staffId: 'staff-1', chatId: GROUP.id, isGroup: true }));
});

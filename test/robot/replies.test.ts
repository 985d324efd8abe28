import { describe, expect, test } from 'vitest';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { findCommand } from '../../lib/robot/commands.ts';
import { sentence, type ShortIntent } from '../../lib/robot/intent.ts';
import { createReplies, mayGreet } from '../../lib/robot/replies.ts';
import { conversationOf } from '../../lib/turn/conversation.ts';
import type { StopOrder } from '../../lib/turn/stop.ts';
import { createWorld, GROUP, messageOf, senderOf, texts } from '../support/turn.ts';

const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');

function open(env: Record<string, string> = {}) {
  const world = createWorld({ env });
  const orders: StopOrder[] = [];
  let failure: Error | null = null;
  const replies = createReplies(world.options, {
    async stop(order) {
      if (failure) throw failure;
      orders.push(order);
      return true;
    },
  });
  const respond = (intent: ShortIntent, message = messageOf('')) =>
    world.done(replies.respond(intent, 'turn-id-of-a-test', message, conversationOf(message, 'user-in-chat')));
  const command = (words: string): ShortIntent => {
    const found = findCommand(words);
    if (!found) throw new Error(`${words} is no command`);
    return { kind: 'command', command: found };
  };
  return { ...world, orders, replies, respond, command, fail: (code: ErrorCode) => (failure = error(code)) };
}

describe('a reply', () => {
  test('is one message', async () => {
    const { chat, respond } = open();
    await respond(sentence('a sentence'));
    expect(chat.sent).toEqual(['a sentence']);
  });

  test('that DingTalk refuses is in the log', async () => {
    const { chat, respond, events } = open();
    chat.failures['send'] = [error('dingtalk_refused')];
    await respond(sentence('a sentence'));
    expect(events()).toEqual(['message_not_sent']);
  });

  test('to a command is what comes of it', async () => {
    const { chat, respond, command } = open();
    await respond(command('/help'));
    expect(chat.sent).toEqual([texts.help]);
  });

  test('to /stop is about the asker’s own answers, and about everybody’s for an administrator', async () => {
    const { orders, respond, command } = open({ ADMIN_USERS: 'admin-1' });
    await respond(command('/stop'));
    const message = messageOf('', { sender: senderOf('admin-1') });
    await respond(command('/stop'), message);
    expect(orders).toEqual([
      { conversationKey: conversationOf(messageOf(''), 'user-in-chat').key, asker: 'staff-1' },
      { conversationKey: conversationOf(message, 'user-in-chat').key, asker: null },
    ]);
  });

  test('to a command that failed says why, with its reference', async () => {
    const { chat, respond, command, fail, lines } = open();
    fail('store_unavailable');
    await respond(command('/stop'));
    expect(chat.sent).toEqual([`⚠️ ${texts.failures.store_unavailable}${texts.reference('turn-id-')}`]);
    expect(lines).toMatchObject([{ event: 'command_failed', turn: 'turn-id-', code: 'store_unavailable' }]);
  });
});

describe('what the app says first', () => {
  const opening = 'Welcome to **our** app.';
  const link = 'dtmd://dingtalkclient/sendMessage?content=';
  const facts = { opening, openingQuestions: ['What?', 'Why?'] };

  test('has questions to tap in a single chat, and to type in a group', async () => {
    const { dify, chat, replies, done } = open();
    dify.appFacts = { ...dify.appFacts, ...facts };
    await done(replies.greet(messageOf(''), 'reference'));
    await done(replies.greet(messageOf('', { chat: GROUP }), 'reference'));
    expect(chat.sent).toEqual([
      `${opening}\n\n**You can ask**\n\n- [What?](${link}What%3F)\n- [Why?](${link}Why%3F)`,
      `${opening}\n\n**You can ask (mention me and type)**\n\n- What?\n- Why?`,
    ]);
  });

  test('may have no questions', async () => {
    const { dify, chat, replies, done } = open();
    dify.appFacts = { ...dify.appFacts, opening };
    await done(replies.greet(messageOf(''), 'reference'));
    expect(chat.sent).toEqual([opening]);
  });

  test.each([
    ['that says nothing', []],
    ['whose facts are not to be had', [error('dify_unreachable')]],
  ])('is nothing for an app %s', async (_, failures) => {
    const { dify, chat, replies, done } = open();
    dify.failures['facts'] = failures;
    await done(replies.greet(messageOf(''), 'reference'));
    expect(chat.sent).toEqual([]);
  });

  test('is nothing when the facts are long in coming: the card does not wait for it', async () => {
    const { dify, chat, clock, replies } = open();
    let tell: (facts: typeof dify.appFacts) => void = () => undefined;
    dify.facts = () => new Promise((resolve) => (tell = resolve));
    let isOver = false;
    const greeting = replies.greet(messageOf(''), 'reference').then(() => (isOver = true));
    await clock.advance(999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await greeting;
    tell({ ...dify.appFacts, opening });
    await clock.advance(10_000);
    expect(chat.sent).toEqual([]);
  });

  test('comes with a conversation that begins anew', async () => {
    const { dify, chat, respond, command } = open();
    dify.appFacts = { ...dify.appFacts, opening };
    await respond(command('/new'));
    expect(chat.sent).toEqual([`${texts.newConversation}\n\n${opening}`]);
  });

  test('is for single chats, and for groups that share one conversation', () => {
    const single = messageOf('');
    const group = messageOf('', { chat: GROUP });
    expect([mayGreet(single, 'user-in-chat'), mayGreet(group, 'user-in-chat')]).toEqual([true, false]);
    expect([mayGreet(single, 'chat'), mayGreet(group, 'chat')]).toEqual([true, true]);
  });
});

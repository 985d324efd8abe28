import { expect, test } from 'vitest';
import { askerOf, conversationOf, userOfTurn } from '../../lib/turn/conversation.ts';
import { GROUP, messageOf, senderOf } from '../support/turn.ts';

const single = messageOf('a');
const group = messageOf('a', { chat: GROUP });
const other = messageOf('a', { chat: GROUP, sender: senderOf('staff-2') });
/** A member of another organisation has no staff id. */
const external = messageOf('a', { chat: GROUP, sender: { ...senderOf(''), staffId: null } });

test('a person has a conversation in each chat', () => {
  const keys = [single, group, other].map((message) => conversationOf(message, 'user-in-chat').key);
  expect(new Set(keys).size).toBe(3);
  expect(conversationOf(group, 'user-in-chat').difyUser).toBe('staff-1');
});

test('a person has one conversation in all chats', () => {
  expect(conversationOf(single, 'user')).toEqual(conversationOf(group, 'user'));
  expect(conversationOf(other, 'user').key).not.toBe(conversationOf(group, 'user').key);
});

test('a chat has one conversation, whose user at Dify is the chat', () => {
  expect(conversationOf(other, 'chat')).toEqual(conversationOf(group, 'chat'));
  expect(conversationOf(group, 'chat').difyUser).toMatch(/^chat-[0-9a-f]{32}$/);
});

test('who has no staff id is known by the id that DingTalk always tells', () => {
  expect(conversationOf(external, 'user').difyUser).toMatch(/^sender-[0-9a-f]{32}$/);
  expect(askerOf(external)).toBe(external.sender.id);
  expect(askerOf(group)).toBe('staff-1');
});

test('Dify knows the asker of a turn by the scope, or as the person whom the run of its form was started for', () => {
  expect(userOfTurn({ message: group, form: null }, 'chat')).toBe(conversationOf(group, 'chat').difyUser);
  const form = {
    token: 't',
    runId: 'r',
    action: 'a',
    inputs: {},
    shownChars: 0,
    appType: 'chat',
    user: 'staff-9',
  } as const;
  expect(userOfTurn({ message: group, form }, 'chat')).toBe('staff-9');
});

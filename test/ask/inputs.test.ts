// The configured inputs of an app, filled in for one message.
import { expect, test } from 'vitest';
import { fillInputs, PLACEHOLDERS } from '../../lib/ask/inputs.ts';
import { messageOf } from './message.ts';

const message = messageOf({ kind: 'text', text: '' });

test('every placeholder stands for a fact of the message', () => {
  const template = Object.fromEntries(PLACEHOLDERS.map((name) => [name, `{{${name}}}`]));
  expect(fillInputs(template, message, '年假？')).toEqual({
    staffId: 'staff-0001',
    nick: 'Ann',
    chatId: 'chat-1',
    chatTitle: 'Team',
    corpId: 'corp-1',
    isAdmin: 'false',
    query: '年假？',
  });
});

test('what the message does not tell is empty', () => {
  const bare = {
    ...message,
    corpId: null,
    chat: { ...message.chat, title: null },
    sender: { ...message.sender, staffId: null },
  };
  expect(fillInputs({ a: '{{staffId}}|{{chatTitle}}|{{corpId}}' }, bare, '')).toEqual({ a: '||' });
});

test('values are filled at any depth; other values and unknown names stay', () => {
  const template = { list: ['{{ nick }}', { deep: 'to {{nick}}!' }, null, 7, true], other: '{{constructor}} {{x}}' };
  expect(fillInputs(template, message, '')).toEqual({
    list: ['Ann', { deep: 'to Ann!' }, null, 7, true],
    other: '{{constructor}} {{x}}',
  });
});

test('a placeholder that a user typed stays as it is', () => {
  expect(fillInputs({ a: '{{query}}{{nick}}' }, message, '{{staffId}}')).toEqual({ a: '{{staffId}}Ann' });
});

import { describe, expect, test } from 'vitest';
import { isAdmin, mayAsk } from '../../lib/robot/access.ts';
import { GROUP, messageOf, robotOf, senderOf } from '../support/turn.ts';

const access = (env: Record<string, string> = {}) => robotOf({ ADMIN_USERS: 'admin-1', ...env }).access;
const from = (staffId: string | null, chat = messageOf('').chat) => ({
  chat,
  sender: { ...senderOf(staffId ?? 'x'), staffId },
});

describe('who may ask', () => {
  const users = access({ ALLOWED_USERS: 'staff-1' });
  const chats = access({ ALLOWED_CHATS: GROUP.id });
  const both = access({ ALLOWED_USERS: 'staff-1', ALLOWED_CHATS: 'another-group' });

  test.each<[string, boolean, Parameters<typeof mayAsk>[0], Parameters<typeof mayAsk>[1]]>([
    ['without lists is every person', true, from('staff-2'), access()],
    ['with a list of people is a person on it', true, from('staff-1'), users],
    ['with a list of people is no other person', false, from('staff-2'), users],
    ['with a list of people is nobody without a staff id', false, from(null), users],
    ['with a list of groups is a member of one', true, from('staff-2', GROUP), chats],
    ['with a list of groups is no member of another', false, from('staff-2', { ...GROUP, id: 'other' }), chats],
    ['with a list of groups is every person in a single chat', true, from('staff-2'), chats],
    ['with both lists must be on both', false, from('staff-1', GROUP), both],
    ['is always an administrator', true, from('admin-1', GROUP), both],
  ])('%s', (_, expected, message, lists) => {
    expect(mayAsk(message, lists)).toBe(expected);
  });
});

test('an administrator is who is configured as one, and not who administers the organisation', () => {
  expect(isAdmin(from('admin-1'), access())).toBe(true);
  expect(isAdmin({ sender: { ...senderOf('staff-1'), isAdmin: true } }, access())).toBe(false);
  expect(isAdmin(from(null), access())).toBe(false);
});

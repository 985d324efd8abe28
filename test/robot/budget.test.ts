import { describe, expect, test } from 'vitest';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { BridgeError } from '../../lib/errors.ts';
import { budgetOf, notifyBudget } from '../../lib/robot/budget.ts';
import { monthOf } from '../../lib/state/budget.ts';
import { createLogLines } from '../support/delivery.ts';
import { createFakeChat } from '../support/fake-chat.ts';
import { robotOf, texts } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

test('the month is that of UTC+8', () => {
  expect(monthOf(Date.UTC(2026, 10, 30, 15, 59, 59))).toBe('202611');
  expect(monthOf(Date.UTC(2026, 10, 30, 16, 0, 0))).toBe('202612');
  expect(monthOf(Date.UTC(2026, 11, 31, 16, 0, 0))).toBe('202701');
});

describe('what an answer may cost', () => {
  const budget = (message: Partial<Message>, env: Record<string, string> = {}) =>
    budgetOf(
      { corpId: null, content: { kind: 'text', text: 'a' }, quoted: null, ...message },
      robotOf({ DINGTALK_MONTHLY_CALLS: '99', ...env }),
      0,
    );

  test('is not reckoned without an allowance', () => {
    expect(budget({}, { DINGTALK_MONTHLY_CALLS: '0' })).toBeNull();
  });

  test('follows the setting, and a file that a person sends costs a call', () => {
    const file = { kind: 'picture', downloadCode: 'p', name: null } as const;
    expect(budget({})?.reserve).toEqual({ full: 41, few: 12, last: 3 });
    expect(budget({}, { STREAMING: 'off' })?.reserve).toEqual({ full: 3, few: 9, last: 3 });
    expect(budget({ content: { kind: 'rich-text', text: 'a', pictures: ['1', '2'] } })?.reserve).toEqual({
      full: 43,
      few: 14,
      last: 5,
    });
    expect(budget({ quoted: { text: '', file } })?.reserve).toEqual({ full: 42, few: 13, last: 4 });
  });

  test('is taken from the organisation’s month, or the app’s where the organisation is not told', () => {
    expect(budget({ corpId: 'corp-1' })?.account).toBe('corp-1:197001');
    expect(budget({})?.account).toBe('ding1:197001');
  });

  test('leaves room for the registration of buttons, and for notices where there are administrators', () => {
    expect(budget({})?.limit).toBe(98);
    expect(budget({}, { ADMIN_USERS: 'admin-1' })?.limit).toBe(95);
    expect(budget({}, { ADMIN_USERS: 'admin-1', DINGTALK_MONTHLY_CALLS: '2' })?.limit).toBe(1);
  });
});

describe('that a step of the month is reached', () => {
  const reach = async (env: Record<string, string>, failures: Error[] = []) => {
    const chat = createFakeChat();
    chat.failures['notify'] = failures;
    const { log, lines } = createLogLines(createVirtualClock());
    await notifyBudget(80, { config: robotOf(env), texts, chat, log });
    return { chat, lines };
  };

  test('is told to the administrators, and the log', async () => {
    const { chat, lines } = await reach({ ADMIN_USERS: 'admin-1,admin-2' });
    expect(chat.notices).toEqual([{ staffIds: ['admin-1', 'admin-2'], text: texts.monthReached(80) }]);
    expect(lines).toMatchObject([{ event: 'month_budget_reached', percent: 80 }]);
  });

  test('is told to the log alone where there are none', async () => {
    const { chat, lines } = await reach({});
    expect(chat.notices).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  test('is in the log also when DingTalk refuses the notice', async () => {
    const { lines } = await reach({ ADMIN_USERS: 'admin-1' }, [new BridgeError('dingtalk_qps', 'on purpose')]);
    expect(lines).toMatchObject([{}, { event: 'month_notice_failed', code: 'dingtalk_qps' }]);
  });
});

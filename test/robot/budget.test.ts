import { expect, test } from 'vitest';
import { budgetOf } from '../../lib/robot/budget.ts';
import { monthOf } from '../../lib/state/budget.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { readConfig } from '../../lib/config/config.ts';

test('the month is that of UTC+8', () => {
  expect(monthOf(Date.UTC(2026, 10, 30, 15, 59, 59))).toBe('202611');
  expect(monthOf(Date.UTC(2026, 10, 30, 16, 0, 0))).toBe('202612');
  expect(monthOf(Date.UTC(2026, 11, 31, 16, 0, 0))).toBe('202701');
});

test('what people send is in what an answer may cost', () => {
  const env = {
    DINGTALK_CLIENT_ID: 'ding1',
    DINGTALK_CLIENT_SECRET: 's',
    DIFY_API_KEY: 'k',
    DINGTALK_MONTHLY_CALLS: '99',
  };
  const result = readConfig(env);
  const robot = result.ok ? result.config.robots[0] : undefined;
  if (!robot) throw new Error('the configuration is not complete');
  const costOf = (content: Message['content']) => budgetOf({ corpId: null, content, quoted: null }, robot, 0)?.reserve;
  expect(costOf({ kind: 'text', text: 'a' })).toEqual({ full: 41, few: 12, last: 3 });
  expect(costOf({ kind: 'rich-text', text: 'a', pictures: ['1', '2'] })).toEqual({ full: 43, few: 14, last: 5 });
});

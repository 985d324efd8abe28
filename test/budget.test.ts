import { expect, test } from 'vitest';
import { monthOf } from '../lib/budget.ts';

test('the month is that of UTC+8', () => {
  expect(monthOf(Date.UTC(2026, 10, 30, 15, 59, 59))).toBe('202611');
  expect(monthOf(Date.UTC(2026, 10, 30, 16, 0, 0))).toBe('202612');
  expect(monthOf(Date.UTC(2026, 11, 31, 16, 0, 0))).toBe('202701');
});

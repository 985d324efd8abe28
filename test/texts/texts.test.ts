// What holds for every sentence that a user sees.
import { describe, expect, test } from 'vitest';
import { textsFor } from '../../lib/texts/index.ts';

const zh = textsFor('zh-CN');
const en = textsFor('en');

/** Every text below a value; of a function its source, which holds the words. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'function') return [String(value)];
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap(textsIn);
}

describe('Chinese sentences', () => {
  test('address the reader as 你, and write @我 in one way', () => {
    const all = textsIn(zh).join('\n');
    expect(all).not.toContain('您');
    expect(all).not.toContain('@ 我');
  });
});

describe('who asks too much', () => {
  test.each([
    [1, '1 秒', '1 second'],
    [59_001, '1 分钟', '1 minute'],
    [600_000, '10 分钟', '10 minutes'],
    [7_199_000, '120 分钟', '120 minutes'],
    [7_200_001, '3 小时', '3 hours'],
    [200_000_000, '3 天', '3 days'],
  ])('reads when the next question is taken: %i ms', (ms, chinese, english) => {
    expect(zh.rateLimited(20, ms)).toBe(`你已达到 20 个问题的上限，${chinese}后可以再问。`);
    expect(en.rateLimited(20, ms)).toBe(`You have reached the limit of 20 questions. You can ask again in ${english}.`);
  });
});

test('the line that is full names its length', () => {
  for (const { queueFull } of [zh, en]) expect(queueFull).toContain('5');
});

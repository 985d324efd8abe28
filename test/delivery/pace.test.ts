import { expect, test } from 'vitest';
import { paceOf, type Streaming } from '../../lib/delivery/pace.ts';

/** DingTalk calls of an answer whose text never stops growing: the card, each frame that is allowed, the end. */
function calls(streaming: Streaming, lengthMs: number, reserved = 0): number {
  const pace = paceOf(streaming, () => reserved);
  let frames = 0;
  let lastAtMs = 0;
  for (let atMs = 0; atMs <= lengthMs; atMs += 10) {
    if (pace.waitMs(frames, frames === 0 ? 0 : atMs, frames === 0 ? 0 : atMs - lastAtMs) !== 0) continue;
    frames += 1;
    lastAtMs = atMs;
  }
  return frames + 2;
}

test.each([
  ['smooth', 14, 45, 90],
  ['balanced', 8, 20, 40],
  ['thrifty', 5, 5, 5],
  ['off', 2, 2, 2],
] as const)('%s needs at most %i, %i and %i calls for 5 s, 60 s and 5 min', (streaming, short, medium, long) => {
  expect(calls(streaming, 5_300)).toBeLessThanOrEqual(short);
  expect(calls(streaming, 60_300)).toBeLessThanOrEqual(medium);
  expect(calls(streaming, 300_300)).toBeLessThanOrEqual(long);
});

test('balanced is quick where speed is felt: four frames within the first three seconds', () => {
  expect(calls('balanced', 3_000) - 2).toBeGreaterThanOrEqual(4);
});

test('the first frame waits for nothing', () => {
  for (const streaming of ['smooth', 'balanced', 'thrifty'] as const) {
    expect(paceOf(streaming).waitMs(0, 0, 0)).toBe(0);
  }
});

test('a long silence does not let frames follow each other without a gap', () => {
  expect(paceOf('balanced').waitMs(1, 60_000, 0)).toBeGreaterThanOrEqual(400);
});

test.each([
  ['smooth', 1],
  ['balanced', 1],
  ['balanced', 2],
  ['thrifty', 1],
] as const)('%s gives up frames for %i other calls of the same answer', (streaming, reserved) => {
  for (const [lengthMs, most] of [
    [5_300, { smooth: 14, balanced: 8, thrifty: 5 }[streaming]],
    [60_300, { smooth: 45, balanced: 20, thrifty: 5 }[streaming]],
    [300_300, { smooth: 90, balanced: 40, thrifty: 5 }[streaming]],
  ] as const) {
    expect(calls(streaming, lengthMs, reserved) + reserved).toBeLessThanOrEqual(most);
  }
  expect(paceOf(streaming, () => reserved).waitMs(0, 0, 0)).toBe(0);
});

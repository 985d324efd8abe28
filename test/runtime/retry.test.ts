import { describe, expect, test } from 'vitest';
import { repeatingLast, retry, type RetryOptions } from '../../lib/runtime/retry.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

/** Tries until the given number of failures is behind it, and tells after how many milliseconds it tried. */
function attempt(failures: number, options: Partial<RetryOptions> = {}) {
  const clock = createVirtualClock();
  const began = clock.now();
  const triedAtMs: number[] = [];
  let outcome: unknown = 'open';
  retry(
    async () => {
      triedAtMs.push(clock.now() - began);
      if (triedAtMs.length <= failures) throw new Error(`failure ${triedAtMs.length}`);
      return 'done';
    },
    { clock, pausesMs: [100, 1_000], ...options },
  ).then(
    (value) => (outcome = value),
    (error: unknown) => (outcome = error),
  );
  return { clock, triedAtMs, outcome: () => outcome };
}

describe('retry', () => {
  test('does not try again what succeeded', async () => {
    const { clock, triedAtMs, outcome } = attempt(0);
    await clock.advance(10_000);
    expect([triedAtMs, outcome()]).toEqual([[0], 'done']);
  });

  test('pauses on the clock before each repeat', async () => {
    const { clock, triedAtMs, outcome } = attempt(2);
    await clock.advance(1_099);
    expect([triedAtMs, outcome()]).toEqual([[0, 100], 'open']);
    await clock.advance(1);
    expect([triedAtMs, outcome()]).toEqual([[0, 100, 1_100], 'done']);
  });

  test('ends with the last failure when the pauses are used up', async () => {
    const { clock, triedAtMs, outcome } = attempt(9);
    await clock.advance(10_000);
    expect([triedAtMs, outcome()]).toEqual([[0, 100, 1_100], new Error('failure 3')]);
  });

  test('ends at a failure that is not worth a repeat', async () => {
    const mayRetry = (error: unknown) => error instanceof Error && error.message !== 'failure 2';
    const { clock, triedAtMs, outcome } = attempt(9, { mayRetry });
    await clock.advance(10_000);
    expect([triedAtMs, outcome()]).toEqual([[0, 100], new Error('failure 2')]);
  });

  test('ends between two tries when its signal does, with the reason of the signal', async () => {
    const controller = new AbortController();
    const { clock, triedAtMs, outcome } = attempt(9, { signal: controller.signal });
    await clock.advance(500);
    const reason = new Error('the end');
    controller.abort(reason);
    await clock.advance(10_000);
    expect(triedAtMs).toEqual([0, 100]);
    expect(outcome()).toBe(reason);
  });

  test('goes on for as long as there are pauses', async () => {
    const { clock, triedAtMs, outcome } = attempt(5, { pausesMs: repeatingLast([10, 20]) });
    await clock.advance(10_000);
    expect([triedAtMs, outcome()]).toEqual([[0, 10, 30, 50, 70, 90], 'done']);
  });
});

test('the last pause repeats without an end', () => {
  const first = (pausesMs: readonly number[]) => {
    const pauses = repeatingLast(pausesMs);
    return Array.from({ length: 5 }, () => pauses.next().value);
  };
  expect(first([1, 2, 3])).toEqual([1, 2, 3, 3, 3]);
  expect(first([])).toEqual([0, 0, 0, 0, 0]);
});

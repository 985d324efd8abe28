import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sleep, within, withTimeout } from '../../lib/runtime/clock.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const reason = new Error('the parent ends');

/** What became of a promise so far. */
function watch<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.error = error),
  );
  return seen;
}

/** A virtual clock that knows how many timers are left. */
function createCountingClock() {
  const clock = createVirtualClock();
  const pending = new Set<symbol>();
  return {
    ...clock,
    pending,
    schedule(ms: number, run: () => void) {
      const id = Symbol('timer');
      pending.add(id);
      const cancel = clock.schedule(ms, () => {
        pending.delete(id);
        run();
      });
      return () => {
        pending.delete(id);
        cancel();
      };
    },
  };
}

let clock = createCountingClock();
let unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  clock = createCountingClock();
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(clock.pending.size).toBe(0);
});

describe('within', () => {
  test('gives what the promise gives, or its failure', async () => {
    expect(await within(clock, 1_000, Promise.resolve('done'))).toBe('done');
    await expect(within(clock, 1_000, Promise.reject(reason))).rejects.toBe(reason);
  });

  test('ends a wait that is too long, whatever comes later', async () => {
    const late = Promise.withResolvers<string>();
    const seen = watch(within(clock, 1_000, late.promise));
    await clock.advance(999);
    expect(seen).toEqual({});
    await clock.advance(1);
    expect(seen.error).toMatchObject({ name: 'TimeoutError' });
    late.reject(reason);
  });
});

describe('withTimeout', () => {
  /** Work that is ended from outside, and the signal that it got. */
  function createWork() {
    const settled = Promise.withResolvers<string>();
    const work = { ...settled, signal: new AbortController().signal, start: (signal: AbortSignal) => begin(signal) };
    const begin = (signal: AbortSignal) => {
      work.signal = signal;
      return settled.promise;
    };
    return work;
  }

  test('gives the result of work that is in time, and leaves its signal alone', async () => {
    const work = createWork();
    const parent = new AbortController();
    const seen = watch(withTimeout(clock, 1_000, work.start, parent.signal));
    await clock.advance(999);
    work.resolve('done');
    await clock.advance(10_000);
    expect(seen).toEqual({ value: 'done' });
    parent.abort(reason);
    expect(getEventListeners(work.signal, 'abort')).toEqual([]);
    expect(getEventListeners(parent.signal, 'abort')).toEqual([]);
  });

  test('gives the failure of the work', async () => {
    const failure = new Error('no');
    await expect(withTimeout(clock, 1_000, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  test('ends the wait for work that never settles, and tells the work by its signal', async () => {
    const work = createWork();
    const seen = watch(withTimeout(clock, 1_000, work.start));
    await clock.advance(999);
    expect([seen, work.signal.aborted]).toEqual([{}, false]);
    await clock.advance(1);
    expect(seen.error).toMatchObject({ name: 'TimeoutError' });
    expect(work.signal.reason).toBe(seen.error);
    expect(getEventListeners(work.signal, 'abort')).toEqual([]);
  });

  test.each(['resolves', 'rejects'])('is not changed by work that %s later', async (later) => {
    const work = createWork();
    const seen = watch(withTimeout(clock, 1_000, work.start));
    await clock.advance(1_000);
    const { error } = seen;
    if (later === 'resolves') work.resolve('late');
    else work.reject(new Error('late'));
    await clock.advance(1);
    expect(seen).toEqual({ error });
  });

  test('ends with the parent, at once and with its reason', async () => {
    const work = createWork();
    const parent = new AbortController();
    const seen = watch(withTimeout(clock, 1_000, work.start, parent.signal));
    await clock.advance(1);
    parent.abort(reason);
    await clock.advance(0);
    expect(seen.error).toBe(reason);
    expect(work.signal.reason).toBe(reason);
    expect(getEventListeners(work.signal, 'abort')).toEqual([]);
  });

  test('does not begin work after the end of the parent', async () => {
    let begun = 0;
    const failing = () => {
      begun += 1;
      throw new Error('before anything could be awaited');
    };
    await expect(withTimeout(clock, 1_000, failing, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(begun).toBe(0);
  });
});

describe('sleep', () => {
  test('waits on the clock', async () => {
    const { signal } = new AbortController();
    const seen = watch(sleep(clock, 500, signal).then(() => clock.now()));
    const began = clock.now();
    await clock.advance(499);
    expect(seen).toEqual({});
    await clock.advance(1);
    expect(seen).toEqual({ value: began + 500 });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('ends with its signal, at once and with its reason', async () => {
    const controller = new AbortController();
    const seen = watch(sleep(clock, 500, controller.signal));
    await clock.advance(1);
    controller.abort(reason);
    await clock.advance(0);
    expect(seen.error).toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await expect(sleep(clock, 500, controller.signal)).rejects.toBe(reason);
  });
});

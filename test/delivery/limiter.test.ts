import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLimiter, type Bucket, type Priority, type Limiter } from '../../lib/delivery/limiter.ts';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

/** A virtual clock that tells how many timers are set, and how often one was. */
function countingClock() {
  const clock = createVirtualClock(0);
  const timers = new Set<symbol>();
  let everSet = 0;
  const counting: Clock = {
    now: () => clock.now(),
    schedule(ms, run) {
      const id = Symbol('timer');
      everSet += 1;
      timers.add(id);
      const cancel = clock.schedule(ms, () => {
        timers.delete(id);
        run();
      });
      return () => {
        timers.delete(id);
        cancel();
      };
    },
  };
  return { ...counting, advance: (ms: number) => clock.advance(ms), timers: () => timers.size, everSet: () => everSet };
}

function scene(callsPerSecond = 20) {
  const clock = countingClock();
  const limiter = createLimiter({ clock, callsPerSecond });
  /** Slots in the order they were given, with the time. */
  const given: { name: string; atMs: number }[] = [];
  const ask = (name: string, priority: Priority = 'typing', bucket: Bucket = 'stream', signal?: AbortSignal) =>
    limiter.slot(bucket, priority, signal).then(
      () => void given.push({ name, atMs: clock.now() }),
      (reason: unknown) => void given.push({ name: `${name}: ${String(reason)}`, atMs: clock.now() }),
    );
  const askMany = (count: number, priority: Priority = 'typing', bucket: Bucket = 'stream') =>
    Promise.all(Array.from({ length: count }, (_, index) => ask(`${priority} ${index}`, priority, bucket)));
  return { clock, limiter, given, ask, askMany, times: () => given.map(({ atMs }) => atMs) };
}

/** The most calls that any second holds. */
function busiestSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.map((from, index) => sorted.filter((at, i) => i >= index && at < from + 1_000).length));
}

describe('a slot', () => {
  test('is there at once when nothing was asked for', async () => {
    const { clock, ask, times } = scene();
    void ask('first');
    await clock.advance(0);
    expect(times()).toEqual([0]);
  });

  test('is waited for with a timer or two', async () => {
    const { clock, askMany } = scene();
    void askMany(20);
    await clock.advance(5_000);
    expect(clock.everSet()).toBeLessThanOrEqual(40);
  });

  test('comes evenly at nine tenths of the limit for an instance that does not know of others', async () => {
    const { clock, askMany, times } = scene(20);
    void askMany(100);
    await clock.advance(1_999);
    expect(times()).toHaveLength(36);
    const gaps = times().map((at, index) => at - (times()[index - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(56);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(55);
  });

  test('comes twice at the start for an instance that knows itself alone, and a second still stays below', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.noteRunning(3, 3);
    void askMany(100);
    await clock.advance(4_000);
    expect(times().slice(0, 3)).toEqual([0, 0, 56]);
    expect(busiestSecond(times())).toBe(19);
  });

  test('comes at the share of the answers that run here', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.noteRunning(10, 60);
    void askMany(100);
    await clock.advance(10_000);
    expect(times()).toHaveLength(31);
    expect(busiestSecond(times())).toBe(3);
  });

  test('is not saved up while nobody asks', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.noteRunning(20, 60);
    await clock.advance(60_000);
    void askMany(100);
    await clock.advance(5_000);
    expect(busiestSecond(times())).toBe(6);
  });

  test('is not waited for in the other bucket', async () => {
    const { clock, askMany, ask, given } = scene();
    void askMany(10);
    void ask('card', 'typing', 'create');
    await clock.advance(0);
    expect(given.map(({ name }) => name)).toEqual(['typing 0', 'card']);
  });

  test('is given to last frames first, and in the order of asking within each', async () => {
    const { clock, askMany, given } = scene();
    void askMany(3, 'typing');
    void askMany(3, 'last');
    await clock.advance(1_000);
    expect(given.map(({ name }) => name)).toEqual(['typing 0', 'last 0', 'last 1', 'last 2', 'typing 1', 'typing 2']);
  });

  test('is for somebody else after an abort, which is told with its reason', async () => {
    const { clock, ask, given } = scene();
    const hangUp = new AbortController();
    void ask('a');
    void ask('b', 'last', 'stream', hangUp.signal);
    void ask('c');
    await clock.advance(10);
    hangUp.abort('enough');
    await clock.advance(46);
    expect(given.map(({ name }) => name)).toEqual(['a', 'b: enough', 'c']);
  });

  test('is not given to who asks with an aborted signal', async () => {
    const { clock, ask, given } = scene();
    void ask('a', 'last', 'stream', AbortSignal.abort('too late'));
    void ask('b');
    await clock.advance(0);
    expect(given.map(({ name }) => name)).toEqual(['a: too late', 'b']);
  });

  test('leaves no timer behind when nobody waits', async () => {
    const { clock, askMany, ask } = scene();
    void askMany(3);
    expect(clock.timers()).toBe(1);
    await clock.advance(1_000);
    expect(clock.timers()).toBe(0);
    const hangUp = new AbortController();
    void askMany(1);
    void ask('waits', 'typing', 'stream', hangUp.signal);
    expect(clock.timers()).toBe(1);
    hangUp.abort('enough');
    await clock.advance(0);
    expect(clock.timers()).toBe(0);
  });
});

describe('what is known of the other instances', () => {
  test('counts at once for those who wait: more when others end, less when others begin', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.noteRunning(1, 60);
    void askMany(100);
    await clock.advance(1_000);
    expect(times()).toEqual([0]);
    limiter.noteRunning(1, 1);
    await clock.advance(1_000);
    const before = times().length;
    expect(before).toBeGreaterThan(17);
    limiter.noteRunning(1, 18);
    await clock.advance(5_000);
    expect(times().length - before).toBeGreaterThanOrEqual(4);
    expect(times().length - before).toBeLessThanOrEqual(5);
  });

  test('does not count for the time before', async () => {
    const { clock, limiter, ask, times } = scene(20);
    void ask('first');
    await clock.advance(50);
    limiter.noteRunning(1, 60);
    void ask('second');
    // A tenth of the pause was left, and lasts as long as a tenth does now.
    await clock.advance(330);
    expect(times()).toHaveLength(1);
    await clock.advance(10);
    expect(times()).toHaveLength(2);
  });

  test.each([
    [0, 0],
    [0, 1],
    [5, 1],
    [Number.NaN, 3],
    [1, Number.POSITIVE_INFINITY],
  ])('that cannot be (%d of %d) neither stops nor frees anybody', async (local, total) => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.noteRunning(local, total);
    void askMany(100);
    await clock.advance(999);
    expect(times().length).toBeGreaterThanOrEqual(18);
    expect(times().length).toBeLessThan(20);
  });
});

describe('slowing down', () => {
  test('keeps everybody from the bucket for 1.2 s, at half speed for 5 s, and then as before', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    void askMany(500);
    await clock.advance(1_000);
    const before = times().length;
    limiter.slowDown('stream');
    await clock.advance(1_199);
    expect(times()).toHaveLength(before);
    await clock.advance(5_001);
    expect(times().length - before).toBeGreaterThanOrEqual(44);
    expect(times().length - before).toBeLessThanOrEqual(47);
    const slow = times().length;
    await clock.advance(5_000);
    expect(times().length - slow).toBeGreaterThanOrEqual(89);
    expect(busiestSecond(times())).toBeLessThan(20);
  });

  test('does not touch the other bucket', async () => {
    const { clock, limiter, ask, times } = scene();
    limiter.slowDown('create');
    void ask('frame');
    await clock.advance(0);
    expect(times()).toEqual([0]);
  });

  test('begins anew with each refusal, and lets nobody use a burst', async () => {
    const { clock, limiter, askMany, times } = scene(60);
    limiter.noteRunning(1, 1);
    limiter.slowDown('stream');
    void askMany(50);
    await clock.advance(1_000);
    limiter.slowDown('stream');
    await clock.advance(1_199);
    expect(times()).toEqual([]);
    await clock.advance(30);
    expect(times()).toHaveLength(1);
  });

  test('goes on however often somebody comes or news arrive', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.slowDown('stream');
    void askMany(50);
    await clock.advance(1_200);
    for (let count = 0; count < 200; count += 1) {
      limiter.noteRunning(30, 30);
      await clock.advance(10);
    }
    expect(times().length).toBeLessThanOrEqual(19);
  });

  test('is over when nobody asked in the meantime', async () => {
    const { clock, limiter, askMany, times } = scene(20);
    limiter.slowDown('stream');
    await clock.advance(60_000);
    void askMany(18);
    await clock.advance(1_000);
    expect(times()).toHaveLength(18);
  });
});

interface Instance {
  limiter: Limiter;
  times: number[];
  /** How long last frames waited, and how many do now. */
  waits: number[];
  waiting: number;
  /** Typing frames that got a slot while a last one waited. */
  overtaken: number;
}

/** An answer as a writer shows it: a frame every 0.4 s if there is a slot, and the last one at the end. */
async function runAnswer(instance: Instance, clock: Clock, endsAtMs: number): Promise<void> {
  const end = new AbortController();
  clock.schedule(endsAtMs, () => end.abort());
  try {
    for (;;) {
      await instance.limiter.slot('stream', 'typing', end.signal);
      if (instance.waiting > 0) instance.overtaken += 1;
      instance.times.push(clock.now());
      await sleep(clock, 400, end.signal);
    }
  } catch {
    // The answer is complete.
  }
  instance.waiting += 1;
  await instance.limiter.slot('stream', 'last');
  instance.waiting -= 1;
  instance.times.push(clock.now());
  instance.waits.push(clock.now() - endsAtMs);
}

describe('three instances that share sixty answers', () => {
  /** How many of the sixty run on each. */
  const split = fc
    .tuple(fc.integer({ min: 1, max: 58 }), fc.integer({ min: 1, max: 58 }))
    .filter(([a, b]) => a + b < 60)
    .map(([a, b]) => [a, b, 60 - a - b]);
  const limit = fc.integer({ min: 20, max: 120 });

  const starts = fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 });

  test('stay within the limit in every second, and use at least 85 % of it while all want more', async () => {
    const property = fc.asyncProperty(split, split, limit, starts, async (before, after, qps, startsMs) => {
      const clock = createVirtualClock(0);
      const times: number[] = [];
      const instances = before.map((local, index) => {
        const limiter = createLimiter({ clock, callsPerSecond: qps });
        limiter.noteRunning(local, 60);
        const ask = () => limiter.slot('stream', 'typing').then(() => times.push(clock.now()));
        clock.schedule(startsMs[index] ?? 0, () => void Array.from({ length: 6 * qps }, ask));
        return limiter;
      });
      await clock.advance(3_500);
      for (const [index, limiter] of instances.entries()) limiter.noteRunning(after[index] ?? 1, 60);
      await clock.advance(2_500);
      expect(busiestSecond(times)).toBeLessThanOrEqual(qps);
      expect(times.filter((at) => at >= 1_000).length).toBeGreaterThanOrEqual(0.85 * qps * 5);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  test('show every last frame before any typing frame that waits, within what a share takes', async () => {
    const endsMs = fc.array(fc.integer({ min: 500, max: 6_000 }), { minLength: 60, maxLength: 60 });
    const property = fc.asyncProperty(split, endsMs, async (shares, ends) => {
      const clock = createVirtualClock(0);
      const instances = shares.map((local) => {
        const limiter = createLimiter({ clock, callsPerSecond: 20 });
        limiter.noteRunning(local, 60);
        return { local, limiter, times: [], waits: [], waiting: 0, overtaken: 0 } satisfies Instance & {
          local: number;
        };
      });
      const left = [...ends];
      const answers = instances.flatMap((instance) =>
        Array.from({ length: instance.local }, () => runAnswer(instance, clock, left.pop() ?? 0)),
      );
      let ended = 0;
      for (const answer of answers) void answer.then(() => (ended += 1));
      await clock.advance(12_000);
      expect(ended).toBe(60);
      expect(instances.map(({ overtaken }) => overtaken)).toEqual([0, 0, 0]);
      expect(busiestSecond(instances.flatMap(({ times }) => times))).toBeLessThanOrEqual(20);
      // Were all to end at once, the last of them would wait 60 / 18 s.
      expect(Math.max(...instances.flatMap(({ waits }) => waits))).toBeLessThanOrEqual(3_500);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  test('end sixty answers at once in 3.5 s', async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    for (const local of [20, 20, 20]) {
      const limiter = createLimiter({ clock, callsPerSecond: 20 });
      limiter.noteRunning(local, 60);
      for (let count = 0; count < local; count += 1) {
        void limiter.slot('stream', 'typing').then(() => times.push(clock.now()));
        void limiter.slot('stream', 'last').then(() => times.push(clock.now()));
      }
    }
    await clock.advance(3_500);
    expect(times.length).toBeGreaterThanOrEqual(60);
    expect(busiestSecond(times)).toBeLessThan(20);
  });
});

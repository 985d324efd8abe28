import { describe, expect, test } from 'vitest';
import { paceOf } from '../../lib/delivery/pace.ts';
import type { Frame } from '../../lib/delivery/sink.ts';
import { createWriter, type Writer } from '../../lib/delivery/writer.ts';
import { cardRefusals } from '../../lib/dingtalk/failures.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

interface Scene {
  clock: VirtualClock;
  writer: Writer;
  /** Frames that the card was asked to show, with the time since the start. */
  sent: (Frame & { atMs: number })[];
  open: () => void;
  overlapped: () => boolean;
  /** Errors that the next calls answer with; null passes. */
  answers: (ErrorCode | null)[];
  /** What the writer told of frames that failed. */
  failed: unknown[];
}

function scene({ latencyMs = 80, settleMs = 0 } = {}): Scene {
  const clock = createVirtualClock();
  const startMs = clock.now();
  const sent: Scene['sent'] = [];
  const answers: Scene['answers'] = [];
  const failed: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let overlap = false;
  let ids = 0;
  const writer = createWriter({
    sink: {
      ...cardRefusals,
      open: () => gate.promise,
      async write(frame) {
        overlap ||= running > 0;
        running += 1;
        sent.push({ ...frame, atMs: clock.now() - startMs });
        await sleep(clock, latencyMs);
        running -= 1;
        const code = answers.shift();
        if (code) throw new BridgeError(code, 'on purpose');
      },
    },
    opened: gate.promise,
    pace: paceOf('balanced'),
    clock,
    newId: () => `frame-${(ids += 1)}`,
    settleMs,

    onFrameFailed: (error) => failed.push(error),
    onFrameShown: () => undefined,
    slot: async () => undefined,
  });
  return { clock, writer, sent, open: gate.resolve, overlapped: () => overlap, answers, failed };
}

/** Shows one more word every `everyMs` milliseconds. */
async function type({ clock, writer }: Scene, words: number, everyMs: number): Promise<void> {
  for (let count = 1; count <= words; count += 1) {
    writer.show(() => 'word '.repeat(count).trim());
    await clock.advance(everyMs);
  }
}

describe('typing', () => {
  test('the first words are shown at once when the card is there', async () => {
    const it = scene();
    it.open();
    await it.clock.advance(0);
    it.writer.show(() => 'Hello');
    await it.clock.advance(0);
    expect(it.sent).toMatchObject([{ text: 'Hello', state: 'typing', atMs: 0 }]);
  });

  test('words that come before the card are shown when it opens', async () => {
    const it = scene();
    it.writer.show(() => 'early');
    await it.clock.advance(500);
    expect(it.sent).toHaveLength(0);
    it.open();
    await it.clock.advance(0);
    expect(it.sent).toMatchObject([{ text: 'early' }]);
  });

  test('the newest snapshot wins and calls never overlap, however slow they are', async () => {
    const it = scene({ latencyMs: 700 });
    it.open();
    await type(it, 100, 15);
    expect(it.overlapped()).toBe(false);
    expect(it.sent.length).toBeGreaterThanOrEqual(2);
    const lengths = it.sent.map(({ text }) => text.length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  test('what has not changed is not sent again', async () => {
    const it = scene();
    it.open();
    it.writer.show(() => 'same');
    await it.clock.advance(1_000);
    it.writer.show(() => 'same');
    await it.clock.advance(1_000);
    expect(it.sent).toHaveLength(1);
  });

  test('an answer of 4.5 s needs at most six frames and the last', async () => {
    const it = scene();
    it.open();
    await type(it, 300, 15);
    await Promise.all([it.writer.finish({ text: 'all of it', state: 'finished' }), it.clock.advance(1_000)]);
    expect(it.sent.length).toBeLessThanOrEqual(7);
    expect(it.sent.at(-1)).toMatchObject({ text: 'all of it', state: 'finished' });
  });

  test('a limit of calls a second slows it down, and the lost words come with the next frame', async () => {
    const it = scene();
    it.answers.push('dingtalk_qps');
    it.open();
    await type(it, 20, 100);
    const [first, second] = it.sent;
    expect(second?.atMs).toBeGreaterThanOrEqual((first?.atMs ?? 0) + 1_000);
    expect(second?.text.length).toBeGreaterThan(first?.text.length ?? 0);
  });

  test('a frame that cannot be rendered is left out', async () => {
    const it = scene();
    it.open();
    it.writer.show(() => {
      throw new Error('on purpose');
    });
    await it.clock.advance(1_000);
    expect(it.failed).toMatchObject([{ message: 'on purpose' }]);
    it.writer.show(() => 'the next one');
    await it.clock.advance(1_000);
    expect(it.sent).toMatchObject([{ text: 'the next one' }]);
  });

  test('after three failures in a row typing stops', async () => {
    const it = scene();
    it.answers.push('dingtalk_card_variable', 'dingtalk_card_variable', 'dingtalk_card_variable');
    it.open();
    await type(it, 300, 100);
    expect(it.sent).toHaveLength(3);
  });
});

describe('the last frame', () => {
  const finish = async (it: Scene, state: 'finished' | 'failed' = 'finished') => {
    const done = it.writer.finish({ text: 'the end', state }).then(
      () => 'shown',
      (error: unknown) => (error instanceof BridgeError ? error.code : 'unexpected'),
    );
    await it.clock.advance(60_000);
    return done;
  };

  test('waits for the frame under way', async () => {
    const it = scene({ latencyMs: 1_000 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(await finish(it)).toBe('shown');
    expect(it.overlapped()).toBe(false);
    expect(it.sent.at(-1)).toMatchObject({ state: 'finished', atMs: 1_000 });
  });

  test('does not wait for ever for a frame that hangs', async () => {
    const it = scene({ latencyMs: 30_000 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(await finish(it)).toBe('shown');
    expect(it.sent.at(-1)?.atMs).toBe(3_100);
  });

  test('is repeated under a new id after a refusal, and under its own after a time-out', async () => {
    const it = scene();
    it.open();
    it.answers.push('dingtalk_qps', 'dingtalk_timeout', null);
    expect(await finish(it)).toBe('shown');
    const [first, second, third] = it.sent.map(({ id }) => id);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
  });

  test('that was shown by a try without an answer is not taken for lost', async () => {
    const it = scene();
    it.open();
    it.answers.push('dingtalk_unreachable', 'dingtalk_qps', 'dingtalk_refused');
    expect(await finish(it)).toBe('shown');
    expect(new Set(it.sent.map(({ id }) => id)).size).toBe(1);
  });

  test('as a failure is turned into a finished card where the template has no failed state', async () => {
    const it = scene();
    it.open();
    it.answers.push('dingtalk_card_variable');
    expect(await finish(it, 'failed')).toBe('shown');
    expect(it.sent.map(({ state }) => state)).toEqual(['failed', 'finished']);
  });

  test('is given up at once when repeating cannot help', async () => {
    const it = scene();
    it.open();
    it.answers.push('dingtalk_permission_missing');
    expect(await finish(it)).toBe('dingtalk_permission_missing');
    expect(it.sent).toHaveLength(1);
  });

  test('is given up after a few repeats', async () => {
    const it = scene();
    it.open();
    it.answers.push(...Array.from({ length: 9 }, () => 'dingtalk_server_error' as const));
    expect(await finish(it)).toBe('dingtalk_server_error');
    expect(it.sent).toHaveLength(5);
  });

  test('is tried for longer on a card that has shown something', async () => {
    const it = scene();
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(it.writer.hasShown).toBe(true);
    it.answers.push(...Array.from({ length: 5 }, () => 'dingtalk_qps' as const));
    expect(await finish(it)).toBe('shown');
    expect(it.sent).toHaveLength(7);
  });

  test('comes after a pause where the tenant needs one', async () => {
    const it = scene({ settleMs: 500 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(700);
    expect(it.sent).toMatchObject([{ atMs: 500 }]);
    expect(await finish(it)).toBe('shown');
    expect(it.sent.at(-1)?.atMs).toBe(1_200);
  });
});

import { describe, expect, test } from 'vitest';
import { paceOf } from '../../lib/delivery/pace.ts';
import { createWriter, type Writer, type WriterOptions } from '../../lib/delivery/writer.ts';
import { BridgeError } from '../../lib/errors.ts';
import { codeOf, createScriptedCard, type Outcome, type ScriptedCard } from '../support/delivery.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

interface Scene {
  clock: VirtualClock;
  writer: Writer;
  sink: ScriptedCard;
  /** Frames that the card was asked to show, with the time since the start. */
  sent: ScriptedCard['frames'];
  open: () => void;
  refuse: (error: unknown) => void;
  /** How the next calls to show a frame end. */
  answers: Outcome[];
  /** What the writer told of frames that failed. */
  failed: unknown[];
}

function scene({
  latencyMs = 80,
  settleMs = 0,
  slot = async () => undefined,
}: { latencyMs?: number } & Partial<Pick<WriterOptions, 'settleMs' | 'slot'>> = {}): Scene {
  const clock = createVirtualClock();
  const sink = createScriptedCard(clock);
  sink.latencyMs = latencyMs;
  const failed: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  let ids = 0;
  const writer = createWriter({
    sink,
    opened: gate.promise,
    pace: paceOf('balanced'),
    clock,
    newId: () => `frame-${(ids += 1)}`,
    settleMs,
    onFrameFailed: (error) => failed.push(error),
    onFrameShown: () => undefined,
    slot,
  });
  return {
    clock,
    writer,
    sink,
    sent: sink.frames,
    open: gate.resolve,
    refuse: gate.reject,
    answers: sink.writes,
    failed,
  };
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
    expect(it.sink.hasOverlapped).toBe(false);
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

  test.each<[Outcome, string[]]>([
    ['dingtalk_qps', ['Hello', 'Hello']],
    ['dingtalk_permission_missing', ['Hello']],
    ['dingtalk_content_unsafe', ['Hello']],
  ])(
    'what a passing refusal kept from the reader is shown again, although no more words come: %s',
    async (code, texts) => {
      const it = scene();
      it.answers.push(code);
      it.open();
      it.writer.show(() => 'Hello');
      await it.clock.advance(30_000);
      expect(it.sent.map(({ text }) => text)).toEqual(texts);
    },
  );

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
  const finish = async (it: Scene) => {
    const done = codeOf(it.writer.finish({ text: 'the end', state: 'finished' }));
    await it.clock.advance(60_000);
    return done;
  };

  test('waits for the frame under way', async () => {
    const it = scene({ latencyMs: 1_000 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(await finish(it)).toBe('fine');
    expect(it.sink.hasOverlapped).toBe(false);
    expect(it.sent.at(-1)).toMatchObject({ state: 'finished', atMs: 1_000 });
  });

  test('does not wait for ever for a frame that hangs', async () => {
    const it = scene({ latencyMs: 30_000 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(await finish(it)).toBe('fine');
    expect(it.sent.at(-1)?.atMs).toBe(3_100);
  });

  test('is repeated under a new id after a refusal, and under its own after a time-out', async () => {
    const it = scene();
    it.open();
    it.answers.push('dingtalk_qps', 'dingtalk_timeout', 'dingtalk_server_error', null);
    expect(await finish(it)).toBe('fine');
    const [first, second, third, fourth] = it.sent.map(({ id }) => id);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    expect(fourth).not.toBe(third);
  });

  test('is tried for longer on a card that has shown something', async () => {
    const it = scene();
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(100);
    expect(it.writer.hasShown).toBe(true);
    it.answers.push(...Array.from({ length: 5 }, () => 'dingtalk_qps' as const));
    expect(await finish(it)).toBe('fine');
    expect(it.sent).toHaveLength(7);
  });

  test('comes after a pause where the tenant needs one', async () => {
    const it = scene({ settleMs: 500 });
    it.open();
    it.writer.show(() => 'typing');
    await it.clock.advance(700);
    expect(it.sent).toMatchObject([{ atMs: 500 }]);
    expect(await finish(it)).toBe('fine');
    expect(it.sent.at(-1)?.atMs).toBe(1_200);
  });
});

describe('a card that another instance will end', () => {
  const left = async (it: Scene, last?: string) => {
    const leaving = it.writer.leave(last);
    await it.clock.advance(10_000);
    await leaving;
    return it.sent.map(({ state, text }) => `${state}: ${text}`);
  };

  test('shows the text so far, after the frame under way, and types no more', async () => {
    const it = scene({ latencyMs: 1_000 });
    it.open();
    it.writer.show(() => 'one');
    await it.clock.advance(100);
    it.writer.show(() => 'one two');
    expect(await left(it, 'one two, goes on')).toEqual(['typing: one', 'typing: one two, goes on']);
    it.writer.show(() => 'one two three');
    await it.clock.advance(10_000);
    expect(it.sent).toHaveLength(2);
    expect(it.sink.hasOverlapped).toBe(false);
    expect(it.writer.frames).toBe(1);
  });

  test('is left as it is without a text', async () => {
    const it = scene();
    it.open();
    await it.clock.advance(0);
    expect(await left(it)).toEqual([]);
  });

  test('shows nothing where it is not open yet, or did not open', async () => {
    const waiting = scene();
    expect(await left(waiting, 'goes on')).toEqual([]);
    const refused = scene();
    refused.refuse(new BridgeError('dingtalk_permission_missing', 'on purpose'));
    await refused.clock.advance(0);
    refused.writer.show(() => 'one');
    expect(await left(refused, 'goes on')).toEqual([]);
  });

  test('keeps its text where the last frame is refused', async () => {
    const it = scene();
    it.open();
    await it.clock.advance(0);
    it.answers.push('dingtalk_qps');
    expect(await left(it, 'goes on')).toEqual(['typing: goes on']);
    expect(it.failed).toMatchObject([{ code: 'dingtalk_qps' }]);
  });
});

test('a typing frame that waits for its slot gives it up when the answer is complete', async () => {
  const asked: string[] = [];
  const aborted: string[] = [];
  const it = scene({
    slot: (priority, signal) => {
      asked.push(priority);
      if (priority === 'last') return Promise.resolve();
      return new Promise<void>((_, reject) => {
        signal?.addEventListener('abort', () => {
          aborted.push(priority);
          reject(signal.reason as Error);
        });
      });
    },
  });
  it.open();
  await it.clock.advance(0);
  it.writer.show(() => 'typing');
  await it.clock.advance(1_000);
  const done = codeOf(it.writer.finish({ text: 'the end', state: 'finished' }));
  await it.clock.advance(1_000);
  expect(await done).toBe('fine');
  expect({ asked, aborted }).toEqual({ asked: ['typing', 'last'], aborted: ['typing'] });
  expect(it.sent).toMatchObject([{ text: 'the end', atMs: 1_000 }]);
});

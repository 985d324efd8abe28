import { describe, expect, test } from 'vitest';
import { openCard, reopenCard, type CardOptions } from '../../lib/delivery/card.ts';
import { endCard } from '../../lib/delivery/card-end.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import { paceOf } from '../../lib/delivery/pace.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { createLogLines, createScriptedCard, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

interface SceneOptions {
  opens?: Outcome[];
  writes?: Outcome[];
  isOpen?: boolean;
  /** What the looks for a card that another instance opens find; the last one repeats. */
  looks?: (boolean | null | Error)[] | null;
  settleMs?: number;
}

function scene({ opens = [], writes = [], isOpen = false, looks = null, settleMs = 0 }: SceneOptions = {}) {
  const clock = createVirtualClock();
  const startMs = clock.now();
  const sink = createScriptedCard(clock, { opens, writes });
  const limiter = createLimiter({ clock, callsPerSecond: 1_000 });
  const { log, lines, events } = createLogLines(clock);
  const onOpened: (boolean | null)[] = [];
  let shown = 0;
  let looked = 0;
  let ids = 0;
  const ports = { settleMs, limiter, clock, newId: () => `frame-${(ids += 1)}`, log };
  const options: CardOptions = {
    sink,
    pace: paceOf('smooth'),
    reference: '0a1b2c3d',
    acceptedAtMs: startMs - 40,
    isOpen,
    lookForCard:
      looks &&
      (async () => {
        const found = looks[Math.min(looked, looks.length - 1)] ?? null;
        looked += 1;
        if (found instanceof Error) throw found;
        return found;
      }),
    onOpened: (hasCard) => onOpened.push(hasCard),
    onTextShown: () => (shown += 1),
  };
  return {
    clock,
    sink,
    limiter,
    lines,
    events,
    onOpened,
    ports,
    open: () => openCard(options, ports),
    timesShown: () => shown,
    looked: () => looked,
  };
}

interface Opening extends SceneOptions {
  name: string;
  /** When a call to open the card began. */
  triesAtMs: number[];
  hasCard: boolean;
  /** What is put on record: null where it is not known. */
  recorded: boolean | null;
  refusedFor?: string;
}

const busy: ErrorCode = 'dingtalk_server_error';

const openings: Opening[] = [
  { name: 'at once', triesAtMs: [0], hasCard: true, recorded: true },
  { name: 'that is there already', isOpen: true, triesAtMs: [], hasCard: true, recorded: true },
  { name: 'after a refusal that passes', opens: [busy], triesAtMs: [0, 500], hasCard: true, recorded: true },
  {
    name: 'that DingTalk refuses as often as it is tried',
    opens: [busy, busy, busy, busy],
    triesAtMs: [0, 500, 1_000, 1_500],
    hasCard: false,
    recorded: false,
    refusedFor: busy,
  },
  {
    name: 'after a refusal for speed, which makes the others wait too',
    opens: ['dingtalk_qps'],
    triesAtMs: [0, 1_200],
    hasCard: true,
    recorded: true,
  },
  {
    name: 'that stays refused',
    opens: ['dingtalk_permission_missing'],
    triesAtMs: [0],
    hasCard: false,
    recorded: false,
    refusedFor: 'dingtalk_permission_missing',
  },
  {
    name: 'by a call without an answer, which may have opened it',
    opens: ['dingtalk_timeout'],
    triesAtMs: [0],
    hasCard: true,
    recorded: null,
    refusedFor: 'dingtalk_timeout',
  },
  {
    name: 'after a call that was not sent, because there was no token for it',
    opens: [new BridgeError('dingtalk_timeout', 'no token', { unsent: true })],
    triesAtMs: [0, 500],
    hasCard: true,
    recorded: true,
  },
  {
    name: 'that fails in an unexpected way',
    opens: [new TypeError('on purpose')],
    triesAtMs: [0],
    hasCard: false,
    recorded: false,
    refusedFor: 'internal',
  },
  {
    name: 'that the instance which accepted the question opens',
    looks: [null, new Error('no store'), true],
    triesAtMs: [],
    hasCard: true,
    recorded: true,
  },
  {
    name: 'that the instance which accepted the question could not open',
    looks: [null, false],
    triesAtMs: [],
    hasCard: false,
    recorded: false,
    refusedFor: 'dingtalk_card_undelivered',
  },
  {
    name: 'that no other instance has opened within 3 s',
    looks: [null],
    triesAtMs: [3_000],
    hasCard: true,
    recorded: true,
  },
];

describe('a card', () => {
  test.each(openings)('$name', async ({ triesAtMs, hasCard, recorded, refusedFor = null, ...given }) => {
    const { clock, sink, open, onOpened, events } = scene(given);
    const card = open();
    await clock.advance(10_000);
    expect(await card.opened).toBe(hasCard);
    expect(sink.openedAtMs).toEqual(triesAtMs);
    expect(onOpened).toEqual([recorded]);
    expect(card.refusedFor()).toBe(refusedFor);
    expect(events()).toEqual(refusedFor === null ? [] : ['card_refused']);
  });

  test('that did not open shows nothing', async () => {
    const { clock, sink, open } = scene({ opens: ['dingtalk_permission_missing'] });
    const card = open();
    card.writer.show(() => 'words');
    await clock.advance(5_000);
    expect(sink.frames).toEqual([]);
  });

  test('is waited for as long as another instance may be opening it, and no longer', async () => {
    const { clock, open, looked, onOpened } = scene({ looks: [null] });
    open();
    await clock.advance(2_999);
    expect(onOpened).toEqual([]);
    await clock.advance(1);
    expect(onOpened).toEqual([true]);
    expect(looked()).toBe(12);
  });

  test('leaves the first frame the pause that the tenant needs', async () => {
    const { clock, sink, open } = scene({ settleMs: 500 });
    open().writer.show(() => 'words');
    await clock.advance(2_000);
    expect(sink.frames).toMatchObject([{ text: 'words', atMs: 500 }]);
  });

  test('that refuses a frame for speed slows down the frames of all answers', async () => {
    const { clock, limiter, open, lines } = scene({ writes: ['dingtalk_qps'] });
    open().writer.show(() => 'words');
    await clock.advance(0);
    let granted = false;
    void limiter.slot('stream', 'last').then(() => (granted = true));
    await clock.advance(1_199);
    expect(granted).toBe(false);
    await clock.advance(1);
    expect(granted).toBe(true);
    expect(lines).toMatchObject([{ event: 'frame_failed', turn: '0a1b2c3d', code: 'dingtalk_qps' }]);
  });
});

describe('the first text', () => {
  test('is reported once, when a frame that has it was shown', async () => {
    const { clock, open, timesShown } = scene();
    const card = open();
    expect(card.firstTextMs()).toBeNull();
    card.writer.show(() => 'the app searches');
    await clock.advance(300);
    expect(timesShown()).toBe(0);
    card.noteText();
    await clock.advance(200);
    card.noteText();
    for (const text of ['one', 'one two', 'one two three']) {
      card.writer.show(() => text);
      await clock.advance(2_000);
    }
    expect(timesShown()).toBe(1);
    // 40 ms went by before the card was begun.
    expect(card.firstTextMs()).toBe(340);
  });

  test('is not reported while its frames are refused', async () => {
    const { clock, open, timesShown } = scene({ writes: [busy] });
    const card = open();
    card.noteText();
    card.writer.show(() => 'one');
    await clock.advance(500);
    expect(timesShown()).toBe(0);
  });
});

describe('a hint', () => {
  test('comes after a second, the next one 2.5 s later, and the newest is shown', async () => {
    const { clock, sink, open } = scene();
    const card = open();
    for (const step of ['reading', 'searching']) card.hint(() => step);
    await clock.advance(999);
    expect(sink.frames).toEqual([]);
    await clock.advance(1);
    for (const step of ['thinking', 'writing']) card.hint(() => step);
    await clock.advance(10_000);
    card.hint(() => 'checking');
    await clock.advance(0);
    expect(sink.frames).toMatchObject([
      { text: 'searching', atMs: 1_000 },
      { text: 'writing', atMs: 3_500 },
      { text: 'checking', atMs: 11_000 },
    ]);
  });

  test('is left out as soon as there is text', async () => {
    const { clock, sink, open } = scene();
    const card = open();
    card.hint(() => 'reading');
    await clock.advance(500);
    card.noteText();
    card.hint(() => 'searching');
    await clock.advance(10_000);
    expect(sink.frames).toEqual([]);
  });
});

describe('a card that was opened before', () => {
  test('is ended with one frame', async () => {
    const { clock, sink, ports, events } = scene();
    const ending = endCard(
      reopenCard(sink, 'r', ports),
      { text: 'the end', state: 'finished' },
      { ...ports, reference: 'r' },
    );
    await clock.advance(0);
    expect(await ending).toBeNull();
    expect(sink.frames).toMatchObject([{ text: 'the end', state: 'finished' }]);
    expect(events()).toEqual([]);
  });

  test('that cannot be ended is in the log, with the reason', async () => {
    const { clock, sink, ports, lines } = scene({ writes: ['dingtalk_qps', 'dingtalk_permission_missing'] });
    const ending = endCard(
      reopenCard(sink, 'r', ports),
      { text: 'the end', state: 'failed' },
      { ...ports, reference: 'r' },
    );
    await clock.advance(10_000);
    expect(await ending).toEqual({ failure: expect.any(BridgeError) });
    expect(sink.openedAtMs).toEqual([]);
    expect(lines).toMatchObject([
      { event: 'frame_failed', code: 'dingtalk_qps' },
      { event: 'frame_failed', code: 'dingtalk_permission_missing' },
      { event: 'card_not_ended', level: 'error', turn: 'r', code: 'dingtalk_permission_missing' },
    ]);
  });
});

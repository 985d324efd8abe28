import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/runtime/clock.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import { showQueued, type CardRecord, type WaitingState } from '../../lib/delivery/queue-notice.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createLogLines, createScriptedCard, createScriptedReply, settle, type Outcome } from '../support/delivery.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const texts = textsFor('en');
const NOTICE = texts.queued(2);

interface SceneOptions {
  /** How the calls to open the card end; null where there is no card. */
  opens?: Outcome[] | null;
  writes?: Outcome[];
  replies?: Outcome[];
  /** What each try to record the card brings; when they are used up, `state`. */
  records?: Outcome[];
  state?: WaitingState;
  /** For how long the question waits. */
  waitsMs?: number;
  /** How long the notice waits for its slot. */
  slotMs?: number;
}

/** Tells the asker that a question waits, and follows that for a minute. */
async function told(options: SceneOptions = {}) {
  const {
    opens = [],
    writes = [],
    replies = [],
    records = [],
    state = 'queued',
    waitsMs = 60_000,
    slotMs = 0,
  } = options;
  const clock = createVirtualClock();
  const startMs = clock.now();
  const sink = createScriptedCard(clock, { opens: opens ?? [], writes });
  const reply = createScriptedReply(clock, replies);
  const { log, events, lines } = createLogLines(clock);
  const outcomes = [...records];
  const recorded: (CardRecord & { atMs: number })[] = [];
  const ended: boolean[] = [];
  let ids = 0;
  const telling = showQueued(
    { reference: 'r', place: 2 },
    {
      card: (onCall) =>
        opens && {
          ...sink,
          async open() {
            onCall();
            await sink.open();
          },
          async write(frame) {
            onCall();
            await sink.write(frame);
          },
        },
      reply,
      limiter: {
        ...createLimiter({ clock, callsPerSecond: 1_000 }),
        slot: (bucket, _priority, signal) => sleep(clock, bucket === 'stream' ? slotMs : 0, signal),
      },
      async record(card) {
        recorded.push({ ...card, atMs: clock.now() - startMs });
        settle(outcomes.shift());
        return state;
      },
      isWaiting: async () => clock.now() - startMs < waitsMs,
      endDropped: async (hasCard) => void ended.push(hasCard),
      texts,
      clock,
      log,
      newId: () => `frame-${(ids += 1)}`,
    },
  );
  await clock.advance(60_000);
  await telling;
  return { frames: sink.frames, tries: sink.openedAtMs, messages: reply.messages, recorded, ended, events, lines };
}

describe('on the card of the question', () => {
  test('the notice is shown at once, and then the card is put on record with its calls', async () => {
    const { frames, messages, recorded, ended, events } = await told();
    expect(frames).toMatchObject([{ text: NOTICE, state: 'typing', id: 'frame-1', atMs: 0 }]);
    expect(recorded).toEqual([{ hasCard: true, calls: 2, atMs: 0 }]);
    expect(messages).toEqual([]);
    expect(ended).toEqual([]);
    expect(events()).toEqual([]);
  });

  test('that opens at the second try the calls of both are recorded', async () => {
    const { tries, recorded } = await told({ opens: ['dingtalk_server_error'] });
    expect(tries).toEqual([0, 500]);
    expect(recorded).toMatchObject([{ hasCard: true, calls: 3 }]);
  });

  test('the notice is left out when its turn came meanwhile', async () => {
    const { frames, recorded } = await told({ waitsMs: 0, state: 'started' });
    expect(frames).toEqual([]);
    expect(recorded).toMatchObject([{ hasCard: true, calls: 1 }]);
  });

  test('the notice is left out when its turn came while it waited for a call', async () => {
    const { frames, recorded } = await told({ slotMs: 900, waitsMs: 500 });
    expect(frames).toEqual([]);
    expect(recorded).toMatchObject([{ hasCard: true, calls: 1, atMs: 900 }]);
  });

  test('the notice is left out where other answers need the calls: the card has to be on record soon', async () => {
    const { frames, recorded, events } = await told({ slotMs: 10_000 });
    expect(frames).toEqual([]);
    expect(recorded).toMatchObject([{ hasCard: true, calls: 1, atMs: 1_000 }]);
    expect(events()).toEqual([]);
  });

  test('that refuses the notice is put on record all the same', async () => {
    const { recorded, messages, lines } = await told({ writes: ['dingtalk_qps'] });
    expect(recorded).toMatchObject([{ hasCard: true }]);
    expect(messages).toEqual([]);
    expect(lines).toMatchObject([{ event: 'queue_hint_failed', turn: 'r', code: 'dingtalk_qps' }]);
  });

  test('which may be there without an answer, nothing more is done', async () => {
    const { frames, messages, recorded, events } = await told({ opens: ['dingtalk_timeout'] });
    expect([...frames, ...messages, ...recorded]).toEqual([]);
    expect(events()).toEqual(['queue_hint_failed']);
  });
});

describe('the record of the card', () => {
  test('is repeated while the store is down', async () => {
    const down = 'store_unavailable';
    const { recorded, ended } = await told({ records: [down, down, down], state: 'dropped' });
    expect(recorded.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500, 3_500]);
    expect(ended).toEqual([true]);
  });

  test('is given up when the store stays down', async () => {
    const { recorded, ended, events } = await told({
      records: Array.from({ length: 9 }, () => 'store_unavailable' as const),
    });
    expect(recorded.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 23_500]);
    expect(ended).toEqual([]);
    expect(events()).toEqual([]);
  });

  test.each<[WaitingState, boolean[], boolean[]]>([
    ['queued', [], []],
    ['started', [], []],
    ['over', [], []],
    ['dropped', [true], [false]],
  ])('of a question that is %s: what is ended with a card, and without one', async (state, withCard, without) => {
    expect((await told({ state })).ended).toEqual(withCard);
    const { ended, messages } = await told({ state, opens: null });
    expect(ended).toEqual(without);
    // A question that was given up has its answer: no message says that it waits.
    expect(messages).toHaveLength(state === 'dropped' ? 0 : 1);
  });
});

describe('without a card', () => {
  test.each([
    ['there is no template', null, 0],
    ['DingTalk refuses it', ['dingtalk_permission_missing'] as Outcome[], 1],
  ])('a message tells of a wait of ten seconds: %s', async (_why, opens, calls) => {
    const { messages, recorded } = await told({ opens });
    expect(recorded).toMatchObject([{ hasCard: false, calls }]);
    expect(messages).toEqual([{ title: texts.messageTitle, text: NOTICE, mentionAsker: true, atMs: 10_000 }]);
  });

  test('a shorter wait is not told', async () => {
    expect((await told({ opens: null, waitsMs: 9_999 })).messages).toEqual([]);
  });

  test('a store that is down leaves the message out', async () => {
    const { messages, events } = await told({ opens: null, records: ['store_unavailable'] });
    expect(messages).toEqual([]);
    expect(events()).toEqual(['queue_hint_failed']);
  });

  test('a message that is refused is in the log', async () => {
    const { lines } = await told({ opens: null, replies: ['dingtalk_session_expired'] });
    expect(lines).toMatchObject([{ event: 'queue_hint_failed', turn: 'r', code: 'dingtalk_session_expired' }]);
  });
});

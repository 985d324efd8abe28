import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import type { Stopped } from '../../lib/state/told.ts';
import { keepProgress, noProgress } from '../../lib/turn/record.ts';
import { createStops } from '../../lib/turn/stop.ts';
import type { TurnProgress } from '../../lib/turn/turn.ts';
import { createLogLines } from '../support/delivery.ts';
import { RUN_IDS } from '../support/fake-dify.ts';
import { messageOf } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const turn = { id: 'turn-1', reference: 'turn-1', user: 'staff-1' };
const order = { conversationKey: 'conversation-1', asker: 'staff-1' };
const running: TurnProgress = { ...noProgress, ids: RUN_IDS, appType: 'chat' };
const task = { type: 'chat', user: 'staff-1', taskId: 'task-1' };
const payload = JSON.stringify({ message: messageOf('a'), question: 'a', acceptedAtMs: 0 });
const none: Stopped = { running: null, dropped: [] };

function open({ stopped = none, failure = null }: { stopped?: Stopped; failure?: Error | null } = {}) {
  const clock = createVirtualClock();
  const { log, lines } = createLogLines(clock);
  const told: unknown[] = [];
  const orders: unknown[] = [];
  const ended: [string, boolean][] = [];
  const stops = createStops({
    state: {
      async stop(request) {
        orders.push(request);
        return stopped;
      },
    },
    dify: {
      async stop(of) {
        told.push(of);
        if (failure) throw failure;
      },
    },
    userOf: ({ message }) => message.sender.staffId ?? '',
    endDropped: async (turnId, hasCard) => void ended.push([turnId, hasCard]),
    leaseTiming: { leaseMs: 40_000, renewMs: 27_000 },
    clock,
    newId: () => 'id-1',
    log,
  });
  const stopAsked = new AbortController();
  const begin = (progress: TurnProgress = running) =>
    stops.begin(turn, { ...keepProgress(progress), stopAsked: stopAsked.signal });
  return { clock, lines, told, orders, ended, stops, stopAsked, begin };
}

describe('an answer that is written here, when it is stopped,', () => {
  test('is told to Dify once, and read for 3 s more: Dify ends it by itself', async () => {
    const { clock, told, begin } = open();
    const stop = begin();
    expect(stop.isAsked).toBe(false);
    await Promise.all([stop.ask(), stop.ask()]);
    expect(told).toEqual([task]);
    expect(stop.isAsked).toBe(true);
    await clock.advance(2_999);
    expect(stop.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(stop.signal.aborted).toBe(true);
  });

  test.each<[string, TurnProgress]>([
    ['has named no run', { ...running, ids: {} }],
    ['is of an unknown type', { ...running, appType: null }],
  ])('ends at once when Dify %s', async (_, progress) => {
    const { told, begin } = open();
    const stop = begin(progress);
    await stop.ask();
    expect(stop.signal.aborted).toBe(true);
    expect(told).toEqual([]);
  });

  test('ends after 3 s also when Dify refuses, which is in the log', async () => {
    const { clock, lines, begin } = open({ failure: new BridgeError('dify_busy', 'on purpose') });
    const stop = begin();
    await stop.ask();
    await clock.advance(3_000);
    expect(stop.signal.aborted).toBe(true);
    expect(lines).toMatchObject([{ event: 'stop_failed', turn: 'turn-1', code: 'dify_busy' }]);
  });

  test('is stopped as the person whom its run was started for', async () => {
    const { told, begin } = open();
    await begin({ ...running, form: { user: 'staff-9', shownChars: 0 } }).ask();
    expect(told).toEqual([{ ...task, user: 'staff-9' }]);
  });

  test('is stopped when the store says that another instance was asked to', async () => {
    const { clock, told, stopAsked, begin } = open();
    const stop = begin();
    stopAsked.abort();
    await clock.advance(0);
    expect(stop.isAsked).toBe(true);
    expect(told).toEqual([task]);
  });

  test('counts as long as it is written', () => {
    const { stops, begin } = open();
    expect(stops.running).toBe(0);
    const stop = begin();
    expect(stops.running).toBe(1);
    stops.end(turn.id, stop);
    expect(stops.running).toBe(0);
  });

  test('is still written here where this instance has handed it to itself and the first run of it ends', async () => {
    const { stops, told, begin } = open({
      stopped: { running: { turnId: turn.id, payload, progress: JSON.stringify(running) }, dropped: [] },
    });
    const [first, second] = [begin(), begin()];
    stops.end(turn.id, first);
    expect([stops.running, stops.isHere(turn.id)]).toEqual([1, true]);
    await stops.stop(order);
    expect([first.isAsked, second.isAsked]).toEqual([false, true]);
    expect(told).toEqual([task]);
    stops.end(turn.id, second);
    expect(stops.isHere(turn.id)).toBe(false);
  });
});

describe('stopping the answers of a conversation', () => {
  test('says that there were none', async () => {
    const { stops, orders, clock } = open();
    expect(await stops.stop(order)).toBe(false);
    expect(orders).toEqual([
      {
        conversationKey: 'conversation-1',
        owner: 'id-1',
        asker: 'staff-1',
        turnId: null,
        nowMs: clock.now(),
        leaseUntilMs: clock.now() + 40_000,
      },
    ]);
  });

  test('can be for one turn only', async () => {
    const { stops, orders } = open();
    await stops.stop({ ...order, asker: null, turnId: 'turn-7' });
    expect(orders).toMatchObject([{ asker: null, turnId: 'turn-7' }]);
  });

  test('ends the cards of questions that waited, where they are on record', async () => {
    const withCard = (hasCard: boolean) => JSON.stringify({ ...noProgress, hasCard });
    const dropped = [
      { turnId: 'with-card', progress: withCard(true) },
      { turnId: 'without-card', progress: withCard(false) },
      { turnId: 'being-opened', progress: null },
    ];
    const { stops, ended } = open({ stopped: { running: null, dropped } });
    expect(await stops.stop(order)).toBe(true);
    // The third is left to the instance that opens its card.
    expect(ended).toEqual([
      ['with-card', true],
      ['without-card', false],
    ]);
  });

  test('stops the one that is written here by its switch', async () => {
    const { stops, told, begin } = open({
      stopped: { running: { turnId: turn.id, payload, progress: JSON.stringify(running) }, dropped: [] },
    });
    const stop = begin();
    expect(await stops.stop(order)).toBe(true);
    expect(stop.isAsked).toBe(true);
    expect(told).toEqual([task]);
  });

  test.each<[string, string, TurnProgress | null, unknown[]]>([
    ['tells Dify of the one that another instance writes', payload, running, [task]],
    [
      'tells Dify of an answer to a form as the person whom its run was started for',
      payload,
      { ...running, form: { user: 'staff-9', shownChars: 0 } },
      [{ ...task, user: 'staff-9' }],
    ],
    ['leaves it to the mark on record while Dify has named no run', payload, null, []],
    ['leaves it to the mark on record when the turn cannot be read', '', running, []],
  ])('%s', async (_, kept, progress, expected) => {
    const { stops, told } = open({
      stopped: {
        running: { turnId: 'turn-2', payload: kept, progress: progress && JSON.stringify(progress) },
        dropped: [],
      },
    });
    expect(await stops.stop(order)).toBe(true);
    expect(told).toEqual(expected);
  });
});

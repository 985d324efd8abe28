import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import type { FinishRequest, RenewRequest } from '../../lib/state/state.ts';
import type { Finished, Renewed, StartedTurn } from '../../lib/state/told.ts';
import { openLease, type LeaseOptions } from '../../lib/turn/lease.ts';
import { leaseEnd } from '../../lib/turn/lease-timing.ts';
import { noProgress } from '../../lib/turn/record.ts';
import type { Turn, TurnProgress } from '../../lib/turn/turn.ts';
import { createWatch } from '../../lib/turn/watch.ts';
import { createLogLines } from '../support/delivery.ts';
import { RUN_IDS } from '../support/fake-dify.ts';
import { HELD, turnOf } from '../support/turn.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const timing = { leaseMs: 40_000, renewMs: 27_000 };
const held = { ...HELD, running: 3 } as const;
const finished: Finished = { kind: 'finished', running: 2, isStopped: false, next: null };
const down = () => new BridgeError('store_unavailable', 'on purpose');
const outcome = { failure: null, receipt: 'receipt', form: { kind: 'keep' } } as const;
const generation = { generation: 'g1', difyConversationId: null, form: null };
/** The store did not answer when the turn was accepted. */
const unrecorded = { fence: 1, owner: 'owner-1', hop: 0, context: null };

/** A lease on a store that gives these replies; when they are used up, the turn is held, or finished. */
function open({
  replies = [],
  ends = [],
  isDurable = true,
  leftMs = null,
  ...changes
}: {
  replies?: (Renewed | Promise<Renewed> | Error)[];
  ends?: (Finished | Error)[];
  isDurable?: boolean;
  leftMs?: number | null;
} & Partial<Pick<LeaseOptions, 'turn' | 'watch'>> = {}) {
  const clock = createVirtualClock();
  const startMs = clock.now();
  const shutdown = new AbortController();
  const { log, events } = createLogLines(clock);
  const renewals: (Omit<RenewRequest, 'progress'> & { progress: TurnProgress; afterMs: number })[] = [];
  const finishes: FinishRequest[] = [];
  const running: [number, boolean][] = [];
  const overdue: string[] = [];
  const watch = createWatch(clock);
  const state: LeaseOptions['state'] = {
    isDurable,
    async renew(request) {
      const progress = JSON.parse(request.progress) as TurnProgress;
      renewals.push({ ...request, progress, afterMs: clock.now() - startMs });
      const reply = replies.shift() ?? held;
      if (reply instanceof Error) throw reply;
      return reply;
    },
    async finish(request) {
      finishes.push(request);
      const reply = ends.shift() ?? finished;
      if (reply instanceof Error) throw reply;
      return reply;
    },
  };
  const record = { fence: 1, owner: 'owner-1', hop: 0, context: generation };
  const lease = openLease({
    state,
    clock,
    log,
    timing,
    turn: turnOf(clock, { record }),
    conversationTtlMs: 60_000,
    deadlineMs: leftMs === null ? null : startMs + leftMs,
    onRunning: (total, isOver) => running.push([total, isOver]),
    onOverdue: (turnIds) => overdue.push(...turnIds),
    watch,
    shutdown: shutdown.signal,
    ...changes,
  });
  /** Waits for what needs the clock. */
  const after = async <T>(work: Promise<T>): Promise<T> => {
    await clock.advance(60_000);
    return work;
  };
  return { clock, startMs, shutdown, events, renewals, finishes, running, overdue, watch, replies, lease, after };
}

describe('a lease', () => {
  test('is renewed every 27 s for 40 s, with how far the answer got', async () => {
    const { clock, startMs, lease, renewals, running } = open();
    lease.note({ ids: RUN_IDS, calls: 4 });
    lease.noteText(() => 'so far');
    await clock.advance(26_999);
    expect(renewals).toEqual([]);
    await clock.advance(27_001);
    expect(renewals.map(({ afterMs, leaseUntilMs }) => [afterMs, leaseUntilMs - startMs])).toEqual([
      [27_000, 67_000],
      [54_000, 94_000],
    ]);
    expect(renewals[0]).toMatchObject({ fence: 1, progress: { ids: RUN_IDS, calls: 4, text: 'so far' } });
    expect(running).toEqual([
      [3, false],
      [3, false],
    ]);
    // The request that accepted the turn is one of them.
    expect(lease.requests).toBe(3);
  });

  test('does not outlive its invocation by more than 3 s', () => {
    expect(leaseEnd(1_000, timing, null)).toBe(41_000);
    expect(leaseEnd(1_000, timing, 100_000)).toBe(41_000);
    expect(leaseEnd(1_000, timing, 20_000)).toBe(23_000);
  });

  test('is written at once when that is asked for, and then again after 27 s', async () => {
    const { clock, lease, renewals } = open();
    await clock.advance(10_000);
    await lease.write();
    await clock.advance(27_000);
    expect(renewals.map(({ afterMs }) => afterMs)).toEqual([10_000, 37_000]);
  });

  test('sends one request after another, so that an older progress never overwrites a newer one', async () => {
    const slow = Promise.withResolvers<Renewed>();
    const { clock, lease, renewals } = open({ replies: [slow.promise] });
    const writing = [lease.write(), lease.write()];
    await clock.advance(0);
    expect(renewals).toHaveLength(1);
    lease.noteText(() => 'newer');
    slow.resolve(held);
    await Promise.all(writing);
    expect(renewals.map(({ progress }) => progress.text)).toEqual(['', 'newer']);
  });

  test('goes on while the store is down, and is renewed soon after', async () => {
    const { clock, lease, renewals, events } = open({ replies: [down(), down()] });
    await clock.advance(50_000);
    expect(renewals.map(({ afterMs }) => afterMs)).toEqual([27_000, 29_000, 31_000]);
    expect(lease.lost.aborted).toBe(false);
    expect(events()).toEqual(['lease_not_renewed', 'lease_not_renewed']);
  });

  test('begins with what the instance before put on record', () => {
    const clock = createVirtualClock();
    const progress = { ...noProgress, hasCard: true, text: 'so far', ids: RUN_IDS, calls: 2 };
    expect(open({ turn: turnOf(clock, { progress }) }).lease.progress).toEqual(progress);
  });
});

describe('a turn that another instance has taken over', () => {
  test.each<[string, Renewed]>([
    ['is owned by it', { kind: 'lost' }],
    ['is not on record any more', { kind: 'unknown' }],
  ])('is lost when it %s: nothing is renewed any more', async (_, reply) => {
    const { clock, lease, renewals, events } = open({ replies: [reply, reply] });
    const writing = [lease.write(), lease.write()];
    await Promise.all(writing);
    expect(lease.lost.aborted).toBe(true);
    expect(await lease.isHeld()).toBe(false);
    await clock.advance(100_000);
    expect(renewals).toHaveLength(2);
    // Once, however often the store says so.
    expect(events()).toEqual(['turn_lost']);
  });
});

describe('a turn of which it is not known whether it is on record', () => {
  const turn = turnOf(createVirtualClock(), { record: unrecorded });

  test('goes on when the store does not know it, and may not be left to another instance', async () => {
    const { lease } = open({ turn, replies: [{ kind: 'unknown' }] });
    await lease.write();
    expect(lease.lost.aborted).toBe(false);
    expect(lease.mayBeLeft).toBe(false);
  });

  test('may be left once the store has renewed it', async () => {
    const { lease } = open({ turn });
    await lease.write();
    expect(lease.mayBeLeft).toBe(true);
  });

  test('is ended in the store too, but tried only twice, and no fault when that fails', async () => {
    const { lease, finishes, after, events } = open({ turn, ends: [down(), down(), down()] });
    expect(await after(lease.finish(outcome))).toEqual({ isOnRecord: false, isStopped: false, next: null });
    expect(finishes).toHaveLength(2);
    expect(events()).toEqual([]);
  });

  test('leaves the conversation that the store knows as it is', async () => {
    const { lease, renewals } = open({ turn });
    lease.note({ ids: RUN_IDS });
    await lease.write();
    expect(renewals[0]?.remembered).toMatchObject({ generation: '', difyConversationId: null });
  });
});

describe('whether a turn is still held', () => {
  test('is known without a question as long as its lease lasts', async () => {
    const { clock, lease, renewals } = open({ replies: Array.from({ length: 7 }, down) });
    await clock.advance(39_999);
    const asked = renewals.length;
    expect(await lease.isHeld()).toBe(true);
    expect(renewals).toHaveLength(asked);
  });

  test('is known for as long again with each renewal', async () => {
    const { clock, lease, renewals } = open();
    await clock.advance(50_000);
    expect(await lease.isHeld()).toBe(true);
    expect(renewals).toHaveLength(1);
  });

  test('is asked of the store after its lease has lapsed: this process may have stood still', async () => {
    const { clock, lease, renewals } = open({ replies: [down(), { kind: 'lost' }] });
    await clock.advance(40_000);
    expect(await lease.isHeld()).toBe(false);
    expect(renewals).toHaveLength(2);
  });
});

describe('an answer that was stopped through another instance', () => {
  test('is heard of with the next renewal', async () => {
    const { lease } = open({ replies: [held, { ...held, isStopped: true }] });
    await lease.write();
    expect(lease.stopAsked.aborted).toBe(false);
    await lease.write();
    expect(lease.stopAsked.aborted).toBe(true);
  });
});

describe('progress that is to be written soon', () => {
  test('is written after that time', async () => {
    const { clock, lease, renewals } = open();
    lease.writeWithin(700);
    await clock.advance(699);
    expect(renewals).toHaveLength(0);
    await clock.advance(1);
    expect(renewals).toHaveLength(1);
  });

  test('is written as soon as what it waits for is there, and then not once more', async () => {
    const { clock, lease, renewals } = open();
    const card = Promise.withResolvers<void>();
    lease.writeWithin(700, card.promise);
    await clock.advance(100);
    card.resolve();
    await clock.advance(1_000);
    expect(renewals.map(({ afterMs }) => afterMs)).toEqual([100]);
  });

  test('is not written again when it was written meanwhile', async () => {
    const { clock, lease, renewals } = open();
    lease.writeWithin(700);
    await lease.write();
    await clock.advance(1_000);
    expect(renewals).toHaveLength(1);
  });

  test('is not written any more after the end', async () => {
    const { clock, lease, renewals } = open();
    lease.writeWithin(700);
    lease.stop();
    await clock.advance(1_000);
    await lease.write();
    expect(renewals).toHaveLength(0);
  });
});

describe('what is remembered of the conversation', () => {
  const remembered = async (changes: Parameters<typeof turnOf>[1]) => {
    const clock = createVirtualClock();
    const record = { fence: 1, owner: 'owner-1', hop: 0, context: generation };
    const { lease, renewals } = open({ turn: turnOf(clock, { record, ...changes }) });
    lease.note({ ids: RUN_IDS });
    await lease.write();
    return renewals[0]?.remembered;
  };

  test('is Dify’s id of it, for the time that is configured', async () => {
    expect(await remembered({})).toEqual({
      conversationKey: 'conversation-1',
      generation: 'g1',
      difyConversationId: 'dify-1',
      ttlMs: 60_000,
    });
  });

  test('is nothing of the run of a form, which belongs where it was started', async () => {
    const form = { user: 'staff-9', shownChars: 0 };
    const submission = { ...form, token: 't', runId: 'run-1', action: 'yes', inputs: {}, appType: 'chatflow' } as const;
    const progress = { ...noProgress, form };
    expect(await remembered({ form: submission })).toMatchObject({ difyConversationId: null });
    expect(await remembered({ progress })).toMatchObject({ difyConversationId: null });
  });

  test('is nothing as long as Dify has not named it', async () => {
    const { lease, renewals } = open();
    await lease.write();
    expect(renewals[0]?.remembered.difyConversationId).toBeNull();
  });
});

describe('a turn that is given up', () => {
  test('is left to be taken over at once, with its progress on record', async () => {
    const { clock, lease, renewals } = open();
    await clock.advance(5_000);
    lease.noteText(() => 'so far');
    await lease.release();
    expect(renewals).toMatchObject([{ leaseUntilMs: clock.now(), progress: { text: 'so far' } }]);
    await clock.advance(100_000);
    expect(renewals).toHaveLength(1);
  });

  test.each([
    ['can be found again', { isDurable: true, isEnding: true }, true],
    ['cannot when its record ends with this process', { isDurable: false, isEnding: true }, false],
    ['can as long as this process goes on', { isDurable: false, isEnding: false }, true],
  ])('%s', (_, { isDurable, isEnding }, mayBeLeft) => {
    const { lease, shutdown } = open({ isDurable });
    if (isEnding) shutdown.abort();
    expect(lease.mayBeLeft).toBe(mayBeLeft);
  });
});

describe('the end of a turn', () => {
  const next = { turnId: 'turn-2' } as StartedTurn;

  test('tells the store what became of it, and what it cost', async () => {
    const { lease, finishes, running, startMs } = open();
    lease.note({ calls: 9 });
    expect(await lease.finish({ ...outcome, failure: 'dify_busy' })).toEqual({
      isOnRecord: true,
      isStopped: false,
      next: null,
    });
    expect(finishes).toMatchObject([
      { turnId: 'turn-1-of-a-test', fence: 1, owner: 'owner-1', nowMs: startMs, failure: 'dify_busy', spent: 9 },
    ]);
    expect(running).toEqual([[2, true]]);
  });

  test('waits for a renewal that is under way', async () => {
    const { lease, renewals, finishes } = open();
    void lease.write();
    const finishing = lease.finish(outcome);
    expect(finishes).toHaveLength(0);
    await finishing;
    expect([renewals.length, finishes.length]).toEqual([1, 1]);
  });

  test('is tried again while the store is down', async () => {
    const { clock, startMs, lease, finishes } = open({ ends: Array.from({ length: 6 }, down) });
    const finishing = lease.finish(outcome);
    await clock.advance(23_500);
    await finishing;
    expect(finishes.map(({ nowMs }) => nowMs - startMs)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 23_500]);
  });

  test('is left to the instance that takes it over when the store stays down', async () => {
    const { lease, after, events, running } = open({ ends: Array.from({ length: 7 }, down) });
    expect(await after(lease.finish(outcome))).toEqual({ isOnRecord: false, isStopped: false, next: null });
    expect(events()).toEqual(['turn_not_ended']);
    expect(running).toEqual([]);
  });

  test('is not this instance’s any more when another one has taken the turn over', async () => {
    const { lease, running } = open({ ends: [{ kind: 'lost' }] });
    expect(await lease.finish(outcome)).toEqual({ isOnRecord: false, isStopped: false, next: null });
    expect(running).toEqual([]);
  });

  test('tells that it was stopped through another instance', async () => {
    const { lease } = open({ ends: [{ ...finished, isStopped: true }] });
    expect(await lease.finish(outcome)).toMatchObject({ isStopped: true });
  });

  test.each<[string, Parameters<typeof open>[0], { usedMs?: number; isEnding?: boolean }, boolean]>([
    ['is begun here where nothing ends the invocation', {}, {}, true],
    ['is begun here when there is time', { leftMs: 300_000 }, { usedMs: 270_000 }, true],
    ['is left to a fresh invocation with less than 30 s', { leftMs: 300_000 }, { usedMs: 270_001 }, false],
    ['is begun here with half of a short limit', { leftMs: 20_000 }, { usedMs: 10_000 }, true],
    ['is left to a fresh one with less than half of it', { leftMs: 20_000 }, { usedMs: 10_001 }, false],
    ['is left to another instance when this one ends', {}, { isEnding: true }, false],
    ['is begun here when its record ends with this process', { isDurable: false }, { isEnding: true }, true],
  ])('the next turn %s', async (_, options, { usedMs = 0, isEnding = false }, isOurs) => {
    const { clock, lease, shutdown, finishes } = open({ ...options, ends: [{ ...finished, next }] });
    await clock.advance(usedMs);
    if (isEnding) shutdown.abort();
    expect((await lease.finish(outcome)).next).toEqual({ turn: next, isOurs });
    // A turn that is left has no lease here: the fresh invocation can take it at once.
    expect((finishes[0]?.nextLeaseUntilMs ?? 0) > clock.now()).toBe(isOurs);
  });
});

describe('a renewal', () => {
  const times = ({ renewals }: Pick<ReturnType<typeof open>, 'renewals'>) => renewals.map(({ afterMs }) => afterMs);

  test('comes every 10 s while other instances write answers: it tells which of those have died', async () => {
    const opened = open();
    const { clock, watch } = opened;
    watch.noteRunning(1, 2);
    await clock.advance(25_000);
    // Another answer of this instance has asked the store.
    watch.noteAsked();
    await clock.advance(12_000);
    expect(times(opened)).toEqual([10_000, 20_000, 35_000]);
    watch.noteRunning(2, 2);
    await clock.advance(30_000);
    expect(times(opened)).toEqual([10_000, 20_000, 35_000, 62_000]);
  });

  test('does not come at once where the instance has asked nothing for long: the new question told it', async () => {
    let asked = 0;
    const watch = { noteAsked: () => void (asked += 1), dueInMs: () => (asked === 0 ? 0 : Infinity) };
    const opened = open({ watch });
    await opened.clock.advance(9_000);
    expect([asked, times(opened)]).toEqual([1, []]);
  });

  test('comes every 10 s while the run is silent', async () => {
    const opened = open();
    opened.lease.note({ eventAtMs: opened.clock.now() });
    await opened.clock.advance(155_000);
    expect(times(opened)).toEqual([27_000, 54_000, 81_000, 108_000, 128_000, 138_000, 148_000]);
  });

  test('tells whose questions wait behind; nothing while the store is down, or once the turn is lost', async () => {
    const { lease } = open({ replies: [{ ...held, behind: 'asker' }, down(), { kind: 'lost' }] });
    expect(await lease.write()).toBe('asker');
    expect(await lease.write()).toBeNull();
    expect(await lease.write()).toBeNull();
  });

  test('hands on the turns whose function died, while there is time for them here', async () => {
    const lapsed: Renewed = { ...held, overdue: ['turn-2'] };
    // The renewal after 27 s comes in between.
    const { lease, overdue, clock, finishes } = open({ replies: [lapsed, held, lapsed], leftMs: 60_000 });
    await lease.write();
    expect(overdue).toEqual(['turn-2']);
    await clock.advance(31_000);
    await lease.write();
    expect([overdue, finishes]).toEqual([['turn-2'], []]);
    const ending = open({ replies: [lapsed] });
    ending.shutdown.abort();
    await ending.lease.write();
    expect(ending.overdue).toEqual([]);
  });
});

describe('a run without an event for two minutes', () => {
  const behind: Renewed = { ...held, behind: 'others' };
  const quietFor = async (
    ms: number,
    { replies, ...changes }: { replies: Renewed[] } & Partial<Turn>,
    eventAgoMs: number | null = 0,
  ) => {
    const opened = open({ replies: [], turn: turnOf(createVirtualClock(), changes) });
    const { lease, clock } = opened;
    if (eventAgoMs !== null) lease.note({ eventAtMs: clock.now() - eventAgoMs });
    await clock.advance(ms);
    opened.replies.push(...replies);
    await lease.write();
    return lease;
  };

  test('gives way to a question behind it', async () => {
    const lease = await quietFor(120_000, { replies: [behind] });
    expect(lease.silent.reason).toMatchObject({ code: 'dify_stalled' });
  });

  test('goes on while no question waits', async () => {
    expect((await quietFor(600_000, { replies: [held] })).silent.aborted).toBe(false);
  });

  test('is not yet one after 119 s', async () => {
    expect((await quietFor(119_000, { replies: [behind] })).silent.aborted).toBe(false);
  });

  test('is none before its first event: it may wait for a worker', async () => {
    expect((await quietFor(200_000, { replies: [behind] }, null)).silent.aborted).toBe(false);
  });

  test('begins anew with each question: a second try may be slow to begin', async () => {
    const opened = open({ turn: turnOf(createVirtualClock(), { mayHaveBeenAsked: true }) });
    const { lease, clock, replies } = opened;
    await clock.advance(30_000);
    lease.note({ askedAtMs: clock.now() });
    await clock.advance(60_000);
    replies.push(behind);
    await lease.write();
    expect(lease.silent.aborted).toBe(false);
    await clock.advance(60_000);
    replies.push(behind);
    await lease.write();
    expect(lease.silent.aborted).toBe(true);
  });

  test('is listened to for 20 s by an instance that takes it over', async () => {
    const taken = { replies: [behind], mayHaveBeenAsked: true };
    expect((await quietFor(19_000, taken, 600_000)).silent.aborted).toBe(false);
    expect((await quietFor(20_000, taken, 600_000)).silent.aborted).toBe(true);
    // Versions before this one noted no events.
    expect((await quietFor(20_000, taken, null)).silent.aborted).toBe(true);
  });
});

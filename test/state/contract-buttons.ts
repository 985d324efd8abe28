import { describe, expect, test } from 'vitest';
import type { AcceptRequest, FinishRequest, Remembered, State } from '../../lib/state/state.ts';
import type { Accepted } from '../../lib/state/told.ts';

export interface Makers {
  request: (over?: Partial<AcceptRequest>) => AcceptRequest;
  finish: (of: AcceptRequest, over?: Partial<FinishRequest>) => FinishRequest;
  remembered: (conversationKey: string, over?: Partial<Remembered>) => Remembered;
  contextOf: (accepted: Accepted) => unknown;
}

const NOW = 1_800_000_000_000;
const LEASE_MS = 40_000;

/** What buttons and forms need of every store. */
export function describeButtons(open: () => { state: State; other: State }, makers: Makers): void {
  const { request, finish, remembered, contextOf } = makers;
  let serial = 0;

  describe('a stop', () => {
    test("marks the asker's running turn and drops their waiting ones, not those of others", async () => {
      const { state, other } = open();
      const conversationKey = 'shared';
      const [running, mine, theirs] = [
        request({ conversationKey }),
        request({ conversationKey }),
        request({ conversationKey, asker: 'asker-2' }),
      ];
      for (const turn of [running, mine, theirs]) await state.accept(turn);
      const stopped = await other.stop({
        conversationKey,
        owner: 'stop-1',
        asker: 'asker-1',
        turnId: null,
        nowMs: NOW,
        leaseUntilMs: NOW + LEASE_MS,
      });
      expect(stopped).toEqual({
        running: { turnId: running.turnId, payload: running.payload, progress: null },
        dropped: [{ turnId: mine.turnId, progress: null }],
      });
      expect(
        await other.stop({
          conversationKey,
          owner: 'stop-1',
          asker: 'asker-1',
          turnId: null,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        }),
      ).toEqual(stopped);
      expect(
        await other.stop({
          conversationKey,
          owner: 'stop-2',
          asker: 'asker-1',
          turnId: null,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        }),
      ).toMatchObject({
        dropped: [],
      });
      expect(await state.noteWaiting({ turnId: mine.turnId, progress: 'late' })).toEqual({
        state: 'dropped',
        progress: null,
      });
      const held = await state.renew({
        turnId: running.turnId,
        fence: 1,
        nowMs: NOW,
        leaseUntilMs: NOW + LEASE_MS,
        progress: '',
        remembered: remembered(conversationKey),
      });
      expect(held).toMatchObject({ isStopped: true });
      expect(await state.finish(finish(running))).toMatchObject({ next: { turnId: theirs.turnId } });
    });

    test('of somebody who asked nothing stops nothing, and of an administrator everything', async () => {
      const { state } = open();
      const conversationKey = 'quiet';
      const [running, waiting] = [request({ conversationKey }), request({ conversationKey, asker: 'asker-2' })];
      await state.accept(running);
      await state.accept(waiting);
      expect(
        await state.stop({
          conversationKey,
          owner: 'stop-3',
          asker: 'asker-3',
          turnId: null,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        }),
      ).toEqual({
        running: null,
        dropped: [],
      });
      expect(
        await state.stop({
          conversationKey,
          owner: 'stop-4',
          asker: null,
          turnId: null,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        }),
      ).toMatchObject({
        running: { turnId: running.turnId },
        dropped: [{ turnId: waiting.turnId, progress: null }],
      });
      expect(
        await state.stop({
          conversationKey: 'nothing',
          owner: 'stop-5',
          asker: null,
          turnId: null,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        }),
      ).toEqual({
        running: null,
        dropped: [],
      });
    });

    test('of one turn leaves the others alone', async () => {
      const { state, other } = open();
      const conversationKey = 'one-of-them';
      const [running, first, second] = [
        request({ conversationKey }),
        request({ conversationKey }),
        request({ conversationKey }),
      ];
      for (const turn of [running, first, second]) await state.accept(turn);
      const only = (turnId: string, asker: string | null = null) =>
        other.stop({
          conversationKey,
          owner: `stop-${(serial += 1)}`,
          asker,
          turnId,
          nowMs: NOW,
          leaseUntilMs: NOW + LEASE_MS,
        });
      expect(await only(first.turnId, 'asker-2')).toEqual({ running: null, dropped: [] });
      expect(await only(first.turnId)).toEqual({ running: null, dropped: [{ turnId: first.turnId, progress: null }] });
      expect(await only(running.turnId)).toMatchObject({ running: { turnId: running.turnId }, dropped: [] });
      expect(await state.finish(finish(running))).toMatchObject({ isStopped: true, next: { turnId: second.turnId } });
      expect(await state.finish(finish(second))).toMatchObject({ isStopped: false, next: null });
    });
  });

  describe('what a button needs', () => {
    test('is there while a turn runs and after it, without what people wrote', async () => {
      const { state, other } = open();
      const asked = request();
      expect(await other.lookUp(asked.turnId)).toBeNull();
      await state.accept(asked);
      const { conversationKey, asker, payload } = asked;
      expect(await other.lookUp(asked.turnId)).toEqual({
        state: 'started',
        asker,
        conversationKey,
        payload,
        progress: null,
        isStopped: false,
        receipt: null,
        formNote: null,
        reply: null,
      });
      const reply = { text: 'the address', untilMs: NOW + 60_000 };
      await state.finish(finish(asked, { receipt: 'receipt', reply }));
      expect(await other.lookUp(asked.turnId)).toEqual({
        state: 'done',
        asker,
        conversationKey,
        payload: null,
        progress: null,
        isStopped: false,
        receipt: 'receipt',
        formNote: null,
        reply: 'the address',
      });
    });

    test('notes what became of a form, in the place of what is known only', async () => {
      const { state, other } = open();
      const { turnId, ...asked } = request();
      const note = (on: State, text: string, instead: string | null) => on.noteForm({ turnId, note: text, instead });
      expect(await note(state, 'early', '')).toBe('');
      await state.accept({ turnId, ...asked });
      await state.finish(finish({ turnId, ...asked }, { receipt: 'receipt' }));
      expect(await note(state, 'first', '')).toBe('first');
      expect(await note(other, 'second', '')).toBe('first');
      expect(await note(other, 'second', 'first')).toBe('second');
      expect(await note(state, 'last', null)).toBe('last');
      expect(await other.lookUp(turnId)).toMatchObject({ formNote: 'last', receipt: 'receipt' });
    });

    test('keeps the question of a failed turn, and knows nothing of a mere claim', async () => {
      const { state } = open();
      const asked = request();
      await state.accept(asked);
      await state.finish(finish(asked, { failure: 'dify_busy' }));
      expect(await state.lookUp(asked.turnId)).toMatchObject({ state: 'done', payload: asked.payload });
      await state.claim({ turnId: 'claimed', owner: 'a', nowMs: NOW });
      expect(await state.lookUp('claimed')).toBeNull();
      expect(await state.rate({ turnId: 'claimed', person: 'p', owner: 'o', rating: 'like' })).toBeNull();
    });

    test('tells a rating from its withdrawal, for each person, however often the request comes', async () => {
      const { state, other } = open();
      const asked = request();
      await state.accept(asked);
      const rate = (on: State, person: string, owner: string, rating: 'like' | 'dislike') =>
        on.rate({ turnId: asked.turnId, person, owner, rating });
      expect(await rate(state, 'a', 'tap-1', 'like')).toBe('like');
      expect(await rate(state, 'a', 'tap-1', 'like')).toBe('like');
      expect(await rate(other, 'b', 'tap-2', 'like')).toBe('like');
      expect(await rate(other, 'a', 'tap-3', 'dislike')).toBe('dislike');
      expect(await rate(other, 'a', 'tap-4', 'dislike')).toBeNull();
      expect(await rate(other, 'a', 'tap-4', 'dislike')).toBeNull();
      expect(await rate(state, 'b', 'tap-5', 'like')).toBeNull();
    });

    test('keeps a rating that comes again with its reason', async () => {
      const { state } = open();
      const asked = request();
      await state.accept(asked);
      const rate = (owner: string, keeps: boolean) =>
        state.rate({ turnId: asked.turnId, person: 'a', owner, rating: 'dislike', keeps });
      expect(await rate('tap-1', true)).toBe('dislike');
      expect(await rate('tap-2', true)).toBe('dislike');
      expect(await rate('tap-3', false)).toBeNull();
    });

    test('a flag is seen by every instance', async () => {
      const { state, other } = open();
      const name = `flag-${(serial += 1)}`;
      expect(await other.flags.isSet(name)).toBe(false);
      await state.flags.set(name, 60_000);
      expect(await other.flags.isSet(name)).toBe(true);
      expect(await other.flags.isSet(`${name}-other`)).toBe(false);
    });
  });

  describe('a conversation that is met', () => {
    test('for the first time is told from others, once, and not after it was begun anew', async () => {
      const { state, other } = open();
      const asked = request();
      expect(await state.accept(asked)).toMatchObject({ kind: 'started', isFirst: true });
      expect(await state.accept(asked)).toMatchObject({ kind: 'started', isFirst: true });
      await state.finish(finish(asked));
      const { conversationKey } = asked;
      expect(await other.accept(request({ conversationKey }))).toMatchObject({ isFirst: false });
      const fresh = `fresh-${(serial += 1)}`;
      await state.startConversation({ conversationKey: fresh, generation: 'g', ttlMs: 60_000 });
      expect(await state.accept(request({ conversationKey: fresh }))).toMatchObject({ isFirst: false });
    });

    test('waits for a form until it is answered, or the conversation begins anew', async () => {
      const { state, other } = open();
      const asked = request();
      const { conversationKey } = asked;
      const ask = async (over: Partial<FinishRequest>) => {
        const next = request({ conversationKey });
        const accepted = await other.accept(next);
        const generation = accepted.kind === 'started' ? accepted.turn.context.generation : '';
        await other.finish(finish(next, { remembered: remembered(conversationKey, { generation }), ...over }));
        return contextOf(accepted);
      };
      await state.accept(asked);
      const queued = request({ conversationKey });
      await state.accept(queued);
      const done = await state.finish(finish(asked, { form: { kind: 'change', newest: 'a form', all: 'all forms' } }));
      expect(done).toMatchObject({ next: { context: { form: 'a form', forms: 'all forms' } } });
      await state.finish(finish(queued));
      expect(await ask({})).toMatchObject({ form: 'a form' });
      expect(await ask({ form: { kind: 'change', newest: null, all: null } })).toMatchObject({ form: 'a form' });
      expect(await ask({ form: { kind: 'change', newest: 'another', all: 'more' } })).toMatchObject({ form: null });
      expect(await ask({})).toMatchObject({ form: 'another', forms: 'more' });
      await state.startConversation({ conversationKey, generation: 'anew', ttlMs: 60_000 });
      // The numbers of the forms go on.
      expect(await ask({})).toMatchObject({ form: null, forms: 'more' });
      const late = request({ conversationKey });
      await state.accept(late);
      const old = remembered(conversationKey, { generation: '' });
      await state.finish(
        finish(late, { remembered: old, form: { kind: 'change', newest: 'late', all: 'late forms' } }),
      );
      expect(await ask({})).toMatchObject({ form: null, forms: 'more' });
    });

    test('shows a form on a card that is due when its time is over, once a minute until it is over', async () => {
      const { state, other } = open();
      const asked = request();
      const { turnId, nowMs } = asked;
      await state.accept(asked);
      await state.finish(finish(asked, { waits: { untilMs: nowMs + 5_000, group: null } }));
      const due = (afterMs: number) => other.dueForms({ nowMs: nowMs + afterMs, limit: 50 });
      expect(await due(4_999)).not.toContain(turnId);
      const next = await other.accept(request({ nowMs: nowMs + 5_000 }));
      expect(next).toMatchObject({ load: { dueForms: expect.arrayContaining([turnId]) as unknown } });
      expect(await due(64_999)).not.toContain(turnId);
      expect(await due(65_001)).toContain(turnId);
      await state.postponeForm({ turnId, untilMs: nowMs + 200_000 });
      expect(await due(199_999)).not.toContain(turnId);
      expect(await due(200_000)).toContain(turnId);
      const over = request({ nowMs: nowMs + 200_001 });
      await state.accept(over);
      await state.finish(finish(over, { formsOver: [turnId] }));
      expect(await due(900_000)).not.toContain(turnId);
      await state.postponeForm({ turnId, untilMs: nowMs });
      expect(await due(900_000)).not.toContain(turnId);
    });

    test('tells an asker of the forms that wait in a group, also one that waited in line', async () => {
      const { state, other } = open();
      const group = `group-${(serial += 1)}`;
      const show = async (receipt: string, untilMs: number) => {
        const asked = request();
        await state.accept(asked);
        await state.finish(finish(asked, { receipt, waits: { untilMs, group } }));
        return asked;
      };
      const first = await show('first', request().nowMs + 60_000);
      await show('second', request().nowMs + 90_000);
      const told = request({ formsOf: group });
      const { conversationKey } = told;
      expect(contextOf(await other.accept(told))).toMatchObject({ others: ['second', 'first'] });
      await other.accept(request({ conversationKey, formsOf: group }));
      const done = await state.finish(finish(told, { formsOver: [first.turnId] }));
      expect(done).toMatchObject({ next: { context: { others: ['second'] } } });
      expect(contextOf(await other.accept(request()))).toMatchObject({ others: [] });
      expect(contextOf(await other.accept(request({ formsOf: group, nowMs: told.nowMs + 90_001 })))).toMatchObject({
        others: [],
      });
    });
  });

  test('the last arrival by each door is told, and comes along with the calls that are made anyway', async () => {
    const { state, other } = open();
    state.noteArrival({ door: 'http', atMs: NOW, offsetMs: -250 });
    expect((await other.status({ nowMs: NOW })).arrivals.map(({ door }) => door)).not.toContain('card');
    await state.accept(request());
    other.noteArrival({ door: 'card', atMs: NOW + 1, offsetMs: 40 });
    await other.lookUp('nothing');
    state.noteArrival({ door: 'stream', atMs: NOW + 2, offsetMs: null });
    await state.claim({ turnId: `arrival-${(serial += 1)}`, owner: 'owner', nowMs: NOW });
    state.noteArrival({ door: 'sweep', atMs: NOW + 3, offsetMs: null });
    await state.overdue({ nowMs: NOW, limit: 1 });
    expect((await other.status({ nowMs: NOW })).arrivals).toEqual([
      { door: 'http', atMs: NOW, offsetMs: -250 },
      { door: 'card', atMs: NOW + 1, offsetMs: 40 },
      { door: 'stream', atMs: NOW + 2, offsetMs: null },
      { door: 'sweep', atMs: NOW + 3, offsetMs: null },
    ]);
  });

  test('how a robot fares is told in counts and codes', async () => {
    const { state, other } = open();
    const before = await other.status({ nowMs: NOW });
    expect(before.calls).toBe(0);
    const conversationKey = `status-${(serial += 1)}`;
    const asked = [request({ conversationKey }), request({ conversationKey }), request({ conversationKey })];
    for (const each of asked) await state.accept({ ...each, nowMs: NOW + 5 });
    const during = await other.status({ nowMs: NOW });
    expect(during).toMatchObject({
      running: before.running + 1,
      waiting: before.waiting + 2,
      lastAcceptedAtMs: NOW + 5,
    });
    const [first, second, third] = asked.map((each) => finish(each, { spent: 7, failure: `code-${serial}` }));
    if (first && second && third) {
      await state.finish(first);
      await state.finish(first);
      await state.finish({ ...second, failure: null, nowMs: NOW + 2_000 });
      await state.finish({ ...third, nowMs: NOW + 3_000 });
    }
    const after = await other.status({ nowMs: NOW });
    expect(after).toMatchObject({ running: before.running, waiting: before.waiting, calls: 21 });
    expect(after.failures.filter(({ code }) => code === `code-${serial}`)).toEqual([
      { code: `code-${serial}`, count: 2, lastMs: NOW + 3_000 },
    ]);
    // The calls are those of the calendar month: January here, then February.
    expect((await other.status({ nowMs: NOW + 20 * 86_400_000 })).calls).toBe(0);
  });

  test('a question that is given up while its card is being opened is looked after, until that is noted', async () => {
    const { state, other } = open();
    const conversationKey = `orphaned-${(serial += 1)}`;
    const [, noted, orphaned] = [
      request({ conversationKey }),
      request({ conversationKey }),
      request({ conversationKey }),
    ];
    await state.accept(request({ conversationKey }));
    await state.accept(noted);
    await state.accept(orphaned);
    await state.stop({
      conversationKey,
      owner: 'stop',
      asker: null,
      turnId: null,
      nowMs: NOW,
      leaseUntilMs: NOW + LEASE_MS,
    });
    const take = (turnId: string, owner: string, nowMs: number) =>
      other.takeOver({ turnId, owner, nowMs, leaseUntilMs: nowMs + LEASE_MS, handedOver: null });
    expect(await take(orphaned.turnId, 'early', NOW + LEASE_MS - 1)).toBeNull();
    // That its card is there does not say that it has ended.
    await state.noteWaiting({ turnId: orphaned.turnId, progress: 'its card is there' });
    await state.noteDropped(noted.turnId);
    const later = NOW + LEASE_MS;
    const overdue = await other.overdue({ nowMs: later, limit: 1_000 });
    expect([overdue.includes(noted.turnId), overdue.includes(orphaned.turnId)]).toEqual([false, true]);
    expect(await take(noted.turnId, 'a', later)).toBeNull();
    expect(await take(orphaned.turnId, 'a', later)).toBe('dropped');
    expect(await take(orphaned.turnId, 'a', later)).toBe('dropped');
    expect(await take(orphaned.turnId, 'b', later)).toBeNull();
    expect(await other.overdue({ nowMs: later, limit: 1_000 })).not.toContain(orphaned.turnId);
    // The instance that was to end the card has been killed.
    const muchLater = later + LEASE_MS;
    expect(await take(orphaned.turnId, 'c', muchLater)).toBe('dropped');
    await state.noteDropped(orphaned.turnId);
    expect(await take(orphaned.turnId, 'd', muchLater + LEASE_MS)).toBeNull();
  });

  test('a question that is given up although its card is there is looked after too, until that is noted', async () => {
    const { state, other } = open();
    const conversationKey = `unheard-${(serial += 1)}`;
    const ended = request({ conversationKey });
    const unheard = request({ conversationKey });
    await state.accept(request({ conversationKey }));
    for (const waiting of [ended, unheard]) {
      await state.accept(waiting);
      await state.noteWaiting({ turnId: waiting.turnId, progress: 'its card is there' });
    }
    const stop = {
      conversationKey,
      owner: 'stop',
      asker: null,
      turnId: null,
      nowMs: NOW,
      leaseUntilMs: NOW + LEASE_MS,
    };
    expect((await state.stop(stop)).dropped).toHaveLength(2);
    await state.noteDropped(ended.turnId);
    const later = NOW + LEASE_MS;
    const overdue = await other.overdue({ nowMs: later, limit: 1_000 });
    expect([overdue.includes(ended.turnId), overdue.includes(unheard.turnId)]).toEqual([false, true]);
    const take = { turnId: unheard.turnId, owner: 'a', nowMs: later, leaseUntilMs: later + LEASE_MS, handedOver: null };
    expect(await other.takeOver(take)).toBe('dropped');
  });

  test('a question that is given up waits no more', async () => {
    const { state } = open();
    const conversationKey = `given-up-${(serial += 1)}`;
    const before = await state.status({ nowMs: NOW });
    await state.accept(request({ conversationKey }));
    await state.accept(request({ conversationKey }));
    await state.stop({
      conversationKey,
      owner: 'stop',
      asker: null,
      turnId: null,
      nowMs: NOW,
      leaseUntilMs: NOW + LEASE_MS,
    });
    expect((await state.status({ nowMs: NOW })).waiting).toBe(before.waiting);
  });
}

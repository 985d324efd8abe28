// What Redis holds of turns: by whose clock, for which version, and for how long.
import { beforeEach, describe, expect, test } from 'vitest';
import { createFetch } from '../../lib/net/fetch.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createUpstash } from '../../lib/state/redis/upstash.ts';
import type { AcceptRequest, FinishRequest } from '../../lib/state/state.ts';
import { describeWith } from '../support/require.ts';
import { sendTo } from '../support/store.ts';
import { useStore } from '../support/use-store.ts';

const MINUTE = 60_000;
const LEASE_MS = 30_000;

describeWith('redis-server', 'what Redis holds', () => {
  const store = useStore();
  beforeEach(() => store().clear());

  const prefix = 'dify-on-dingtalk:{robot}:';
  const open = (time: ((nowMs: number) => number) | null) => {
    const { url, token } = store().front;
    const upstash = createUpstash({ url, token, fetch: createFetch(), clock: systemClock, timeoutMs: 10_000 });
    return createRedisState(upstash, { clientId: 'robot', app: 'app', time });
  };
  const redis = async (...command: string[]): Promise<unknown> => {
    const [reply] = await sendTo(store().redis, command);
    return Buffer.isBuffer(reply) ? reply.toString() : reply;
  };

  const request = (nowMs: number, over: Partial<AcceptRequest> = {}): AcceptRequest => ({
    turnId: 'turn-1',
    owner: 'owner-1',
    asker: 'asker-1',
    conversationKey: 'conversation-1',
    conversationTtlMs: 60_000,
    payload: '{}',
    nowMs,
    leaseUntilMs: nowMs + LEASE_MS,
    queueLimit: 5,
    heldFiles: 'take',
    budget: null,
    rate: null,
    ...over,
  });
  const ending = (nowMs: number, over: Partial<FinishRequest> = {}): FinishRequest => ({
    turnId: 'turn-1',
    fence: 1,
    owner: 'owner-1',
    nowMs,
    failure: null,
    remembered: { conversationKey: 'conversation-1', generation: '', difyConversationId: null, ttlMs: 60_000 },
    spent: 0,
    receipt: '{"the":"receipt"}',
    form: { kind: 'keep' },
    nextLeaseUntilMs: nowMs + LEASE_MS,
    ...over,
  });
  const taking = (nowMs: number, over: object = {}) => ({
    turnId: 'turn-1',
    owner: 'owner-2',
    nowMs,
    leaseUntilMs: nowMs + LEASE_MS,
    handedOver: null,
    ...over,
  });

  describe('by the time of the store', () => {
    test.each([
      ['behind', -10 * MINUTE],
      ['ahead', 10 * MINUTE],
    ])('an instance whose clock is %s takes no turn from the one that holds it', async (_, apartMs) => {
      const [right, wrong] = [Date.now(), Date.now() + apartMs];
      const state = open(null);
      for (const [turnId, holder, other] of [
        ['turn-a', right, wrong],
        ['turn-b', wrong, right],
      ] as const) {
        await state.accept(request(holder, { turnId, conversationKey: turnId }));
        expect(await state.takeOver(taking(other, { turnId }))).toBeNull();
      }
      expect(await state.overdue({ nowMs: wrong, limit: 9 })).toEqual([]);
      expect(await state.accept(request(wrong, { turnId: 'turn-c', conversationKey: 'c' }))).toMatchObject({
        load: { running: 3, overdue: [] },
      });
    });

    test('a turn that is given back can be had at once, whatever the clocks', async () => {
      const state = open(null);
      const late = Date.now() + 10 * MINUTE;
      await state.accept(request(late));
      const renewal = { turnId: 'turn-1', fence: 1, nowMs: late, leaseUntilMs: late, progress: '{}' };
      await state.renew({ ...renewal, remembered: ending(0).remembered });
      expect(await state.overdue({ nowMs: Date.now(), limit: 9 })).toEqual(['turn-1']);
      expect(await state.takeOver(taking(Date.now()))).toMatchObject({ fence: 2 });
    });

    test('a handover is as old as the store says, which told its time with the last reply', async () => {
      const state = open(null);
      const wrong = Date.now() + 10 * MINUTE;
      await state.accept(request(wrong));
      const renewal = { turnId: 'turn-1', fence: 1, nowMs: wrong, leaseUntilMs: wrong, progress: '{}' };
      await state.renew({ ...renewal, remembered: ending(0).remembered });
      const sentAtMs = state.storeTime(wrong);
      expect(Math.abs(sentAtMs - Date.now())).toBeLessThan(10_000);
      const handedOver = { fence: 1, hop: 1 };
      const old = { ...handedOver, sentAtMs: sentAtMs - MINUTE - 10_000 };
      expect(await state.takeOver(taking(0, { handedOver: old }))).toBe('late');
      expect(await state.takeOver(taking(0, { handedOver: { ...handedOver, sentAtMs } }))).toMatchObject({ hop: 1 });
    });
  });

  describe('in a newer version', () => {
    const NOW = 1_800_000_000_000;
    const LAPSED = NOW + LEASE_MS;
    const given = (nowMs: number) => nowMs;
    const raise = (turnId: string) => redis('HSET', `${prefix}turn:${turnId}`, 'v', '99');

    test('a turn is left on record, and does not hide others whose lease has lapsed', async () => {
      const state = open(given);
      await state.accept(request(NOW));
      await raise('turn-1');
      await state.accept(request(NOW + 1, { turnId: 'own', conversationKey: 'own' }));
      expect(await state.overdue({ nowMs: LAPSED + 1, limit: 1 })).toEqual(['own']);
      expect(await state.takeOver(taking(LAPSED))).toBeNull();
      const handedOver = { fence: 1, hop: 1, sentAtMs: LAPSED };
      expect(await state.takeOver(taking(LAPSED, { handedOver }))).toBeNull();
      expect(await redis('HGET', `${prefix}turn:turn-1`, 'claim')).toBe('1');
    });

    test('a turn that waited is started, without a lease, for an instance that knows it', async () => {
      const state = open(given);
      await state.accept(request(NOW));
      await state.accept(request(NOW, { turnId: 'turn-2', owner: 'owner-2' }));
      await raise('turn-2');
      const ended = await state.finish(ending(NOW + 1_000));
      expect(ended).toMatchObject({ kind: 'finished', next: null, running: 0 });
      expect(await state.finish(ending(NOW + 1_000))).toEqual(ended);
      expect(await redis('HMGET', `${prefix}turn:turn-2`, 'state', 'askedBy')).toMatchObject([
        Buffer.from('started'),
        Buffer.from(''),
      ]);
      expect(await redis('ZSCORE', `${prefix}leases`, 'turn-2')).toBe(String(NOW + 1_000));
    });

    test('a turn that no newer instance took for ten minutes is taken: its conversation waits behind it', async () => {
      const state = open(given);
      await state.accept(request(NOW));
      await raise('turn-1');
      const later = LAPSED + 10 * MINUTE;
      expect(await state.overdue({ nowMs: later - 1, limit: 9 })).toEqual([]);
      expect(await state.overdue({ nowMs: later, limit: 9 })).toEqual(['turn-1']);
      expect(await state.takeOver(taking(later))).toMatchObject({ fence: 2 });
    });

    test('what is left of an answer is left alone', async () => {
      const state = open(given);
      await state.accept(request(NOW));
      await state.finish(ending(NOW + 1_000, { cardKey: 'card' }));
      await redis('DEL', `${prefix}turn:turn-1`);
      const key = `${prefix}answered:turn-1`;
      await redis('SET', key, String(await redis('GET', key)).replace(/^\d+/u, '99'));
      expect(await state.lookUp('turn-1')).toBeNull();
      expect(await state.receiptOf('card')).toBeNull();
    });
  });

  describe('of an answered question', () => {
    const answer = async (over: Partial<FinishRequest> = {}) => {
      const state = open(null);
      const nowMs = Date.now();
      const budget = { account: 'org:202611', limit: 100, reserve: { full: 9, few: 5, last: 2 } };
      await state.accept(request(nowMs, { budget }));
      await state.finish(ending(nowMs + 1_000, { cardKey: 'card', ...over }));
      return state;
    };
    /** As it is a day later: what is kept for a day is gone. */
    const aDayLater = () => redis('DEL', `${prefix}turn:turn-1`);

    test('buttons, quotes and ratings still know it when the turn itself has expired', async () => {
      const state = await answer();
      expect(await redis('PTTL', `${prefix}turn:turn-1`)).toBeLessThanOrEqual(86_400_000);
      await aDayLater();
      expect(await state.lookUp('turn-1')).toMatchObject({
        state: 'done',
        asker: 'asker-1',
        conversationKey: 'conversation-1',
        receipt: '{"the":"receipt"}',
        reply: null,
      });
      expect(await state.receiptOf('card')).toBe('{"the":"receipt"}');
      const rate = (owner: string) => state.rate({ turnId: 'turn-1', person: 'p', owner, rating: 'like' });
      expect([await rate('tap-1'), await rate('tap-1'), await rate('tap-2')]).toEqual(['like', 'like', null]);
      expect(await state.lookUp('turn-1')).toMatchObject({ state: 'done', receipt: '{"the":"receipt"}' });
    });

    test('a rating lasts as long as the answer can be rated', async () => {
      const state = await answer();
      await state.rate({ turnId: 'turn-1', person: 'p', owner: 'tap-1', rating: 'like' });
      expect(await redis('PTTL', `${prefix}turn:turn-1`)).toBeGreaterThan(29 * 86_400_000);
    });

    test('the turn whose card shows a form is kept whole', async () => {
      await answer({ waits: { untilMs: Date.now() + MINUTE, group: 'group' } });
      expect(await redis('PTTL', `${prefix}turn:turn-1`)).toBeGreaterThan(29 * 86_400_000);
      expect(await redis('EXISTS', `${prefix}answered:turn-1`)).toBe(0);
    });

    test('only what is read later is kept, under names that earlier versions know', async () => {
      await answer();
      const fields = (await redis('HKEYS', `${prefix}turn:turn-1`)) as Buffer[];
      const kept = ['acceptedBy', 'asker', 'claim', 'conversation', 'receipt', 'state', 'v'];
      expect(fields.map(String).toSorted()).toEqual(kept);
    });

    test.each([
      ['until it closes', { text: 'address', untilMs: Date.now() + 20 * MINUTE }, 20],
      ['for 90 minutes where that is not told', { text: 'address', untilMs: null }, 90],
    ])('the reply address is kept %s', async (_, reply, minutes) => {
      const state = await answer({ reply });
      expect(await state.lookUp('turn-1')).toMatchObject({ reply: 'address' });
      const lifetime = Number(await redis('PTTL', `${prefix}reply:turn-1`));
      expect(Math.round(lifetime / MINUTE)).toBe(minutes);
    });

    test('a reply address that has closed is not kept', async () => {
      const state = await answer({ reply: { text: 'address', untilMs: Date.now() - 1 } });
      expect(await state.lookUp('turn-1')).toMatchObject({ reply: null });
    });
  });
});

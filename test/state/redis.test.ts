import { beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { createFetch } from '../../lib/net/fetch.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createUpstash } from '../../lib/state/redis/upstash.ts';
import type { AcceptRequest, FinishRequest, HoldRequest } from '../../lib/state/state.ts';
import { describeWith } from '../support/require.ts';
import { age, sendTo } from '../support/store.ts';
import { useStore } from '../support/use-store.ts';
import type { UpstashFront } from '../support/upstash-front.ts';
import { describeState } from './contract.ts';
import { foundKeys } from './found-keys.ts';

describeWith('redis-server', 'the store in Upstash', () => {
  const store = useStore({ foundKeys });
  let front: UpstashFront;
  let robots = 0;

  beforeEach(async () => {
    robots += 1;
    await store().clear();
    ({ front } = store());
  });

  const open = (timeoutMs = 10_000, app = 'app') => {
    const upstash = { url: front.url, token: front.token, fetch: createFetch(), clock: systemClock, timeoutMs };
    return createRedisState(createUpstash(upstash), { clientId: `robot-${robots}`, app, time: (nowMs) => nowMs });
  };

  describeState(() => ({ state: open(), other: open(), pass: (ms) => age(store().redis, ms) }));

  const request: AcceptRequest = {
    turnId: 'm1',
    owner: 'me',
    asker: 'somebody',
    conversationKey: 'c1',
    conversationTtlMs: 60_000,
    payload: 'the question',
    nowMs: 1_000,
    leaseUntilMs: 41_000,
    queueLimit: 5,
    heldFiles: 'take',
    budget: null,
    rate: null,
  };
  const held: HoldRequest = {
    turnId: 'f1',
    owner: 'me',
    conversationKey: 'c1',
    conversationTtlMs: 60_000,
    nowMs: 1_000,
    files: ['{"name":"the file"}'],
    limit: 10,
    holdMs: 900_000,
  };
  const ending: FinishRequest = {
    turnId: 'm1',
    fence: 1,
    owner: 'me',
    nowMs: 2_000,
    failure: null,
    remembered: { conversationKey: 'c1', generation: '', difyConversationId: 'd1', ttlMs: 60_000 },
    spent: 0,
    receipt: '{}',
    form: { kind: 'keep' },
    nextLeaseUntilMs: 42_000,
  };

  /** The commands that the store got, in order. */
  const sent = () => front.requests.map(({ commands }) => commands.map(([name]) => name).join());

  test('a script goes whole once, then by its digest, and whole again where the store has forgotten it', async () => {
    const state = open();
    await state.accept(request);
    await state.accept({ ...request, turnId: 'm2' });
    await sendTo(store().redis, ['SCRIPT', 'FLUSH']);
    expect((await state.accept({ ...request, turnId: 'm3' })).kind).toBe('queued');
    await state.accept({ ...request, turnId: 'm4' });
    expect(sent()).toEqual(['eval', 'evalsha', 'evalsha', 'eval', 'evalsha']);
  });

  describe('over a bad line', () => {
    test('an accept whose answer was lost is repeated and still accepted', async () => {
      const state = open();
      front.faults.push({ kind: 'lost-response' });
      expect((await state.accept(request)).kind).toBe('started');
      expect(front.requests).toHaveLength(2);
    });

    test('a file is held once, and a question takes it once, when the answers are lost', async () => {
      const state = open();
      front.faults.push({ kind: 'lost-response' });
      expect(await state.hold(held)).toMatchObject({ kind: 'held', files: held.files, added: 1 });
      front.faults.push({ kind: 'lost-response' });
      const payload = '{"question":"what?"}';
      expect(await state.accept({ ...request, payload })).toMatchObject({
        kind: 'started',
        payload: '{"question":"what?","held":[{"name":"the file"}]}',
      });
      expect(front.requests).toHaveLength(4);
    });

    test('a new conversation that drops files tells of them when its answer was lost', async () => {
      const state = open();
      await state.hold(held);
      front.faults.push({ kind: 'lost-response' });
      expect(await state.startConversation({ conversationKey: 'c1', generation: 'g1', ttlMs: 60_000 })).toBe(1);
    });

    test('a new conversation whose answer was lost is started once', async () => {
      const state = open();
      front.faults.push({ kind: 'lost-response' });
      await state.startConversation({ conversationKey: 'c1', generation: 'g1', ttlMs: null });
      expect(await state.accept(request)).toMatchObject({ turn: { context: { generation: 'g1' } } });
    });

    test('a store that hangs, is down or refuses counts as unavailable, in time and without its words', async () => {
      for (const fault of ['hang', 'down', 'status'] as const) {
        front.down = fault === 'down';
        if (fault === 'hang') front.faults.push({ kind: 'hang', times: 2 });
        if (fault === 'status') front.faults.push({ kind: 'status', status: 503 });
        const error: unknown = await open(200)
          .accept(request)
          .catch((reason: unknown) => reason);
        front.faults.length = 0;
        expect(error).toBeInstanceOf(BridgeError);
        expect((error as BridgeError).code).toBe('store_unavailable');
        expect(JSON.stringify([(error as BridgeError).message, (error as BridgeError).cause])).not.toContain('m1');
      }
    });
  });

  test('every operation is one request, and every key belongs to its robot and expires', async () => {
    const state = open();
    await state.accept(request);
    await state.accept({ ...request, turnId: 'm2', owner: 'other' });
    await state.renew({ ...ending, leaseUntilMs: 42_000, progress: '{}' });
    await state.finish(ending);
    await state.startConversation({ conversationKey: 'c1', generation: 'g', ttlMs: 60_000 });
    await state.hold(held);
    expect(sent()).toEqual(['eval', 'evalsha', 'eval', 'eval', 'eval', 'eval']);
    const prefix = `dify-on-dingtalk:{robot-${robots}}:`;
    const keys = front.requests.flatMap(({ commands }) =>
      commands.flatMap((command) => command.slice(3, 3 + Number(command[2]))),
    );
    // The account of the month is the organisation's, not a robot's.
    for (const key of keys) expect(key.startsWith(prefix) || key.startsWith('dify-on-dingtalk:calls:')).toBe(true);
    const [stored] = await sendTo(store().redis, ['KEYS', `${prefix}*`]);
    const names = (stored as Buffer[]).map(String);
    const lifetimes = await sendTo(store().redis, ...names.map((name) => ['PTTL', name]));
    const endless = names.filter((_, index) => lifetimes[index] === -1);
    expect(endless).toEqual([]);
  });

  test('a new conversation that an older version begins leaves the held files behind', async () => {
    const state = open();
    await state.hold(held);
    const conversation = `dify-on-dingtalk:{robot-${robots}}:conversation:c1`;
    await sendTo(store().redis, ['DEL', conversation], ['HSET', conversation, 'generation', 'g1', 'met', '1']);
    expect(await state.accept(request)).toMatchObject({ kind: 'started', payload: null });
  });

  test('the conversation of another app is not told, and that of an older version is', async () => {
    const conversation = `dify-on-dingtalk:{robot-${robots}}:conversation:c1`;
    const look = async (turnId: string, state = open()) => {
      const accepted = await state.accept({ ...request, turnId, conversationKey: 'c1' });
      if (accepted.kind !== 'started') throw new Error(accepted.kind);
      const { fence, context } = accepted.turn;
      // Also by the way of a turn that is taken over.
      const taken = await state.takeOver({
        turnId,
        owner: 'other',
        nowMs: 1_000,
        leaseUntilMs: 2_000,
        handedOver: { fence, hop: 1, sentAtMs: 1_000 },
      });
      expect(taken).toMatchObject({ context });
      const remembered = { ...ending.remembered, difyConversationId: null };
      await state.finish({ ...ending, turnId, fence: fence + 1, owner: 'other', remembered });
      return context.difyConversationId;
    };
    const state = open();
    await state.accept(request);
    await state.finish(ending);
    expect(await look('m2')).toBe('d1');
    expect(await look('m3', open(undefined, 'another app'))).toBeNull();
    // An older version reads this field, and writes it alone.
    const field = [conversation, 'difyConversationId'];
    expect((await sendTo(store().redis, ['HGET', ...field])).map(String)).toEqual(['d1']);
    await sendTo(store().redis, ['HSET', ...field, 'd2']);
    expect(await look('m4', open(undefined, 'another app'))).toBe('d2');
    // What another app says in its own conversation takes its place.
    const other = open(undefined, 'another app');
    await other.accept({ ...request, turnId: 'm5' });
    const progress = { ...ending, turnId: 'm5', leaseUntilMs: 42_000, progress: '{}' };
    await other.renew({ ...progress, remembered: { ...ending.remembered, difyConversationId: 'd5' } });
    await other.finish({ ...ending, turnId: 'm5', remembered: { ...ending.remembered, difyConversationId: 'd5' } });
    expect(await look('m6', other)).toBe('d5');
    expect(await look('m7')).toBeNull();
  });

  test('of an answered question neither the words nor the answer are left, of a failed one the words for an hour', async () => {
    const state = open();
    await state.accept(request);
    await state.renew({ ...ending, leaseUntilMs: 42_000, progress: 'the answer so far' });
    const prefix = `dify-on-dingtalk:{robot-${robots}}:`;
    const dump = async () => {
      const [payload, turn, lifetime] = await sendTo(
        store().redis,
        ['GET', `${prefix}payload:m1`],
        ['HGETALL', `${prefix}turn:m1`],
        ['PTTL', `${prefix}payload:m1`],
      );
      return { text: `${String(payload)} ${(turn as Buffer[]).map(String).join(' ')}`, lifetimeMs: Number(lifetime) };
    };
    expect((await dump()).text).toContain('the answer so far');
    await state.finish(ending);
    expect((await dump()).text).not.toMatch(/the question|the answer/);
    const failing = { ...request, turnId: 'm1', conversationKey: 'c2' };
    await sendTo(store().redis, ['DEL', `${prefix}turn:m1`]);
    await state.accept(failing);
    await state.finish({
      ...ending,
      failure: 'dify_busy',
      remembered: { ...ending.remembered, conversationKey: 'c2' },
    });
    const { text, lifetimeMs } = await dump();
    expect(text).toContain('the question');
    expect(lifetimeMs).toBeGreaterThan(3_500_000);
    expect(lifetimeMs).toBeLessThanOrEqual(3_600_000);
  });
});

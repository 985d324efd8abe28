// The scripts of commit b114c53 and those of today on one store: what one version puts on record, the other goes on with.
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFetch } from '../../lib/net/fetch.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createUpstash } from '../../lib/state/redis/upstash.ts';
import type { State } from '../../lib/state/state.ts';
import { readAnswered } from '../../lib/turn/answered.ts';
import { describeWith } from '../support/require.ts';
import { useStore } from '../support/use-store.ts';

type Name = 'ACCEPT' | 'RENEW' | 'FINISH' | 'TAKE_OVER' | 'OVERDUE' | 'LOOK_UP' | 'RATE' | 'STOP' | 'WAITING';
const older = JSON.parse(
  readFileSync(new URL('../fixtures/state/scripts-b114c53.json', import.meta.url), 'utf8'),
) as Record<Name, string>;

const NOW = 1_800_000_000_000;
const LEASE_MS = 30_000;
const DAY = 86_400_000;
const prefix = 'dify-on-dingtalk:{robot}:';
const RECEIPT =
  '{"ids":{"messageId":"m"},"appType":"chat","user":"staff-1","chat":{"id":"c","isGroup":false},"sender":{"staffId":"staff-1","unionId":null,"id":"s"},"session":{"webhook":"https://oapi.dingtalk.com/x","expiresAtMs":9},"corpId":null,"form":null}';

describeWith('redis-server', 'beside the version of commit b114c53', () => {
  const store = useStore();
  let run: ReturnType<typeof createUpstash>;
  let state: State;
  beforeEach(async () => {
    await store().clear();
    const { url, token } = store().front;
    run = createUpstash({ url, token, fetch: createFetch(), clock: systemClock, timeoutMs: 10_000 });
    state = createRedisState(run, { clientId: 'robot', app: 'app', time: (nowMs) => nowMs });
  });

  const keys = (id: string) =>
    ['turn:', 'payload:']
      .map((kind) => `${prefix}${kind}${id}`)
      .concat(['conversation:c', 'running:c', 'queue:c', 'leases'].map((name) => `${prefix}${name}`));
  const evaluate = (name: Name, of: readonly string[], args: readonly (string | number)[]) =>
    run(older[name], of, args.map(String));

  /** The operations as that version calls them. */
  const old = {
    accept: (id: string, owner: string, nowMs = NOW) =>
      evaluate(
        'ACCEPT',
        [...keys(id), 'dify-on-dingtalk:calls:org'],
        [
          prefix,
          id,
          owner,
          'staff-1',
          'c',
          '{"old":1}',
          nowMs,
          nowMs + LEASE_MS,
          DAY,
          5,
          DAY,
          100,
          9,
          5,
          2,
          40 * DAY,
          0,
          1,
        ],
      ),
    renew: (id: string, fence: number, nowMs: number) =>
      evaluate(
        'RENEW',
        [`${prefix}turn:${id}`, `${prefix}conversation:c`, `${prefix}leases`],
        [prefix, id, fence, nowMs, nowMs + LEASE_MS, '{"text":"old"}', '', 'dify-old', DAY],
      ),
    finish: (id: string, fence: number, owner: string, nowMs: number) =>
      evaluate('FINISH', keys(id), [
        prefix,
        id,
        fence,
        owner,
        nowMs,
        nowMs + LEASE_MS,
        '',
        '',
        'dify-old',
        DAY,
        RECEIPT,
        3_600_000,
        30 * DAY,
        3,
        '',
        '202701',
        40 * DAY,
      ]),
    takeOver: (id: string, owner: string, nowMs: number) =>
      evaluate(
        'TAKE_OVER',
        [`${prefix}turn:${id}`, `${prefix}leases`],
        [prefix, id, owner, nowMs, nowMs + LEASE_MS, '', ''],
      ),
    overdue: (nowMs: number) => evaluate('OVERDUE', [`${prefix}leases`], [nowMs, 9]),
    lookUp: (id: string) => evaluate('LOOK_UP', keys(id).slice(0, 2), []),
    rate: (id: string, owner: string) => evaluate('RATE', keys(id).slice(0, 1), ['p', owner, 'like']),
  };

  const now = {
    accept: (turnId: string, owner: string, nowMs = NOW) =>
      state.accept({
        turnId,
        owner,
        asker: 'staff-1',
        conversationKey: 'c',
        conversationTtlMs: DAY,
        payload: '{"new":1}',
        nowMs,
        leaseUntilMs: nowMs + LEASE_MS,
        queueLimit: 5,
        heldFiles: 'take',
        budget: { account: 'org', limit: 100, reserve: { full: 9, few: 5, last: 2 } },
        rate: null,
      }),
    takeOver: (turnId: string, owner: string, nowMs: number) =>
      state.takeOver({ turnId, owner, nowMs, leaseUntilMs: nowMs + LEASE_MS, handedOver: null }),
    finish: (turnId: string, fence: number, owner: string, nowMs: number) =>
      state.finish({
        turnId,
        fence,
        owner,
        nowMs,
        failure: null,
        remembered: { conversationKey: 'c', generation: '', difyConversationId: 'dify-new', ttlMs: DAY },
        spent: 3,
        receipt: RECEIPT,
        form: { kind: 'keep' },
        nextLeaseUntilMs: nowMs + LEASE_MS,
      }),
  };

  describe('a turn that it accepted', () => {
    test('is a duplicate here, and is taken over and ended when its lease has lapsed', async () => {
      await old.accept('t1', 'o1');
      await old.renew('t1', 1, NOW + 1_000);
      expect(await now.accept('t1', 'o2')).toEqual({ kind: 'duplicate' });
      const lapsed = NOW + 1_000 + LEASE_MS;
      expect(await now.takeOver('t1', 'o2', lapsed - 1)).toBeNull();
      expect(await state.overdue({ nowMs: lapsed, limit: 9 })).toEqual(['t1']);
      const taken = { fence: 2, payload: '{"old":1}', progress: '{"text":"old"}', mayHaveBeenAsked: true };
      expect(await now.takeOver('t1', 'o2', lapsed)).toMatchObject(taken);
      expect(await old.renew('t1', 1, lapsed)).toEqual(['lost']);
      expect(await now.finish('t1', 2, 'o2', lapsed)).toMatchObject({ kind: 'finished', next: null });
      expect(await now.accept('t2', 'o3', lapsed)).toMatchObject({
        turn: { context: { difyConversationId: 'dify-new' } },
      });
    });

    test('and ended is known to buttons here, with its reply address', async () => {
      await old.accept('t1', 'o1');
      await old.finish('t1', 1, 'o1', NOW + 1_000);
      const record = await state.lookUp('t1');
      expect(record).toMatchObject({ state: 'done', asker: 'staff-1', conversationKey: 'c' });
      expect(readAnswered(record?.receipt ?? null)?.session?.webhook).toBe('https://oapi.dingtalk.com/x');
      expect(await state.rate({ turnId: 't1', person: 'p', owner: 'tap', rating: 'like' })).toBe('like');
      expect(await old.rate('t1', 'tap-2')).toBe('');
    });

    test('waits in line and is started here', async () => {
      await now.accept('t1', 'o1');
      expect(await old.accept('t2', 'o2')).toContain('queued');
      expect(await now.finish('t1', 1, 'o1', NOW + 1_000)).toMatchObject({
        next: { turnId: 't2', payload: '{"old":1}', mayHaveBeenAsked: false },
      });
    });
  });

  describe('a turn that was accepted here', () => {
    test('is a duplicate there, and is taken over and ended when its lease has lapsed', async () => {
      await now.accept('t1', 'o1');
      expect(await old.accept('t1', 'o2')).toEqual(['duplicate']);
      const lapsed = NOW + LEASE_MS;
      expect(await old.takeOver('t1', 'o2', lapsed - 1)).toEqual(['held']);
      expect(await old.overdue(lapsed)).toEqual(['t1']);
      expect(await old.takeOver('t1', 'o2', lapsed)).toEqual([
        'taken',
        ['t1', '2', '0', '1', 'c', '', '', '', '{"new":1}', '', 'full'],
      ]);
      expect(await now.finish('t1', 1, 'o1', lapsed)).toEqual({ kind: 'lost' });
      expect(await old.finish('t1', 2, 'o2', lapsed)).toContain('finished');
    });

    test('and ended is a duplicate there, and known to its buttons', async () => {
      await now.accept('t1', 'o1');
      await now.finish('t1', 1, 'o1', NOW + 1_000);
      expect(await old.accept('t1', 'o2')).toEqual(['duplicate']);
      expect(await old.takeOver('t1', 'o2', NOW + DAY)).toEqual(['gone']);
      expect(await old.lookUp('t1')).toEqual(['done', 'staff-1', 'c', '', '', RECEIPT, '']);
      expect(await old.rate('t1', 'tap')).toBe('like');
      expect(await state.rate({ turnId: 't1', person: 'p', owner: 'tap-2', rating: 'like' })).toBeNull();
    });

    test('waits in line and is started there; the month is settled the same', async () => {
      await old.accept('t1', 'o1');
      expect(await now.accept('t2', 'o2')).toMatchObject({ kind: 'queued', place: 1 });
      expect(JSON.stringify(await old.finish('t1', 1, 'o1', NOW + 1_000))).toContain('["t2","1","0","0","c"');
      expect(await old.finish('t2', 1, 'o1', NOW + 2_000)).toContain('finished');
      expect(await run("return redis.call('GET', 'dify-on-dingtalk:calls:org:spent')", [], [])).toBe('6');
      expect(await run("return redis.call('GET', 'dify-on-dingtalk:calls:org')", [], [])).toBe('6');
    });
  });
});

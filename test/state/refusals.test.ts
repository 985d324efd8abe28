// What a store says when it refuses: told from a closed list, and never in the store's own text.
import { beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { createFetch } from '../../lib/net/fetch.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { withFallback } from '../../lib/state/fallback.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import type { RunScript } from '../../lib/state/redis/run-script.ts';
import { createTcpRedis } from '../../lib/state/redis/tcp.ts';
import { createUpstash } from '../../lib/state/redis/upstash.ts';
import type { AcceptRequest } from '../../lib/state/state.ts';
import { createLogLines } from '../support/delivery.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { sendTo } from '../support/store.ts';
import { useStore } from '../support/use-store.ts';
import type { UpstashFront } from '../support/upstash-front.ts';

/** In everything that a request carries. */
const MARK = 'MARKED';

const request: AcceptRequest = {
  turnId: `${MARK}-turn`,
  owner: `${MARK}-owner`,
  asker: `${MARK}-asker`,
  conversationKey: `${MARK}-conversation`,
  conversationTtlMs: 60_000,
  // People write such words as well.
  payload: `${MARK} WRONGPASS, command was: ERR max requests limit exceeded`,
  nowMs: 1_000,
  leaseUntilMs: 41_000,
  queueLimit: 5,
  heldFiles: 'take',
  budget: null,
  rate: null,
};

/** Accepts a message through the fallback, and returns what became of it and what the log says. */
async function acceptThrough(runScript: RunScript) {
  const turnId = `${MARK}-${crypto.randomUUID()}`;
  const { log, lines } = createLogLines(systemClock);
  const accepted = await withFallback(
    createRedisState(runScript, { clientId: 'robot', app: 'app', time: null }),
    systemClock,
    log,
  ).accept({
    ...request,
    turnId,
  });
  expect(JSON.stringify(lines)).not.toContain(MARK);
  return { kind: accepted.kind, log: lines };
}

async function failureOf(runScript: RunScript): Promise<BridgeError> {
  const failure = await runScript('return 1', [], [request.payload]).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BridgeError);
  const { code, message, stack, cause, facts } = failure as BridgeError;
  expect(code).toBe('store_unavailable');
  expect(JSON.stringify({ message, stack, cause, facts })).not.toContain(MARK);
  return failure as BridgeError;
}

describeWith('redis-server', 'a store that refuses', () => {
  const store = useStore();
  let redis: RedisServer;
  let front: UpstashFront;
  const upstash = (token = front.token) =>
    createUpstash({ url: front.url, token, fetch: createFetch(), clock: systemClock });
  const tcp = (login = '') =>
    createTcpRedis({ url: redis.url.replace('redis://', `redis://${login}`), clock: systemClock });
  const configure = async (...commands: string[][]) => {
    const replies = await sendTo(redis, ...commands);
    expect(replies.filter((reply) => reply instanceof Error)).toEqual([]);
  };

  beforeEach(() => {
    ({ redis, front } = store());
    front.faults.length = 0;
  });

  describe('in Upstash', () => {
    // As Upstash's pages on troubleshooting and reports of its users quote it.
    test.each([
      ['max requests limit', 'ERR max requests limit exceeded. Limit: 500000, Usage: 500000. See https://upstash.com'],
      ['max daily request limit', 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.'],
      ['DB capacity', 'ERR DB capacity quota exceeded. Threshold: 268435456 bytes, Usage: 268979370 bytes.'],
      ['max request size', 'ERR max request size exceeded'],
      ['max concurrent connections', 'ERR max concurrent connections exceeded'],
      ['NOAUTH', 'NOAUTH Authentication Required'],
    ])('that says %s', async (said, error) => {
      front.faults.push({ kind: 'status', status: 400, error });
      const { kind, log } = await acceptThrough(upstash());
      expect(kind).toBe('unrecorded');
      expect(log).toMatchObject([{ level: 'error', event: 'store_down', code: 'store_unavailable', said }]);
      expect(JSON.stringify(log)).not.toMatch(/exceeded|Usage|Required/u);
    });

    test('a wrong token, and one that may only read', async () => {
      expect((await failureOf(upstash('wrong'))).facts).toEqual({ said: 'WRONGPASS' });
      expect((await failureOf(upstash(front.readOnlyToken))).facts).toEqual({ said: 'NOPERM' });
    });

    test('in other words, or in words that only the question holds, is told as unavailable and no more', async () => {
      for (const error of ['ERR something new', `ERR ${MARK} max requests limit`, '']) {
        front.faults.push({ kind: 'status', status: 400, error });
        expect((await failureOf(upstash())).facts).toEqual({});
      }
      front.faults.push({ kind: 'status', status: 502 });
      const { log } = await acceptThrough(upstash());
      expect(log).toMatchObject([{ event: 'store_down', code: 'store_unavailable' }]);
      expect(log[0]).not.toHaveProperty('said');
    });
  });

  describe('in a Redis over TCP', () => {
    test('a wrong password', async () => {
      await configure(['ACL', 'SETUSER', 'bridge', 'on', '>right', '~*', '+@all']);
      expect((await failureOf(tcp('bridge:wrong@'))).facts).toEqual({ said: 'WRONGPASS' });
    });

    test('a user who may not run scripts, or not write with them', async () => {
      await configure(
        ['ACL', 'SETUSER', 'reader', 'on', '>p', '~*', '+@read', '+@connection'],
        ['ACL', 'SETUSER', 'runner', 'on', '>p', '~*', '+eval', '+evalsha', '+@connection'],
      );
      expect((await failureOf(tcp('reader:p@'))).facts).toEqual({ said: 'NOPERM' });
      expect((await acceptThrough(tcp('runner:p@'))).log).toMatchObject([{ event: 'store_down', said: 'NOPERM' }]);
    });

    test('a server that is full', async () => {
      await configure(['CONFIG', 'SET', 'maxmemory', '1']);
      const full = await acceptThrough(tcp());
      await configure(['CONFIG', 'SET', 'maxmemory', '0']);
      expect(full).toMatchObject({ kind: 'unrecorded', log: [{ event: 'store_down', said: 'OOM' }] });
    });

    test('a server that wants a password', async () => {
      const locked = await startRedisServer();
      await sendTo(locked, ['CONFIG', 'SET', 'requirepass', 'secret']);
      const run = createTcpRedis({ url: locked.url, clock: systemClock });
      expect((await failureOf(run)).facts).toEqual({ said: 'NOAUTH' });
      await locked.close();
      expect((await failureOf(run)).facts).toEqual({});
    });
  });
});

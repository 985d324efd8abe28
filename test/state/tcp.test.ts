import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createTcpRedis } from '../../lib/state/redis/tcp.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { age, sendTo } from '../support/store.ts';
import { createFastClock } from '../support/virtual-clock.ts';
import { describeState } from './contract.ts';

/** The tests say in each request how late it is. */
const given = (nowMs: number) => nowMs;

describeWith('redis-server', 'the store in a Redis over TCP', () => {
  let redis: RedisServer;
  let robots = 0;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.close());
  beforeEach(() => {
    robots += 1;
  });
  /** On a slow clock: how long a store may take is not the question here. */
  const open = () =>
    createRedisState(createTcpRedis({ url: redis.url, clock: createFastClock(0.1) }), {
      clientId: `robot-${robots}`,
      app: 'app',
      time: given,
    });

  describeState(() => ({ state: open(), other: open(), pass: (ms) => age(redis, ms) }));

  test('that has forgotten a script gets it once more', async () => {
    const state = open();
    const claim = (turnId: string) => state.claim({ turnId, owner: 'me', nowMs: 0 });
    await claim('one');
    await sendTo(redis, ['SCRIPT', 'FLUSH']);
    expect(await claim('one')).toMatchObject({ isNew: true });
    expect(await claim('two')).toMatchObject({ isNew: true });
    const [called] = await sendTo(redis, ['INFO', 'commandstats']);
    expect(String(called)).toMatch(/cmdstat_evalsha:calls=\d+/u);
  });

  test('that goes away counts as unavailable, each time and at once', async () => {
    const gone = await startRedisServer();
    const state = createRedisState(createTcpRedis({ url: gone.url, clock: systemClock }), {
      clientId: 'robot',
      app: 'app',
      time: given,
    });
    const claim = (turnId: string) =>
      state
        .claim({ turnId, owner: 'me', nowMs: 0 })
        .then(({ isNew }) => isNew)
        .catch((error: unknown) => (error instanceof BridgeError ? error.code : 'unexpected'));
    expect(await claim('one')).toBe(true);
    await gone.close();
    expect(await claim('two')).toBe('store_unavailable');
    expect(await claim('three')).toBe('store_unavailable');
  });

  test('that takes the connection too late runs no script whose caller has given up', async () => {
    // A way to the server that carries nothing for a second.
    const way = createServer((socket) => {
      socket.pause();
      setTimeout(() => {
        const server = connect(redis.port, '127.0.0.1');
        socket.on('error', () => server.destroy()).on('close', () => server.destroy());
        socket.pipe(server).pipe(socket);
      }, 1_000);
    });
    const url = `redis://127.0.0.1:${await listenOnLoopback(way)}`;
    const state = createRedisState(createTcpRedis({ url, clock: systemClock }), {
      clientId: `robot-${robots}`,
      app: 'app',
      time: given,
    });
    const claimed = { turnId: 'late', owner: 'me', nowMs: 0 };
    await expect(state.claim(claimed)).rejects.toThrow(BridgeError);
    // The same connection: once this one went through, the first would have as well.
    await expect
      .poll(() => state.claim({ ...claimed, turnId: 'next' }).catch(() => null))
      .toMatchObject({ isNew: true });
    expect(await open().claim({ ...claimed, owner: 'other' })).toMatchObject({ isNew: true });
    way.close();
  });
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import { createTcpRedis } from '../../lib/state/redis/tcp.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { describeState } from './contract.ts';

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
  const open = () => createRedisState(createTcpRedis({ url: redis.url, clock: systemClock }), `robot-${robots}`);

  describeState(() => ({ state: open(), other: open() }));

  test('that goes away counts as unavailable, each time and at once', async () => {
    const gone = await startRedisServer();
    const state = createRedisState(createTcpRedis({ url: gone.url, clock: systemClock }), 'robot');
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
});

import { afterAll, beforeAll } from 'vitest';
import { createRespClient } from './resp.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';
import { createUpstashFront, type UpstashFront } from './upstash-front.ts';

/** A store for the tests of one suite: a real Redis behind the REST front, through which it can be broken. */
export interface TestStore {
  front: UpstashFront;
  /** What points the function at it. */
  env: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string };
  /** Empties it and forgets what was asked and broken. */
  clear(): Promise<void>;
}

export function useStore(): () => TestStore {
  let redis: RedisServer;
  let store: TestStore;
  beforeAll(async () => {
    redis = await startRedisServer();
    const front = await createUpstashFront({ redisPort: redis.port });
    store = {
      front,
      env: { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token },
      async clear() {
        const client = createRespClient(redis.port);
        await client.send([['FLUSHALL']]);
        client.close();
        front.requests.length = 0;
        front.faults.length = 0;
        front.down = false;
      },
    };
  });
  afterAll(async () => {
    await store.front.close();
    await redis.close();
  });
  return () => store;
}

import { createRespClient, type RespReply } from './resp.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';
import { createUpstashFront, type FrontOptions, type UpstashFront } from './upstash-front.ts';

/** A real Redis behind the REST front, through which it can be broken. */
export interface TestStore {
  redis: RedisServer;
  front: UpstashFront;
  /** What points the function at it. */
  env: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string };
  /** Empties it and forgets what was asked and broken. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Sends commands to a Redis, past whatever stands before it. */
export async function sendTo({ port }: RedisServer, ...commands: string[][]): Promise<RespReply[]> {
  const client = createRespClient(port);
  const replies = await client.send(commands);
  client.close();
  return replies;
}

const AGE = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end`;

/** Lets everything that a Redis holds expire so much earlier, as if the time had passed. */
export const age = (redis: RedisServer, ms: number) => sendTo(redis, ['EVAL', AGE, '0', String(ms)]);

export async function startStore(options: Omit<FrontOptions, 'redisPort'> = {}): Promise<TestStore> {
  const redis = await startRedisServer();
  const front = await createUpstashFront({ redisPort: redis.port, ...options });
  return {
    redis,
    front,
    env: { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token },
    async clear() {
      await sendTo(redis, ['FLUSHALL']);
      front.requests.length = 0;
      front.faults.length = 0;
      front.down = false;
    },
    async close() {
      await front.close();
      await redis.close();
    },
  };
}

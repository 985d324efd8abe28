import { Redis } from '@upstash/redis';
import { withTimeout, type Clock } from '../../runtime/clock.ts';
import { sendByDigest } from './by-digest.ts';
import { STORE_TIMEOUT_MS, storeFailure } from './failure.ts';
import type { RunScript } from './redis.ts';

export interface UpstashOptions {
  url: string;
  token: string;
  clock: Clock;
  timeoutMs?: number;
}

/** Scripts over Upstash's REST interface. */
export function createUpstash({ url, token, clock, timeoutMs = STORE_TIMEOUT_MS }: UpstashOptions): RunScript {
  const redis = new Redis({
    url,
    token,
    // Otherwise "42" comes back as a number and "null" as null.
    automaticDeserialization: false,
    enableTelemetry: false,
    enableAutoPipelining: false,
    // A repeat after a lost answer is safe: every script may run twice.
    retry: { retries: 1, backoff: () => 20 },
    // A function, made anew for each request: with a plain signal an aborted call resolves to null.
    signal: () => AbortSignal.timeout(timeoutMs),
  });
  const run = sendByDigest({
    whole: (script, keys, args) => redis.eval(script, [...keys], [...args]),
    byDigest: (digest, keys, args) => redis.evalsha(digest, [...keys], [...args]),
  });
  return async (script, keys, args) => {
    try {
      // The client's own signal limits each try; this limits all of them together.
      return await withTimeout(clock, timeoutMs, () => run(script, keys, args));
    } catch (error) {
      throw storeFailure(error);
    }
  };
}

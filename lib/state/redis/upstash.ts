import { Redis } from '@upstash/redis';
import { BridgeError } from '../../errors.ts';
import { withTimeout, type Clock } from '../../runtime/clock.ts';
import type { RunScript } from './redis.ts';

/** All that one operation may take, a repeat included: the acknowledgement waits for it. */
export const STORE_TIMEOUT_MS = 800;

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
  return async (script, keys, args) => {
    try {
      // The client's own signal limits each try; this limits all of them together.
      return await withTimeout(clock, timeoutMs, (signal) =>
        Promise.race([redis.eval(script, [...keys], [...args]), rejectOnAbort(signal)]),
      );
    } catch {
      // The client's errors quote the whole command, hence people's data: nothing of them is passed on.
      throw new BridgeError('store_unavailable', 'the store cannot be reached');
    }
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

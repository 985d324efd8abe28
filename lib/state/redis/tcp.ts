import { createClient } from '@redis/client';
import { BridgeError } from '../../errors.ts';
import { withTimeout, type Clock } from '../../runtime/clock.ts';
import type { RunScript } from './redis.ts';
import { STORE_TIMEOUT_MS } from './upstash.ts';

/** The same scripts over one TCP connection, for a server of one's own. It is opened when it is first needed. */
export function createTcpRedis({ url, clock }: { url: string; clock: Clock }): RunScript {
  const client = createClient({
    url,
    // A command that cannot go out now must fail now: the acknowledgement waits for it.
    disableOfflineQueue: true,
    socket: { connectTimeout: STORE_TIMEOUT_MS, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 5_000) },
  });
  // Each command tells of its own failure; without a listener the connection's would end the process.
  client.on('error', () => undefined);
  let connecting: Promise<unknown> | null = null;

  return async (script, keys, args) => {
    try {
      return await withTimeout(clock, STORE_TIMEOUT_MS, async (signal) => {
        connecting ??= client.connect();
        const aborted = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        if (!client.isReady) await Promise.race([connecting, aborted]);
        return await Promise.race([client.eval(script, { keys: [...keys], arguments: [...args] }), aborted]);
      });
    } catch {
      // As with Upstash: an error may quote the command, hence people's data.
      throw new BridgeError('store_unavailable', 'the store cannot be reached');
    }
  };
}

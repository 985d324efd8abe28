import { createClient } from '@redis/client';
import { withTimeout, type Clock } from '../../runtime/clock.ts';
import { sendByDigest } from './by-digest.ts';
import { STORE_TIMEOUT_MS, storeFailure } from './failure.ts';
import type { RunScript } from './run-script.ts';

/** The same scripts over one TCP connection, for a Redis of one's own. The connection is opened by the first script. */
export function createTcpRedis({ url, clock }: { url: string; clock: Clock }): RunScript {
  const client = createClient({
    url,
    // A command that cannot go out now must fail now: the acknowledgement waits for it.
    disableOfflineQueue: true,
    socket: { connectTimeout: STORE_TIMEOUT_MS, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 5_000) },
  });
  let connecting: Promise<unknown> | null = null;
  /** Why there is no connection. The client goes on trying after a refused password, and tells of it only here. */
  let refusal: unknown = null;
  // Without a listener an error of the connection would end the process.
  client.on('error', (error: unknown) => {
    refusal = error;
  });
  client.on('ready', () => {
    refusal = null;
  });

  const run = sendByDigest({
    whole: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    byDigest: (digest, keys, args) => client.evalSha(digest, { keys: [...keys], arguments: [...args] }),
  });
  return async (script, keys, args) => {
    try {
      return await withTimeout(clock, STORE_TIMEOUT_MS, async (signal) => {
        connecting ??= client.connect();
        if (!client.isReady) await connecting;
        // The caller goes on without the store by now: nothing may go on record afterwards.
        signal.throwIfAborted();
        return run(signal, script, keys, args);
      });
    } catch (error) {
      throw storeFailure(error, refusal);
    }
  };
}

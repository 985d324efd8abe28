/** Milliseconds that an idle connection is kept. Node's own are 4 s: less than the pause between two frames of a long answer. */
const IDLE_MS = 60_000;

/** The name under which `fetch` finds its pool of connections, so that it can be replaced (undici's `setGlobalDispatcher`). */
const POOL = Symbol.for('undici.globalDispatcher.1');

type Pool = new (options: { keepAliveTimeout: number; keepAliveMaxTimeout: number }) => object;

let isKept = false;

/**
 * Lets the process's `fetch`, and with it the client of the store, keep idle connections for a minute. Where a server says
 * in `keep-alive` that it closes sooner, that counts. Does nothing the second time, or where this Node has no such pool.
 *
 * It is called with the first request, because `fetch` is slow to load and makes its pool then.
 */
export function keepConnections(): void {
  if (isKept) return;
  isKept = true;
  // The first use of one of its classes loads it.
  void Response;
  const pool: { constructor: Pool } | undefined = Reflect.get(globalThis, POOL);
  if (pool?.constructor.name !== 'Agent') return;
  Reflect.set(globalThis, POOL, new pool.constructor({ keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: IDLE_MS }));
}

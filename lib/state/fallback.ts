import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { CLAIM_TTL_MS } from './lifetimes.ts';
import type { Accepted, Claimed, State } from './state.ts';

/** Most messages that this instance remembers having accepted itself. */
const MAX_REMEMBERED = 10_000;

/**
 * A state that goes on accepting while the store is down: from this instance alone, unrecorded and without memory.
 * That is logged once for each time the store goes down, not for each message.
 */
export function withFallback(store: State, clock: Clock, log: Log): State {
  /** Messages accepted here, by owner, with their time: duplicates whether or not the store knows of them. */
  const accepted = new Map<string, { owner: string; atMs: number }>();
  let isDown = false;

  function isDuplicate(turnId: string, owner: string): boolean {
    const known = accepted.get(turnId);
    if (known && known.owner !== owner && clock.now() - known.atMs < CLAIM_TTL_MS) return true;
    accepted.set(turnId, { owner, atMs: clock.now() });
    const [oldest] = accepted.keys();
    if (accepted.size > MAX_REMEMBERED && oldest !== undefined) accepted.delete(oldest);
    return false;
  }

  function noteDown(): void {
    if (!isDown) log.error('store_down', { code: 'store_unavailable' });
    isDown = true;
  }

  async function attempt<T>(work: Promise<T>, fallback: T): Promise<T> {
    try {
      const reply = await work;
      if (isDown) log.info('store_back');
      isDown = false;
      return reply;
    } catch {
      noteDown();
      return fallback;
    }
  }

  /** That it answers says little: a store that takes no writes still does. Only what is always written tells that it is back. */
  async function watch<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      noteDown();
      throw error;
    }
  }

  return {
    ...store,
    renew: (request) => watch(store.renew(request)),
    finish: (request) => watch(store.finish(request)),
    async claim(request): Promise<Claimed> {
      if (isDuplicate(request.turnId, request.owner)) return { isNew: false, overdue: [] };
      return attempt<Claimed>(store.claim(request), { isNew: true, overdue: [] });
    },
    async accept(request): Promise<Accepted> {
      if (isDuplicate(request.turnId, request.owner)) return { kind: 'duplicate' };
      return attempt<Accepted>(store.accept(request), { kind: 'unrecorded' });
    },
  };
}

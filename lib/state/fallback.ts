import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { CLAIM_TTL_MS } from './lifetimes.ts';
import type { State } from './state.ts';
import type { Accepted, Claimed, Held } from './told.ts';

/** Most messages that this instance remembers as accepted by itself. */
const MAX_REMEMBERED = 10_000;

/**
 * The store, with messages accepted by this instance alone while the store is down: without a record and without the
 * conversation's context. The log says so once each time the store goes down, not for each message.
 */
export function withFallback(store: State, clock: Clock, log: Log): State {
  /** Messages that this instance has accepted. Another delivery of one is a duplicate, whatever the store knows. */
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

  function noteDown(error: unknown): void {
    if (!isDown) log.error('store_down', { ...errorFields(error), code: 'store_unavailable' });
    isDown = true;
  }

  async function attempt<T>(work: Promise<T>, fallback: T): Promise<T> {
    try {
      const reply = await work;
      if (isDown) log.info('store_back');
      isDown = false;
      return reply;
    } catch (error) {
      noteDown(error);
      return fallback;
    }
  }

  /** Notices a failure only. A success proves little: a store that takes no writes still answers a renewal without one. */
  async function watch<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      noteDown(error);
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
    async hold(request): Promise<Held> {
      if (isDuplicate(request.turnId, request.owner)) return { kind: 'duplicate' };
      return attempt<Held>(store.hold(request), { kind: 'unrecorded' });
    },
  };
}

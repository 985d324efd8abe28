import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { CLAIM_TTL_MS, type Accepted, type Claimed, type State } from './state.ts';

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

  async function attempt<T>(work: Promise<T>, fallback: T): Promise<T> {
    try {
      const reply = await work;
      if (isDown) log.info('store_back');
      isDown = false;
      return reply;
    } catch {
      if (!isDown) log.error('store_down', { code: 'store_unavailable' });
      isDown = true;
      return fallback;
    }
  }

  return {
    ...store,
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

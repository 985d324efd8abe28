import { ARRIVALS_TTL_MS } from '../lifetimes.ts';
import { DOORS, type Arrival } from '../state.ts';

/**
 * The part of a script that keeps an arrival. The key and the two arguments stand last, and only where there is an arrival
 * to keep: most calls have none. @param keys how many keys the script has otherwise.
 */
export const keepArrival = (keys: number) => `
if KEYS[${keys + 1}] then
  redis.call('HSET', KEYS[${keys + 1}], ARGV[#ARGV - 1], ARGV[#ARGV])
  redis.call('PEXPIRE', KEYS[${keys + 1}], ${ARRIVALS_TTL_MS})
end`;

/** What the store has kept, by door. */
export function readArrivals(stored: ReadonlyMap<string, string>): Arrival[] {
  return DOORS.flatMap((door) => {
    const [, at, offset] = /^(\d+) (-?\d*)$/.exec(stored.get(door) ?? '') ?? [];
    return at === undefined ? [] : { door, atMs: Number(at), offsetMs: offset ? Number(offset) : null };
  });
}

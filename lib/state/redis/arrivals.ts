import { ARRIVALS_TTL_MS } from '../lifetimes.ts';
import { DOORS, type Arrival } from '../arrival.ts';

/**
 * The beginning of a script that keeps an arrival. Its key and its two arguments stand last, and only where there is an
 * arrival to keep: most calls have none. They are taken away, so that the rest of the script never sees them.
 */
export const KEEP_ARRIVAL = `
if string.match(KEYS[#KEYS], '}:arrivals$') then
  local key, arrival, door = table.remove(KEYS), table.remove(ARGV), table.remove(ARGV)
  redis.call('HSET', key, door, arrival)
  redis.call('PEXPIRE', key, ${ARRIVALS_TTL_MS})
end`;

/** What the store has kept, by door. */
export function readArrivals(stored: ReadonlyMap<string, string>): Arrival[] {
  return DOORS.flatMap((door) => {
    const [, at, offset] = /^(\d+) (-?\d*)$/.exec(stored.get(door) ?? '') ?? [];
    return at === undefined ? [] : { door, atMs: Number(at), offsetMs: offset ? Number(offset) : null };
  });
}

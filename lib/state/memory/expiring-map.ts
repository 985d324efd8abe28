import type { Clock } from '../../runtime/clock.ts';

/** A smaller map is swept by time only. */
const SWEEP_ABOVE = 1_000;

const SWEEP_EVERY_MS = 3_600_000;

export type ExpiringMap<T> = ReturnType<typeof createExpiringMap<T>>;

/** Values that expire. A sweep removes expired ones now and then, so that the map does not grow for ever. */
export function createExpiringMap<T>(clock: Clock) {
  const entries = new Map<string, { value: T; expiresAtMs: number }>();
  let sweepAtSize = SWEEP_ABOVE;
  let sweptAtMs = clock.now();
  const isExpired = (entry: { expiresAtMs: number }) => entry.expiresAtMs <= clock.now();
  return {
    get(key: string): T | undefined {
      const entry = entries.get(key);
      return entry && !isExpired(entry) ? entry.value : undefined;
    },
    set(key: string, value: T, ttlMs: number | null): void {
      if (entries.size >= sweepAtSize || clock.now() - sweptAtMs > SWEEP_EVERY_MS) {
        for (const [old, entry] of entries) if (isExpired(entry)) entries.delete(old);
        sweepAtSize = Math.max(SWEEP_ABOVE, entries.size * 2);
        sweptAtMs = clock.now();
      }
      entries.set(key, { value, expiresAtMs: ttlMs === null ? Number.POSITIVE_INFINITY : clock.now() + ttlMs });
    },
    delete: (key: string) => entries.delete(key),
    size: () => entries.size,
  };
}

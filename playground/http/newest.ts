/** Memory that would grow for ever: a playground runs for days. Maps and sets remember the order in which entries came. */

/** Forgets the oldest entries beyond `limit`. */
export function keepNewest(kept: Map<string, unknown> | Set<string>, limit: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= limit) return;
    kept.delete(key);
  }
}

/** Forgets the oldest entries of a list beyond `limit`. */
export function keepLast(list: unknown[], limit: number): void {
  list.splice(0, Math.max(0, list.length - limit));
}

/** Of one kind of files, so much is kept. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Forgets the oldest files until the rest is not too much; the newest stays whatever its size. */
export function keepNewestBytes(files: Map<string, { bytes: Uint8Array }>): void {
  let total = 0;
  for (const { bytes } of files.values()) total += bytes.length;
  for (const [key, { bytes }] of files) {
    if (total <= MAX_FILE_BYTES || files.size <= 1) return;
    total -= bytes.length;
    files.delete(key);
  }
}

/** Memory that would grow for ever: a playground runs for days. Maps remember the order in which entries came. */

/** Forgets the oldest entries beyond `limit`. */
export function keepNewest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}

/** Forgets the oldest files until the rest has at most so many bytes; the newest stays whatever its size. */
export function keepNewestBytes(files: Map<string, { bytes: Uint8Array }>, limit: number): void {
  let total = 0;
  for (const { bytes } of files.values()) total += bytes.length;
  for (const [key, { bytes }] of files) {
    if (total <= limit || files.size <= 1) return;
    total -= bytes.length;
    files.delete(key);
  }
}

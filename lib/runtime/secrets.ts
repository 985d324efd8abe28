import { timingSafeEqual } from 'node:crypto';

/** Compares a secret with what a request brought, in a time that does not depend on where they differ. */
export function equalInConstantTime(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

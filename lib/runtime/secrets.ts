import { timingSafeEqual } from 'node:crypto';

/** Compares a secret with what somebody sent, in a time that tells nothing of where they differ. */
export function equalInConstantTime(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

import { BridgeError } from '../../errors.ts';

/** Milliseconds that one operation may take, a repeat included: the acknowledgement to DingTalk waits for it. */
export const STORE_TIMEOUT_MS = 800;

/**
 * How the errors begin by which a store refuses, without their `ERR`. Those with a small letter are Upstash's
 * (https://upstash.com/docs/redis/troubleshooting), but for `max number of clients`; the others are those of Redis 7.
 */
export const STORE_WORDS = [
  'WRONGPASS',
  'NOAUTH',
  'NOPERM',
  'max requests limit',
  'max daily request limit',
  'max request size',
  'max concurrent connections',
  'max number of clients',
  'DB capacity',
  'OOM',
  'READONLY',
  'MISCONF',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'CROSSSLOT',
  'MOVED',
  'BUSY',
] as const;

export type StoreWord = (typeof STORE_WORDS)[number];

/** How Redis 7 says NOPERM of a command within a script. */
const NOPERM_IN_SCRIPT = "The user executing the script can't";

/** What a store said, from the closed list; null when its words are not on it. */
export function storeWord(error: string): StoreWord | null {
  const words = error.replace(/^ERR /u, '');
  if (words.startsWith(NOPERM_IN_SCRIPT)) return 'NOPERM';
  return STORE_WORDS.find((word) => words.startsWith(word)) ?? null;
}

/**
 * The failure of an operation, by the errors of the client. Their texts are not kept: they may quote the whole command,
 * and with it what people wrote.
 */
export function storeFailure(...errors: unknown[]): BridgeError {
  const said = errors.map((error) => (error instanceof Error ? storeWord(error.message) : null)).find(Boolean);
  return said
    ? new BridgeError('store_unavailable', 'the store refused', { said })
    : new BridgeError('store_unavailable', 'the store cannot be reached');
}

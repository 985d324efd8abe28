import { createHash } from 'node:crypto';
import type { RunScript } from './run-script.ts';

export interface ScriptCommands {
  /** EVAL */
  whole: RunScript;
  /** EVALSHA: the same with the script's digest in its place. */
  byDigest: RunScript;
}

/**
 * Sends a script whole the first time, and its SHA-1 from then on: the scripts are two thirds of the bytes of an answer. A
 * store that has forgotten a script, as after a restart, did not run it, and gets it whole once more: not after an abort of
 * `signal`, when the caller goes on without the store and nothing may go on record.
 */
export function sendByDigest({ whole, byDigest }: ScriptCommands) {
  const digests = new Map<string, string>();
  return async (signal: AbortSignal, ...[script, keys, args]: Parameters<RunScript>): Promise<unknown> => {
    const known = digests.get(script);
    if (known !== undefined) {
      try {
        return await byDigest(known, keys, args);
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error;
        signal.throwIfAborted();
      }
    }
    const reply = await whole(script, keys, args);
    digests.set(script, known ?? createHash('sha1').update(script).digest('hex'));
    return reply;
  };
}

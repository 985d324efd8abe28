import { createHash } from 'node:crypto';
import type { RunScript } from './redis.ts';

export interface ScriptCommands {
  /** EVAL */
  whole: RunScript;
  /** EVALSHA: the same with the script's digest in its place. */
  byDigest: RunScript;
}

/**
 * Sends a script whole the first time, and its SHA-1 from then on: the scripts are two thirds of the bytes of an answer. A
 * store that has forgotten a script, as after a restart, did not run it, and gets it whole once more.
 */
export function sendByDigest({ whole, byDigest }: ScriptCommands): RunScript {
  const digests = new Map<string, string>();
  return async (script, keys, args) => {
    const known = digests.get(script);
    if (known !== undefined) {
      try {
        return await byDigest(known, keys, args);
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error;
      }
    }
    const reply = await whole(script, keys, args);
    digests.set(script, known ?? createHash('sha1').update(script).digest('hex'));
    return reply;
  };
}

/**
 * Runs a script in a Redis: EVAL, and EVALSHA from the second time on, are the only commands that the state needs.
 *
 * @throws BridgeError `store_unavailable`.
 */
export type RunScript = (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

import { Redis, type Requester } from '@upstash/redis';
import * as z from 'zod';
import { readAnswer, type Fetch, type FetchInit, type HttpResponse } from '../../net/http.ts';
import { sleep, withTimeout, type Clock } from '../../runtime/clock.ts';
import { sendByDigest } from './by-digest.ts';
import { STORE_TIMEOUT_MS, storeFailure } from './failure.ts';
import type { RunScript } from './run-script.ts';

export interface UpstashOptions {
  url: string;
  token: string;
  fetch: Fetch;
  clock: Clock;
  timeoutMs?: number;
}

/** Milliseconds before the one repeat of a request that had no answer. */
const REPEAT_AFTER_MS = 20;

const MAX_REPLY_BYTES = 10 * 1024 * 1024;

const replyShape = z.union([z.object({ error: z.string() }), z.object({ result: z.unknown() })]);

/** Scripts over Upstash's REST interface. */
export function createUpstash({ timeoutMs = STORE_TIMEOUT_MS, ...options }: UpstashOptions): RunScript {
  const redis = new ScriptClient(createRequester({ ...options, timeoutMs }));
  const run = sendByDigest({
    whole: (script, keys, args) => redis.eval(script, [...keys], [...args]),
    byDigest: (digest, keys, args) => redis.evalsha(digest, [...keys], [...args]),
  });
  return async (script, keys, args) => {
    try {
      // Each request has this limit; here it holds for all of them together.
      return await withTimeout(options.clock, timeoutMs, (signal) => run(signal, script, keys, args));
    } catch (error) {
      throw storeFailure(error);
    }
  };
}

class ScriptClient extends Redis {
  constructor(requester: Requester) {
    super(requester);
    // Otherwise "42" comes back as a number and "null" as null.
    this.opts = { automaticDeserialization: false };
  }
}

/**
 * The client's own requests go through the web's `fetch`, at four times the processor time of `Fetch`
 * (docs/decisions/0049).
 */
function createRequester({ url, token, fetch, clock, timeoutMs }: Required<UpstashOptions>): Requester {
  /** A read of a replica that lags behind would otherwise miss what this instance wrote before. */
  let syncToken = '';

  /** A repeat after a lost answer is safe: every script may run twice. */
  async function send(init: FetchInit & { signal: AbortSignal }): Promise<HttpResponse> {
    try {
      return await fetch(url, init);
    } catch {
      await sleep(clock, REPEAT_AFTER_MS, init.signal);
      return fetch(url, init);
    }
  }

  return {
    request: ({ body }) =>
      withTimeout(clock, timeoutMs, async (signal) => {
        const headers = {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'upstash-sync-token': syncToken,
        };
        const response = await send({
          method: 'POST',
          headers,
          body: JSON.stringify(body),
          redirect: 'manual',
          signal,
        });
        syncToken = response.headers.get('upstash-sync-token') ?? '';
        const { json } = await readAnswer(response, MAX_REPLY_BYTES);
        return replyShape.parse(json) as { result?: never; error?: string };
      }),
  };
}

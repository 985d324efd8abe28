import * as z from 'zod';
import { BridgeError } from '../../lib/errors.ts';
import { STORE_WORDS, storeWord, type StoreWord } from '../../lib/state/redis/failure.ts';
import type { RunScript } from '../../lib/state/redis/run-script.ts';
import type { DeploymentContext, Ports } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { ask, type Answer } from './wire.ts';

/** Writes for a moment, under a name that nothing else has. A cluster, which is not served, refuses keys of two slots. */
const WRITE = `return redis.call('SET', KEYS[1], '1', 'PX', 10000)`;
const writeKeys = (id: string) => [`dify-on-dingtalk:doctor:${id}`, 'dify-on-dingtalk:calls:doctor'];
const NOTHING = 'return 1';
const SAMPLES = 5;
/** The acknowledgement waits for one round trip: more than this is another region. */
const SLOW_MS = 150;

const errorBody = z.object({ error: z.string() });

export async function checkStore({ ports, config }: DeploymentContext, say: Finder): Promise<Finding[]> {
  const store = config?.store ?? { kind: 'memory' };
  if (store.kind === 'memory') return [say.warning('storeNone')];
  if (store.kind === 'redis') return checkTcp(ports, store.url, say);
  return checkRest(ports, store, say);
}

/** By plain requests: the client of the function hides what was answered, for it may quote people's data. */
async function checkRest(
  { fetch, clock, newId }: Ports,
  { url, token }: { url: string; token: string },
  say: Finder,
): Promise<Finding[]> {
  const { host } = new URL(url);
  const run = (command: readonly string[]) =>
    ask(fetch, clock, {
      url,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(command),
    });
  const ping = await run(['PING']);
  if (ping.kind === 'none') return [say.failed('storeUnreachable', host, ping.reason)];
  if (ping.status !== 200 || ping.json === undefined) return [restRefusal(ping, host, say)];
  const written = await run(['EVAL', WRITE, '2', ...writeKeys(newId())]);
  if (written.kind === 'none') return [say.failed('storeUnreachable', host, written.reason)];
  if (written.status !== 200) return [restRefusal(written, host, say)];
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const answer = await run(['EVAL', NOTHING, '0']);
    if (answer.kind === 'answer') times.push(answer.ms);
  }
  return [say.ok('storeFine', host), latency(times, say)];
}

function restRefusal({ status, json }: Answer, host: string, say: Finder): Finding {
  const { error = '' } = errorBody.safeParse(json).data ?? {};
  const said = storeWord(error);
  const isLogin = said === 'WRONGPASS' || said === 'NOAUTH';
  if (isLogin || (said === null && (status === 401 || status === 403)))
    return say.failed('storeTokenWrong', host, status);
  if (said !== null) return refusal(said, host, say);
  if (error === '') return say.failed('storeForeign', host, status);
  return say.failed('storeRefused', host, status, /^[A-Z]{2,20}\b/.exec(error)?.[0] ?? '');
}

/** What to do about a store that is there and refuses. */
function refusal(said: StoreWord, host: string, say: Finder): Finding {
  switch (said) {
    case 'WRONGPASS':
    case 'NOAUTH':
      return say.failed('storeLoginWrong', host, said);
    case 'NOPERM':
      return say.failed('storeReadOnly', host);
    case 'max requests limit':
    case 'max daily request limit':
      return say.failed('storeUsedUp', host, said);
    case 'DB capacity':
    case 'OOM':
      return say.failed('storeFull', host, said);
    default:
      return say.failed('storeNotReady', host, said);
  }
}

async function checkTcp({ connectRedis, clock, newId }: Ports, url: string, say: Finder): Promise<Finding[]> {
  // Whatever `new URL` throws quotes the address, and with it a password.
  const host = URL.parse(url)?.host || 'REDIS_URL';
  const run = connectRedis(url);
  const silent = await failureOf(run, NOTHING, []);
  if (silent) return [silent.said ? refusal(silent.said, host, say) : say.failed('storeTcpUnreachable', host)];
  const unwritten = await failureOf(run, WRITE, writeKeys(newId()));
  if (unwritten) return [refusal(unwritten.said ?? 'NOPERM', host, say)];
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const began = clock.now();
    if (!(await failureOf(run, NOTHING, []))) times.push(clock.now() - began);
  }
  return [say.ok('storeFine', host), latency(times, say)];
}

/** Why a script did not run; null when it did. */
async function failureOf(
  run: RunScript,
  script: string,
  keys: readonly string[],
): Promise<{ said: StoreWord | null } | null> {
  try {
    await run(script, keys, []);
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return { said: STORE_WORDS.find((word) => word === error.facts['said']) ?? null };
    throw error;
  }
}

function latency(times: readonly number[], say: Finder): Finding {
  const median = Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY);
  return median > SLOW_MS ? say.warning('storeSlow', median) : say.ok('storeFast', median);
}

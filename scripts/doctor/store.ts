import * as z from 'zod';
import { BridgeError } from '../../lib/errors.ts';
import type { RunScript } from '../../lib/state/redis/redis.ts';
import type { DeploymentContext, Ports } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { ask, type Answer } from './wire.ts';

/** Writes for a moment, under a name that nothing else has. */
const WRITE = `return redis.call('SET', KEYS[1], '1', 'PX', 10000)`;
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
  if (ping.status === 401 || ping.status === 403) return [say.failed('storeTokenWrong', host, ping.status)];
  if (ping.status !== 200 || ping.json === undefined) return [restRefusal(ping, host, say)];
  const written = await run(['EVAL', WRITE, '1', `dify-on-dingtalk:doctor:${newId()}`]);
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
  if (error.startsWith('NOPERM')) return say.failed('storeReadOnly', host);
  if (error.includes('max requests limit')) return say.failed('storeUsedUp', host);
  if (error === '') return say.failed('storeForeign', host, status);
  return say.failed('storeRefused', host, status, /^[A-Z]{2,20}\b/.exec(error)?.[0] ?? '');
}

async function checkTcp({ connectRedis, clock, newId }: Ports, url: string, say: Finder): Promise<Finding[]> {
  // Whatever `new URL` throws quotes the address, and with it a password.
  const host = URL.parse(url)?.host || 'REDIS_URL';
  const run = connectRedis(url);
  if (!(await succeeds(run, NOTHING, []))) return [say.failed('storeTcpUnreachable', host)];
  if (!(await succeeds(run, WRITE, [`dify-on-dingtalk:doctor:${newId()}`]))) return [say.failed('storeReadOnly', host)];
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const began = clock.now();
    if (await succeeds(run, NOTHING, [])) times.push(clock.now() - began);
  }
  return [say.ok('storeFine', host), latency(times, say)];
}

async function succeeds(run: RunScript, script: string, keys: readonly string[]): Promise<boolean> {
  try {
    await run(script, keys, []);
    return true;
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

function latency(times: readonly number[], say: Finder): Finding {
  const median = Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY);
  return median > SLOW_MS ? say.warning('storeSlow', median) : say.ok('storeFast', median);
}

// 200 messages a second over one Stream connection: how soon `npm run serve` acknowledges them, with each on record in a
// Redis before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../../lib/runtime/clock.ts';
import { createStreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import { startVendors } from '../../test/support/bridge.ts';
import { app } from '../../test/support/dingtalk.ts';
import { programPath } from '../../test/support/programs.ts';
import { startRedisServer } from '../../test/support/redis-server.ts';

const PER_SECOND = 200;
const SECONDS = 5;
const PEOPLE = PER_SECOND;
const WARM_UP = 100;

const people = Array.from({ length: PEOPLE }, (_, index) => ({
  staffId: `p${index}`,
  unionId: `u${index}`,
  nick: `p${index}`,
}));

interface Figures {
  p50: number;
  p99: number;
  most: number;
  answered: number;
}

/** @param text what each of them sends: a question, or a command that costs nothing but its reply. */
async function measure(text: string): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-stream-'));
  const redis = await startRedisServer();
  const gateway = await createStreamGateway({ app });
  const dingtalk = { people, stream: gateway, qps: 100_000 };
  const vendors = await startVendors({ app: { script: { chunks: [{ text: 'yes' }] } }, dingtalk }, systemClock);
  const { DINGTALK_CARD_TEMPLATE_ID: _template, ...env } = vendors.env;
  const script = fileURLToPath(new URL('../serve.ts', import.meta.url));
  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env: {
      ...env,
      DINGTALK_CONNECTION: 'stream',
      DINGTALK_QPS: '10000',
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      HOST: '127.0.0.1',
      PORT: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    while (gateway.connections().length === 0) await sleep(systemClock, 20);
    const say = (index: number) => gateway.push(vendors.dingtalk.callback({ from: `p${index % PEOPLE}`, text }).body);
    for (let index = 0; index < WARM_UP; index += 1) await say(index);
    const before = gateway.acks.length;
    const beganAtMs = performance.now();
    const sent: Promise<unknown>[] = [];
    while (sent.length < PER_SECOND * SECONDS) {
      const due = Math.floor(((performance.now() - beganAtMs) * PER_SECOND) / 1000);
      while (sent.length < Math.min(due, PER_SECOND * SECONDS)) sent.push(say(sent.length));
      await sleep(systemClock, 1);
    }
    await Promise.all(sent);
    const times = gateway.acks
      .slice(before)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Infinity;
    return { p50: at(0.5), p99: at(0.99), most: at(1), answered: times.length };
  } finally {
    child.kill('SIGKILL');
    await exited;
    await Promise.all([vendors.dingtalk.close(), vendors.dify.close(), gateway.close()]);
    await redis.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** One line for each kind of message, for the bench. */
export async function measureStream(): Promise<string[]> {
  const what = `${PER_SECOND} messages a second for ${SECONDS} s over one Stream connection`;
  if (!programPath('redis-server')) return [`${what}: SKIPPED, needs redis-server`];
  const line = (name: string, { p50, p99, most, answered }: Figures) =>
    `  ${name.padEnd(12)}  acknowledged ${answered}/${PER_SECOND * SECONDS}  half within ${p50.toFixed(1)} ms  99 % within ${p99.toFixed(1)} ms  all within ${most.toFixed(1)} ms`;
  return [
    `${what} (bound for 99 %: 50 ms):`,
    line('questions', await measure('question')),
    line('commands', await measure('/id')),
  ];
}

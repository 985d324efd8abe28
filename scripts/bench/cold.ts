// What a cold start of the built function costs, against a function that does nothing.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tableOf } from './table.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Starts of each; the figures are medians. */
const STARTS = 15;

interface Start {
  importMs: number;
  /** Since the start of the process. */
  answerMs: number;
  rssMb: number;
}

const ENV = {
  DINGTALK_CLIENT_ID: 'dingclientid0001',
  DINGTALK_CLIENT_SECRET: 'secret',
  DIFY_API_KEY: 'app-key',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9',
  UPSTASH_REDIS_REST_TOKEN: 'token',
};

const EMPTY = 'data:text/javascript,export const createApp = () => ({ handle: async () => new Response("ok") });';

const programOf = (address: string) => `
  const beganMs = performance.now();
  const { createApp } = await import(${JSON.stringify(address)});
  const importMs = performance.now() - beganMs;
  const { handle } = createApp({ env: ${JSON.stringify(ENV)} });
  const request = new Request('http://127.0.0.1/api/dingtalk');
  await (await handle(request, { waitUntil() {}, deadlineMs: null })).text();
  console.log(JSON.stringify({ importMs, answerMs: performance.now(), rssMb: process.memoryUsage().rss / 1e6 }));`;

async function startOf(address: string): Promise<Start> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', programOf(address)], {
    // The compile cache of the commands would hide what a cold start costs.
    env: { ...process.env, NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: '1' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Start;
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Builds the function, and starts it and an empty one in turn. */
export async function measureCold(): Promise<string[]> {
  await run(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root });
  const built = new URL('../../dist/function.js', import.meta.url).href;
  const starts: { built: Start[]; empty: Start[] } = { built: [], empty: [] };
  for (let start = 0; start < STARTS; start += 1) {
    starts.built.push(await startOf(built));
    starts.empty.push(await startOf(EMPTY));
  }
  const row = (what: string, figure: keyof Start, unit: string, aim: string) => [
    what,
    ...[starts.built, starts.empty].map((list) => `${medianOf(list.map((each) => each[figure])).toFixed(0)} ${unit}`),
    aim,
  ];
  return tableOf([
    ['', 'the built function', 'an empty one', 'aim'],
    row('cold import', 'importMs', 'ms', '≤ 65 ms'),
    row('start to the first answer', 'answerMs', 'ms', '≤ 130 ms'),
    row('memory then', 'rssMb', 'MB', '≤ 80 MB'),
  ]);
}

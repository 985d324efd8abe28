// What a cold start of the built function costs, against a function that does nothing, and beside that of another commit.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Code } from '../../test/chaos/code.ts';
import { tableOf } from './table.ts';

const run = promisify(execFile);

/** Starts of each; the figures are medians. */
const STARTS = 15;

interface Start {
  importMs: number;
  /** Since the start of the process. */
  answerMs: number;
  rssMb: number;
}

interface BuiltFunction {
  name: string;
  /** Of the module that the platform loads. */
  address: string;
  directory: string | null;
}

const ENV = {
  DINGTALK_CLIENT_ID: 'dingclientid0001',
  DINGTALK_CLIENT_SECRET: 'secret',
  DIFY_API_KEY: 'app-key',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9',
  UPSTASH_REDIS_REST_TOKEN: 'token',
};

const EMPTY: BuiltFunction = {
  name: 'an empty one',
  address: 'data:text/javascript,export default { fetch: async () => new Response("ok") };',
  directory: null,
};

const FIGURES = [
  { what: 'cold import', figure: 'importMs', unit: 'ms', aim: 65, was: 167 },
  { what: 'start to the first answer', figure: 'answerMs', unit: 'ms', aim: 130, was: 231 },
  { what: 'memory then', figure: 'rssMb', unit: 'MB', aim: 80, was: 91 },
] as const;

/** Of any version: each has this module and its function. */
const BUILD = `
  const { buildArtifact } = await import('./test/support/artifact.ts');
  const { directory, handler } = await buildArtifact();
  console.log(JSON.stringify({ directory, handler }));`;

/** Builds the function as the platform does, outside of any repository. */
async function built({ name, host }: Code): Promise<BuiltFunction> {
  const root = dirname(dirname(dirname(host)));
  // What runs needs no builder, so a commit that is laid out may have none.
  if (!existsSync(join(root, 'node_modules/@vercel/node')))
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      shell: process.platform === 'win32',
    });
  const { directory, handler } = JSON.parse(
    await lastLine(['--input-type=module', '--eval', BUILD], { cwd: root }),
  ) as {
    directory: string;
    handler: string;
  };
  return { name, address: pathToFileURL(join(directory, handler)).href, directory };
}

const programOf = (address: string) => `
  const beganMs = performance.now();
  const { default: entry } = await import(${JSON.stringify(address)});
  const importMs = performance.now() - beganMs;
  await (await entry.fetch(new Request('http://127.0.0.1/api/dingtalk'))).text();
  console.log(JSON.stringify({ importMs, answerMs: performance.now(), rssMb: process.memoryUsage().rss / 1e6 }));
  process.exit();`;

async function startOf({ address }: BuiltFunction): Promise<Start> {
  // The compile cache of the commands would hide what a cold start costs.
  const env = { ...process.env, ...ENV, NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: '1' };
  return JSON.parse(await lastLine(['--input-type=module', '--eval', programOf(address)], { env })) as Start;
}

async function lastLine(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }): Promise<string> {
  const { stdout } = await run(process.execPath, args, options);
  return stdout.trim().split('\n').at(-1) ?? '';
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Starts the built functions and an empty one in turn. `codes`: the other commit, where there is one, and this version. */
export async function measureCold(codes: readonly Code[]): Promise<string[]> {
  const functions: BuiltFunction[] = [];
  for (const code of codes) functions.push(await built(code));
  functions.push(EMPTY);
  const starts = functions.map((): Start[] => []);
  for (let start = 0; start < STARTS; start += 1) {
    for (const [index, each] of functions.entries()) starts[index]?.push(await startOf(each));
  }
  for (const { directory } of functions) if (directory !== null) await rm(directory, { recursive: true });
  const isBeside = codes.length > 1;
  return tableOf([
    ['', ...functions.map(({ name }) => name), 'aim', ...(isBeside ? ['ratio', 'aim beside b114c53'] : [])],
    ...FIGURES.map(({ what, figure, unit, aim, was }) => {
      const medians = starts.map((list) => medianOf(list.map((each) => each[figure])));
      const ratios = [((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(2), `≤ ${(aim / was).toFixed(2)}`];
      return [
        what,
        ...medians.map((median) => `${median.toFixed(0)} ${unit}`),
        `≤ ${aim} ${unit}`,
        ...(isBeside ? ratios : []),
      ];
    }),
  ]);
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { startVendors } from '../support/bridge.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { startScript } from '../support/script.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const serve = (env: Record<string, string>) => startScript('scripts/serve.ts', { cwd: directory, env });

test('a wrong configuration is named whole, without a value, and nothing starts', async () => {
  const { ended, output } = serve({ DIFY_API_URL: 'nonsense', STREAMING: 'warp', PORT: '0' });
  expect(await ended).toBe(1);
  for (const name of ['DINGTALK_CLIENT_ID', 'DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY', 'DIFY_API_URL', 'STREAMING']) {
    expect(output()).toContain(name);
  }
  expect(output()).not.toMatch(/nonsense|warp|Listening/);
});

test.each([
  [
    'en',
    { LANG: 'C' },
    ['Missing:\n  DINGTALK_CLIENT_ID (it is required)', 'Malformed:\n  STREAMING: expected one of'],
  ],
  [
    'the terminal’s Chinese',
    { LANG: 'zh_CN.UTF-8' },
    ['缺少：\n  DINGTALK_CLIENT_ID（必填）', '格式不对：\n  STREAMING：应为以下之一'],
  ],
  ['REPLY_LANGUAGE', { LANG: 'C', REPLY_LANGUAGE: 'zh-CN' }, ['配置不完整']],
])('missing and malformed are told apart, in the language of %s', async (_, env, sentences) => {
  const { ended, output } = serve({ STREAMING: 'warp', PORT: '0', ...env });
  expect(await ended).toBe(1);
  for (const sentence of sentences) expect(output()).toContain(sentence);
  // Nothing is configured: where to begin.
  expect(output()).toMatch(/npm start[\s\S]*npm run setup/);
});

test('a .env that cannot be read is told in one line', async () => {
  await mkdir(join(directory, '.env'));
  const { ended, output } = serve({ LANG: 'C' });
  expect(await ended).toBe(1);
  expect(output()).toBe('.env cannot be read. It has to be a file that the user who starts this command may read.\n');
});

test('a port that is taken is told in one line', async () => {
  const other = createServer();
  const port = await listenOnLoopback(other);
  const names = { DINGTALK_CLIENT_ID: 'a', DINGTALK_CLIENT_SECRET: 'b', DIFY_API_KEY: 'c' };
  const { ended, output } = serve({ ...names, PORT: String(port), HOST: '127.0.0.1' });
  expect(await ended).toBe(1);
  expect(output().split('\n').at(-2)).toMatch(new RegExp(`^Port ${port} is in use\\..* npm run serve$`));
  other.close();
});

test('it reads .env, serves the callback, and on SIGTERM finishes what it is answering', async () => {
  const story = { chunks: [{ afterMs: 600, text: 'slow but sure' }] };
  const { dingtalk, dify, env } = await startVendors({ app: { script: story } }, systemClock);
  const { DIFY_API_KEY, ...rest } = env;
  await writeFile(join(directory, '.env'), `DIFY_API_KEY=${DIFY_API_KEY}\nDINGTALK_CLIENT_ID=overridden\n`);
  const { child, ended, output } = serve({ ...rest, PORT: '0', HOST: '127.0.0.1' });
  await expect.poll(output).toContain('Listening');
  const url = /callback address: (\S+)/.exec(output())?.[1] ?? '';
  expect((await dingtalk.deliver(url, dingtalk.callback({ from: 'staff-1', text: 'hello' }))).status).toBe(200);
  child.kill('SIGTERM');
  // The order to a whole group of processes arrives once more by way of the launcher.
  setTimeout(() => child.kill('SIGTERM'), 100);
  expect(await ended).toBe(0);
  expect([...dingtalk.cards.values()]).toMatchObject([{ phase: 'finished', content: 'slow but sure' }]);
  expect(
    output()
      .split('\n')
      .filter((line) => line.includes('store_in_process')),
  ).toHaveLength(1);
  await Promise.all([dingtalk.close(), dify.close()]);
});

// The guide as its own process, answered line by line, between the simulated vendors.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { SampleApp } from '../../playground/dify/types.ts';
import { readArguments } from '../../scripts/setup/arguments.ts';
import { startVendors, TEMPLATE } from '../support/bridge.ts';
import { describeWith } from '../support/require.ts';
import { startScript } from '../support/script.ts';
import { useStore } from '../support/use-store.ts';

const CLIENT_ID = 'dingclientid0001';
const CLIENT_SECRET = 'marked-client-secret';
const API_KEY = 'app-marked-dify-key';
const HOST = 'https://bot.example.com';
/** A process on a busy machine. */
const SLOW_MS = 60_000;

let directory: string;
let endings: (() => Promise<unknown>)[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'setup-'));
  endings = [() => rm(directory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const end of endings.toReversed()) await end();
});

async function startWorld(app: Partial<SampleApp> = {}) {
  const { dingtalk, dify } = await startVendors(
    {
      dingtalk: { app: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET } },
      dify: { apps: { [API_KEY]: { mode: 'chat', name: 'Helpful', ...app } } },
    },
    systemClock,
  );
  endings.push(() => Promise.all([dingtalk.close(), dify.close()]));
  const env = { DINGTALK_API_URL: dingtalk.origin, DINGTALK_OAPI_URL: dingtalk.origin };
  const values = { DINGTALK_CLIENT_ID: CLIENT_ID, DIFY_API_URL: dify.url };
  const secrets = { DINGTALK_CLIENT_SECRET: CLIENT_SECRET, DIFY_API_KEY: API_KEY };
  return { dingtalk, dify, env, values, secrets };
}

function start(args: readonly string[], env: Record<string, string> = {}) {
  const { child, ended, output } = startScript('scripts/setup.ts', { cwd: directory, env, args });
  endings.push(async () => child.kill('SIGKILL'));
  return { child, ended: ended.then((code) => ({ code, output: output() })), output };
}

/** Runs it to its end, and looks for secrets in all that it printed. */
async function run(args: readonly string[], env: Record<string, string> = {}, answers: readonly string[] = []) {
  const { child, ended } = start(args, env);
  child.stdin.end(answers.map((answer) => `${answer}\n`).join(''));
  const result = await ended;
  for (const secret of [CLIENT_SECRET, API_KEY, 'marked-', 'upstash-token', 'wrong-secret']) {
    expect(result.output).not.toContain(secret);
  }
  return result;
}

const walk = (env: Record<string, string>, answers: readonly string[], ...more: string[]) =>
  run(['--plain', '--lang', 'en', ...more], env, answers);

const envFile = () => readFile(join(directory, '.env'), 'utf8');
const written = async () => {
  const all = Object.entries(parseEnv(await envFile()));
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
};
const files = () => readdir(directory);
const times = (text: string, part: string) => text.split(part).length - 1;

/** The rest of a walk after the Dify key, with as little as there may be. */
const NOTHING_ELSE = ['', '', 'none', 'y'];

describe('the guide', () => {
  describeWith('redis-server', 'with a store', () => {
    const store = useStore();

    test(
      'walks from nothing to a file that is whole, a registered address, and commands that work',
      async () => {
        const { dingtalk, dify, env } = await startWorld();
        const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = store().env;
        const { code, output } = await run(['--plain', '--lang', 'en'], env, [
          CLIENT_ID,
          CLIENT_SECRET,
          TEMPLATE,
          'yes',
          dify.url,
          API_KEY,
          url,
          store().front.readOnlyToken,
          token,
          'bot.example.com/api/dingtalk', // as it is copied from this page
          'admins streaming cron',
          'staff-1, staff-2',
          'warp',
          'thrifty',
          'y',
        ]);
        expect(output).toContain('.env is written');
        expect(code).toBe(0);
        const { CRON_SECRET: cronSecret = '', ...values } = await written();
        expect(values).toEqual({
          DINGTALK_CLIENT_ID: CLIENT_ID,
          DINGTALK_CLIENT_SECRET: CLIENT_SECRET,
          DINGTALK_CARD_TEMPLATE_ID: TEMPLATE,
          DINGTALK_CARD_BUTTONS: 'true',
          DIFY_API_URL: dify.url,
          DIFY_API_KEY: API_KEY,
          UPSTASH_REDIS_REST_URL: url,
          UPSTASH_REDIS_REST_TOKEN: token,
          PUBLIC_URL: HOST,
          ADMIN_USERS: 'staff-1, staff-2',
          STREAMING: 'thrifty',
        });
        expect(cronSecret).toMatch(/^[\w-]{43}$/);
        expect(output).not.toContain(cronSecret);
        expect((await stat(join(directory, '.env'))).mode & 0o777).toBe(0o600);
        expect(await files()).toEqual(['.env']);
        expect(await envFile()).toContain("# The app's Client ID (AppKey)");
        // What was asked of the others, and what came back.
        expect(dingtalk.calls.map(({ api, status }) => [api, status])).toEqual([
          ['accessToken', 200],
          ['accessToken', 200],
          ['registerCallback', 200],
        ]);
        expect(dingtalk.calls.at(-1)?.request).toMatchObject({ callbackUrl: `${HOST}/api/dingtalk` });
        expect(dify.requests.map(({ api }) => api).toSorted()).toContain('parameters');
        expect(output).toContain('The app is called “Helpful” and is of the type chat');
        expect(output).toContain('the token or user may only read');
        expect(output).toContain('Expected: one of smooth, balanced, thrifty, off.');
        expect(output).toContain(`The callback address to paste into 消息接收地址: ${HOST}/api/dingtalk`);
        expect(output).toContain(`npm run doctor -- ${HOST}`);
        for (const page of ['HTTP 模式', '权限管理', 'Card.Streaming.Write', '版本管理与发布']) {
          expect(output).toContain(page);
        }
        // Each command as it stands, up to the pipe.
        const commands = output.split('\n').filter((line) => line.includes('| vercel env add'));
        const read = commands.map((line) => {
          const [, program = '', name = ''] =
            /^node --env-file=\.env -e "(.+)" \| vercel env add (\w+) production --force$/.exec(line) ?? [];
          const args = ['--env-file=.env', '-e', program];
          return [name, execFileSync(process.execPath, args, { cwd: directory, env: {}, encoding: 'utf8' })];
        });
        expect(Object.fromEntries(read)).toEqual({ ...values, CRON_SECRET: cronSecret });
      },
      SLOW_MS,
    );
  });

  test(
    'asks again for what is wrong, with the reason, and takes a value that cannot be checked when told to',
    async () => {
      const { dify, env } = await startWorld();
      const { code, output } = await walk(env, [
        '', // required
        CLIENT_ID,
        'wrong-secret',
        CLIENT_SECRET,
        '',
        'not an address',
        `${dify.url}/`,
        'app-wrong-secret',
        API_KEY,
        'http://127.0.0.1:1', // nobody listens
        'marked-token',
        '!',
        'https://bot.example.com/path',
        'http://bot.example.com',
        'https://bridge.vercel.app',
        'everything',
        'none',
        'perhaps',
        'y',
      ]);
      expect(output).toContain('This one is required.');
      expect(output).toContain('Expected: an address that begins with https:// or http://.');
      expect(output).toContain('invalidClientIdOrSecret');
      expect(output).toContain('Dify does not accept the key');
      expect(times(output, 'Enter another value, or Enter to try again')).toBe(4);
      expect(output).toContain('Taken without the check.');
      expect(output).toContain('Only the beginning');
      expect(output).toContain('There is no everything here');
      expect(output).toContain('Please answer y or n.');
      expect(code).toBe(0);
      expect(await written()).toEqual({
        DINGTALK_CLIENT_ID: CLIENT_ID,
        DINGTALK_CLIENT_SECRET: CLIENT_SECRET,
        DIFY_API_URL: `${dify.url}/`,
        DIFY_API_KEY: API_KEY,
        UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
        UPSTASH_REDIS_REST_TOKEN: 'marked-token',
        PUBLIC_URL: 'https://bridge.vercel.app',
      });
    },
    SLOW_MS,
  );

  test(
    'goes without a template, store and address, and says what that means',
    async () => {
      const { dingtalk, dify, env } = await startWorld();
      const { code, output } = await walk(env, [CLIENT_ID, CLIENT_SECRET, '', dify.url, API_KEY, ...NOTHING_ELSE]);
      expect(code).toBe(0);
      expect(output).toContain('No template: answers come whole');
      expect(output).toContain('No store: on Vercel the function will not start');
      expect(output).toContain('No address');
      expect(output).not.toContain('Does the template have these buttons');
      expect(output).not.toContain('Card.Streaming.Write');
      expect(output).toContain('https://YOUR-DOMAIN/api/dingtalk');
      expect(dingtalk.calls.map(({ api }) => api)).toEqual(['accessToken']);
      expect(Object.keys(await written())).toHaveLength(4);
    },
    SLOW_MS,
  );

  test(
    'goes back a step, also from the last question',
    async () => {
      const { dify, env } = await startWorld();
      const { code, output } = await walk(env, [
        'b',
        'dingmistaken0000',
        'b',
        CLIENT_ID,
        CLIENT_SECRET,
        TEMPLATE,
        'b', // from the buttons to the template, which is taken away; its buttons are asked for no more
        '-',
        dify.url,
        API_KEY,
        '',
        '',
        'none',
        'b',
        'streaming',
        'off',
        'y',
      ]);
      expect(output).toContain('This is the first step.');
      expect(code).toBe(0);
      expect(await written()).toEqual({
        DINGTALK_CLIENT_ID: CLIENT_ID,
        DINGTALK_CLIENT_SECRET: CLIENT_SECRET,
        DIFY_API_URL: dify.url,
        DIFY_API_KEY: API_KEY,
        STREAMING: 'off',
      });
    },
    SLOW_MS,
  );

  test('asks nobody with --no-check, and passes over what applies no more on the way back', async () => {
    const { dingtalk, dify, env } = await startWorld();
    const pair = 'KV_REST_API_URL=https://kv.example.com\nKV_REST_API_TOKEN=marked-kv\n';
    await writeFile(join(directory, '.env'), `${pair}UPSTASH_REDIS_REST_URL=https://store.example.com\n`);
    const answers = [CLIENT_ID, 'wrong-secret', TEMPLATE, 'n', dify.url, API_KEY];
    const back = ['-', 'b', 'app-wrong-secret'];
    const { code, output } = await walk(env, [...answers, ...back, HOST, 'none', 'y'], '--no-check');
    expect(output).toContain('Nothing is checked');
    expect(output).toContain('The store is given by KV_REST_API_URL');
    expect(code).toBe(0);
    expect(await written()).toMatchObject({ DIFY_API_KEY: 'app-wrong-secret', KV_REST_API_TOKEN: 'marked-kv' });
    expect(await written()).not.toHaveProperty('UPSTASH_REDIS_REST_URL');
    expect([...dingtalk.calls, ...dify.requests]).toEqual([]);
  });

  test(
    'asks for the inputs that the app requires, and for the one that carries the question',
    async () => {
      const field = (variable: string) => ({ variable, label: `The ${variable}\u001B[2J`, required: true });
      const { dify, env } = await startWorld({
        mode: 'workflow',
        name: 'Ask\u001B]0;title\u0007 me',
        parameters: {
          user_input_form: [
            { paragraph: field('topic') },
            { 'text-input': field('tone') },
            { checkbox: field('brief') },
            { number: field('level') },
          ],
        },
      });
      const { code, output } = await walk(env, [
        CLIENT_ID,
        CLIENT_SECRET,
        '',
        dify.url,
        API_KEY,
        'query',
        'topic',
        "friendly, it's for {{nick}}",
        'true',
        '3',
        ...NOTHING_ELSE,
      ]);
      expect(code).toBe(0);
      expect(times(output, 'Text inputs of the app: topic, tone')).toBe(2);
      // What was written in Dify does not reach the terminal as a command.
      expect(output.replaceAll(/[^\p{Cc}]|\n/gu, '')).toBe('');
      const { DIFY_INPUTS: inputs = '', DIFY_QUERY_INPUT: carrier } = await written();
      expect(carrier).toBe('topic');
      expect(JSON.parse(inputs)).toEqual({ tone: "friendly, it's for {{nick}}", brief: true, level: '3' });
    },
    SLOW_MS,
  );

  test(
    'offers what is there, and keeps every other line of the file',
    async () => {
      const { dify, env, values, secrets } = await startWorld();
      const before = [
        '# ours',
        `DINGTALK_CLIENT_ID=${values.DINGTALK_CLIENT_ID}`,
        `export DINGTALK_CLIENT_SECRET="${secrets.DINGTALK_CLIENT_SECRET}" # rotated in May`,
        `DIFY_API_URL=${dify.url}`,
        'DIFY_API_KEY=app-marked-old-key',
        'OTHER="two',
        'lines"',
        'STREAMING=warp',
        '',
      ].join('\n');
      await writeFile(join(directory, '.env'), before, { mode: 0o644 });
      const kept = await walk(env, ['', '', '', '', API_KEY, ...NOTHING_ELSE]);
      expect(kept.code).toBe(0);
      expect(kept.output).toContain('[Enter: kept]');
      expect(kept.output).toContain(`[Enter: ${CLIENT_ID}]`);
      expect(kept.output).toContain('STREAMING cannot be used as it is');
      expect(await envFile()).toBe(before.replace('app-marked-old-key', API_KEY));
      expect((await stat(join(directory, '.env'))).mode & 0o777).toBe(0o600);
      expect(await files()).toEqual(['.env']);
      const again = await walk(env, ['', '', '', '', '', '', '', 'none']);
      expect(again).toMatchObject({ code: 0, output: expect.stringContaining('it is not written anew') as string });
    },
    SLOW_MS,
  );

  test.each(['SIGINT', 'end of input', 'no'] as const)(
    'writes nothing when it is left: %s',
    async (how) => {
      const { dify, env } = await startWorld();
      await writeFile(join(directory, '.env'), 'DIFY_API_KEY=app-marked-old-key\n');
      const { child, ended, output } = start(['--plain', '--lang', 'en'], env);
      const answers = [CLIENT_ID, CLIENT_SECRET, '', dify.url, API_KEY, '', '', 'cron'];
      for (const answer of answers) child.stdin.write(`${answer}\n`);
      await expect.poll(output, { timeout: SLOW_MS }).toContain('Write .env?');
      if (how === 'SIGINT') child.kill('SIGINT');
      else child.stdin.end(how === 'no' ? 'n\n' : '');
      const result = await ended;
      expect(result.code).toBe(1);
      expect(result.output).toMatch(/nothing was written/i);
      expect(result.output).not.toContain('marked-');
      expect(await envFile()).toBe('DIFY_API_KEY=app-marked-old-key\n');
      expect(await files()).toEqual(['.env']);
    },
    SLOW_MS,
  );
});

describe('without questions', () => {
  test('lists everything that is missing or malformed, without values', async () => {
    const { code, output } = await run(['--yes', '--set', 'STREAMING=marked-value'], {
      LANG: 'en_GB.UTF-8',
      DINGTALK_CLIENT_ID: CLIENT_ID,
      UPSTASH_REDIS_REST_URL: 'https://store.example.com',
    });
    expect(code).toBe(1);
    for (const name of ['DINGTALK_CLIENT_SECRET', 'DIFY_API_KEY', 'STREAMING', 'UPSTASH_REDIS_REST_TOKEN']) {
      expect(output).toMatch(new RegExp(`^${name}: expected `, 'm'));
    }
    expect(await files()).toEqual([]);
    expect((await run(['--yes', '--lang', 'zh-CN'])).output).toContain('DIFY_API_KEY: expected 必填');
  });

  test(
    'takes flags before the environment before the file, and checks them',
    async () => {
      const { dify, env, values, secrets } = await startWorld();
      await writeFile(join(directory, 'mine'), `STREAMING=smooth\nLOG_LEVEL=warn\nDIFY_API_KEY=app-marked-old-key\n`);
      const { code, output } = await run(
        ['--yes', '--lang', 'en', '--file', 'mine', '--set', 'STREAMING=off', '--from-env', 'HOST'],
        { ...env, ...values, ...secrets, HOST: '127.0.0.1', PORT: '3999' },
      );
      expect(output).toContain('mine is written');
      expect(code).toBe(0);
      expect(parseEnv(await readFile(join(directory, 'mine'), 'utf8'))).toEqual({
        ...values,
        ...secrets,
        STREAMING: 'off',
        LOG_LEVEL: 'warn',
        HOST: '127.0.0.1',
      });
      expect(output).toContain('node --env-file=mine -e');
      expect(dify.requests).not.toEqual([]);
    },
    SLOW_MS,
  );

  test(
    'writes nothing where a check fails, and asks nobody with --no-check',
    async () => {
      const { dingtalk, dify, env, values, secrets } = await startWorld();
      const wrong = { ...env, ...values, ...secrets, DIFY_API_KEY: 'app-wrong-secret' };
      const failed = await run(['--yes', '--lang', 'en'], wrong);
      expect(failed.code).toBe(1);
      expect(failed.output).toContain('✗ Dify does not accept the key');
      expect(await files()).toEqual([]);
      const before = dingtalk.calls.length + dify.requests.length;
      const more = ['--set', `DINGTALK_CARD_TEMPLATE_ID=${TEMPLATE}`, '--set', `PUBLIC_URL=${HOST}`];
      const unchecked = await run(['--yes', '--lang', 'en', '--no-check', ...more], wrong);
      expect(unchecked.code).toBe(0);
      expect(await written()).toMatchObject({ DIFY_API_KEY: 'app-wrong-secret', PUBLIC_URL: HOST });
      expect(dingtalk.calls.length + dify.requests.length).toBe(before);
    },
    SLOW_MS,
  );

  test('says when the file is none, before anything is asked', async () => {
    await mkdir(join(directory, 'folder'));
    const { code, output } = await run(['--yes', '--lang', 'en', '--file', 'folder']);
    expect([code, output]).toEqual([1, 'folder cannot be read or written (EISDIR); nothing was written.\n']);
  });

  test(
    '--dry-run checks and tells what it would write, and neither writes nor registers',
    async () => {
      const { dingtalk, env, values, secrets } = await startWorld();
      const more = { DINGTALK_CARD_TEMPLATE_ID: TEMPLATE, PUBLIC_URL: HOST };
      const { code, output } = await run(['--yes', '--lang', 'en', '--dry-run'], {
        ...env,
        ...values,
        ...secrets,
        ...more,
      });
      expect(code).toBe(0);
      expect(output).toMatch(/would write \.env: .*DIFY_API_KEY/);
      expect(await files()).toEqual([]);
      expect(dingtalk.calls.map(({ api }) => api)).toEqual(['accessToken']);
    },
    SLOW_MS,
  );

  test('explains itself where it cannot ask, and refuses what it does not understand, without quoting it', async () => {
    const nobody = await run([], { LANG: 'en' });
    expect(nobody).toMatchObject({ code: 2, output: expect.stringContaining('--plain') as string });
    expect((await run([], { LANG: 'zh_CN.UTF-8' })).output).toContain('没有可以提问的终端');
    expect(await run(['--help'], { LANG: 'en' })).toMatchObject({
      code: 0,
      output: expect.stringContaining('--from-env') as string,
    });
    const wrong = await run(['--marked-value']);
    expect(wrong.code).toBe(2);
    for (const args of [
      ['marked-value'],
      ['--marked-value'],
      ['--set', 'marked-value'],
      ['--set', 'UNKNOWN=marked-value'],
      ['--from-env', 'marked-value'],
      ['--from-env', 'DIFY_API_KEY'],
      ['--lang', 'marked-value'],
    ]) {
      const command = readArguments(args, {});
      expect(command.kind).toBe('wrong');
      expect(JSON.stringify(command)).not.toContain('marked');
    }
    expect(await files()).toEqual([]);
  });
});

// `npm run setup` as a person meets it: in a fresh folder with an empty home, on a pseudo-terminal.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createApp, type App } from '../../lib/app.ts';
import { openStream } from '../../lib/dingtalk/stream/open-stream.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { startHost } from '../../scripts/host.ts';
import { runOnTerminal, type Script } from '../support/setup/pty.ts';
import {
  API_KEY,
  CLIENT_ID,
  CLIENT_SECRET,
  DOMAIN,
  MARK,
  QSTASH_TOKEN,
  startSetupWorld,
  TEMPLATE,
  type SetupWorld,
  type WorldOptions,
} from '../support/setup/world.ts';
import { describeWith } from '../support/require.ts';

let endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** The world, with the function behind the public domain once it is deployed. */
async function stage(options: WorldOptions = {}) {
  let deployedAt = '';
  const sweep: WorldOptions['sweep'] = (url, init) => fetch(url.replace(DOMAIN, deployedAt), init);
  const world = await startSetupWorld({ sweep, ...options });
  endings.push(() => world.close());
  const hosts: Record<string, string> = { 'https://api.dify.ai': new URL(world.dify.url).origin };
  const vendors = { DINGTALK_API_URL: world.dingtalk.origin, DINGTALK_OAPI_URL: world.dingtalk.origin };
  let app: App | null = null;
  const running = new Set<Promise<unknown>>();
  const host = await startHost({
    port: 0,
    hostname: '127.0.0.1',
    handle: async (request, platform) => {
      app ??= functionOf(deployed(world));
      const waitUntil = (work: Promise<void>) => {
        const ended: Promise<void> = work.finally(() => void running.delete(ended));
        running.add(ended);
        platform.waitUntil(work);
      };
      return app.handle(request, { ...platform, waitUntil });
    },
  });
  endings.push(() => host.close(0));
  hosts[DOMAIN] = host.url;
  deployedAt = host.url;
  function functionOf(env: Record<string, string>): App {
    return createApp({
      env: { ...env, ...vendors },
      fetch: (url, init) => {
        const { origin, pathname, search } = new URL(url);
        return fetch(`${hosts[origin] ?? origin}${pathname}${search}`, init);
      },
      createMemoryState,
      openStream,
      writeLog: () => undefined,
    });
  }
  hosts['https://qstash.upstash.io'] = world.qstash.origin;
  const env = { FAKE_HOSTS: JSON.stringify(hosts) };
  return {
    world,
    functionOf,
    callbackUrl: `${host.url}/api/dingtalk`,
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
    run: (script: Script, args: string[] = []) => runOnTerminal(world, script, { env, args }),
  };
}

/** What Vercel gave the function, with a store within the process in place of the one of the integration. */
function deployed(world: SetupWorld): Record<string, string> {
  const { KV_REST_API_URL: _url, KV_REST_API_TOKEN: _token, ...env } = world.vercel().deployments.at(-1) ?? {};
  return env;
}

const DIFY: Script = [
  ['Address of the Dify API', ''],
  ['Key of the app', API_KEY],
];

const cards = ({ dingtalk }: SetupWorld) => [...dingtalk.cards.values()];
const lastOf = (output: string) =>
  /Questions answered: (\d+). Pages: (\d+). Values pasted: (\d+)/.exec(output)?.slice(1).map(Number);

/** Processes on a busy machine. */
const SLOW = { timeout: 120_000 };

describeWith('script', 'npm run setup on a terminal', () => {
  test('Vercel, with dws and its command line: from a scan to an answer on a card', SLOW, async () => {
    const { world, run, callbackUrl, settled } = await stage();
    const { qstash } = world;
    const { code, output, left } = await run([
      ['1, 2 or 3', '1'],
      ['Template id', TEMPLATE],
      ...DIFY,
      [/vercel deploy --prod --yes[\s\S]*Run exactly these commands/, 'y'],
      ['QSTASH_TOKEN (not shown', QSTASH_TOKEN],
      [/dev app robot config[\s\S]*Run exactly these commands/, 'y'],
      [/dev app version publish[\s\S]*Run exactly these commands/, 'y'],
    ]);
    expect({ code, left, output }).toMatchObject({ code: 0, left: [] });
    expect(output).toContain('Nothing is left to do');
    // With a scan: the schedule is one more of each than the rest asks, and may be left for later.
    expect(lastOf(output)).toEqual([8, 2, 3]);
    const [schedule] = qstash.schedules.values();
    expect(schedule).toMatchObject({ destination: `${DOMAIN}/api/dingtalk?sweep`, method: 'GET', cron: '*/2 * * * *' });
    // What it forwards opens the sweep of the deployment.
    await qstash.fire();
    expect(
      [...qstash.schedules.values()].map(({ lastScheduleStates }) => Object.values(lastScheduleStates ?? {})),
    ).toEqual([['SUCCESS']]);
    expect(world.written()).toMatchObject({
      DINGTALK_CLIENT_ID: CLIENT_ID,
      DINGTALK_CLIENT_SECRET: CLIENT_SECRET,
      DINGTALK_CARD_TEMPLATE_ID: TEMPLATE,
      DINGTALK_CARD_BUTTONS: 'true',
      DIFY_API_KEY: API_KEY,
      PUBLIC_URL: DOMAIN,
    });
    expect(world.dws()).toMatchObject({
      robot: { status: 'ONLINE', mode: 'HTTPS', url: `${DOMAIN}/api/dingtalk`, name: '小助手' },
      versions: [{ status: 'RELEASE' }],
    });
    expect(world.registration.violations).toEqual([]);
    expect(cards(world).map(({ phase }) => phase)).toEqual(['finished', 'failed']);
    expect(world.log('dws').every(({ track, stdin }) => track === '1' && stdin === 'closed')).toBe(true);
    expectNoSecret(world, output);
    // The deployment answers a person.
    world.dingtalk.clear();
    await world.dingtalk.deliver(callbackUrl, world.dingtalk.callback({ from: 'staff-1', text: '你好' }));
    await settled();
    expect(cards(world).map(({ phase }) => phase)).toEqual(['finished']);
  });

  test('Stream mode without a public address, with dws', SLOW, async () => {
    const { world, run, functionOf } = await stage({ vercel: null });
    const { code, output, left } = await run([
      ['1, 2 or 3', '2'],
      ['Template id', TEMPLATE],
      ...DIFY,
      [/dev app permission add[\s\S]*Run exactly these commands/, 'y'],
      [/dev app version publish[\s\S]*Run exactly these commands/, 'y'],
    ]);
    expect({ code, left, output }).toMatchObject({ code: 0, left: [] });
    expect(lastOf(output)).toEqual([6, 2, 2]);
    expect(output).toContain('docker compose up');
    expect(cards(world).map(({ phase }) => phase)).toEqual(['finished', 'failed']);
    expect(world.dws().robot).toMatchObject({ status: 'ONLINE', mode: 'STREAM' });
    expectNoSecret(world, output);
    const app = functionOf(world.written() as Record<string, string>);
    expect(app.ok).toBe(true);
  });

  test('Stream mode by pages, with dws missing: the first person who writes gets the card', SLOW, async () => {
    const { world, run } = await stage({ dws: null, vercel: null });
    const person = async () => {
      await expect.poll(() => world.gateway.connections().length, { timeout: 110_000 }).toBe(1);
      await world.dingtalk.deliver(
        world.gateway.callbackUrl,
        world.dingtalk.callback({ from: 'staff-2', text: 'hello' }),
      );
    };
    const [{ code, output, left }] = await Promise.all([
      run([
        ['1, 2 or 3', '2'],
        ['Template id', TEMPLATE],
        ...DIFY,
        [/权限管理[\s\S]*Enter: done/, ''],
        [/Stream 模式[\s\S]*Enter: done/, ''],
        [/创建新版本[\s\S]*Enter: done/, ''],
      ]),
      person(),
    ]);
    expect({ code, left, output }).toMatchObject({ code: 0, left: [] });
    expect(output).toContain('npm install --global dingtalk-workspace-cli');
    expect(output).toContain('李雷 wrote to the robot');
    expect(lastOf(output)).toEqual([7, 3, 2]);
    expect(cards(world).map(({ phase, space }) => [phase, space.id])).toEqual([
      ['finished', 'staff-2'],
      ['failed', 'staff-2'],
    ]);
    expectNoSecret(world, output);
  });

  test('Ctrl+C keeps what was answered, for its owner alone; the next run goes on', SLOW, async () => {
    const { world, run } = await stage({ vercel: null });
    const first = await run([
      ['1, 2 or 3', '2'],
      ['Template id', '\u0003'],
    ]);
    expect(first.output).toContain('kept in .env.setup');
    const kept = join(world.cwd, '.env.setup');
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(existsSync(join(world.cwd, '.env'))).toBe(false);
    expectNoSecret(world, first.output);
    const second = await run(
      [
        ['模板 ID', TEMPLATE],
        ['Dify API 地址', ''],
        ['应用的密钥', API_KEY],
        [/permission add[\s\S]*执行且仅执行/, 'y'],
        [/version publish[\s\S]*执行且仅执行/, 'y'],
      ],
      ['--lang', 'zh-CN'],
    );
    expect(second).toMatchObject({ code: 0, left: [] });
    expect(second.output).toContain('从上次中断的地方继续');
    expect(second.output).toContain('全部完成');
    expect(second.output).not.toContain('扫描二维码');
    expect(world.registration.codes).toBe(1);
    expect(existsSync(kept)).toBe(false);
    expectNoSecret(world, second.output);
  });

  test('Ctrl+C in a dry run names no file of answers', SLOW, async () => {
    const { run } = await stage({ vercel: null });
    const { code, output } = await run([['Client ID', '\u0003']], ['--dry-run']);
    expect([code, output.includes('nothing was written'), output.includes('.env.setup')]).toEqual([1, true, false]);
  });
});

function expectNoSecret(world: SetupWorld, output: string): void {
  expect(output).not.toContain(MARK);
  expect(world.exposed()).toEqual([]);
}

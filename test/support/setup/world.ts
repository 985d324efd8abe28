// Everything that set-up meets, on loopback and as programs on PATH, with marks in all that is secret.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import type { DingTalkOptions } from '../../../playground/dingtalk/types.ts';
import type { SampleApp } from '../../../playground/dify/types.ts';
import { createStreamGateway } from '../../../playground/dingtalk/stream-gateway.ts';
import { createQstashSimulator, type QstashOptions } from '../qstash.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { startVendors, TEMPLATE } from '../bridge.ts';
import { compiled } from '../script.ts';
import type { DwsWorld } from './dws.ts';
import type { VercelWorld } from './vercel.ts';
import { createRegistration, startRegistrationServer, type RegistrationOptions } from './registration.ts';

export const MARK = 'marked';
export const CLIENT_ID = 'dingclientid0001';
export const CLIENT_SECRET = `${MARK}-client-secret`;
export const API_KEY = `app-${MARK}-dify-key`;
const STORE_TOKEN = `${MARK}-store-token`;
export const QSTASH_TOKEN = `${MARK}-qstash-token`;
export const DOMAIN = 'https://bot.example.com';
export { TEMPLATE };

export interface WorldOptions {
  dws?: Partial<DwsWorld> | null;
  vercel?: Partial<VercelWorld> | null;
  registration?: Partial<RegistrationOptions>;
  app?: Partial<SampleApp>;
  /** Other apps of the Dify, by their keys. */
  apps?: Record<string, Partial<SampleApp> & Pick<SampleApp, 'mode'>>;
  dingtalk?: Partial<DingTalkOptions>;
  /** Carries the requests of the schedule. */
  sweep?: QstashOptions['fetch'];
}

const program = fileURLToPath(new URL('./fake-program.ts', import.meta.url));

export async function startSetupWorld(options: WorldOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'setup-world-'));
  const home = join(directory, 'home');
  const bin = join(directory, 'bin');
  const cwd = join(directory, 'clone');
  for (const folder of [home, bin, cwd]) mkdirSync(folder);
  const app = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
  const gateway = await createStreamGateway({ app });
  const { dingtalk, dify } = await startVendors(
    {
      dingtalk: { app, stream: gateway, ...options.dingtalk },
      dify: { apps: { [API_KEY]: { mode: 'chat', name: 'Helpful', ...options.app }, ...options.apps } },
    },
    systemClock,
  );
  const qstash = await createQstashSimulator({
    token: QSTASH_TOKEN,
    clock: systemClock,
    fetch: options.sweep ?? (() => Promise.resolve(new Response('{}'))),
  });
  const registration = createRegistration({ scans: [{ kind: 'app', ...app }], ...options.registration });
  const oapi = await startRegistrationServer(registration, dingtalk.origin);
  const put = (name: string, world: object | null) => {
    if (world === null) return;
    writeFileSync(join(home, `${name}.json`), JSON.stringify({ ...world, log: join(home, `${name}.log`) }));
    const file = join(bin, name);
    const command = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      program,
      name,
      join(home, `${name}.json`),
    ];
    writeFileSync(file, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
    chmodSync(file, 0o755);
  };
  const dws: Omit<DwsWorld, 'log'> = {
    version: 'v1.0.59',
    loggedIn: true,
    organisation: 'Example Ltd',
    userId: 'staff-1',
    app: { appKey: CLIENT_ID, appSecret: CLIENT_SECRET, name: '小助手', unifiedAppId: 'uni-1' },
    permissions: {
      'Card.Instance.Write': { authed: true },
      'Contact.User.mobile': { authed: false, requiredApproval: true },
      'Card.Streaming.Write': { authed: false },
      qyapi_robot_sendmsg: { authed: true },
    },
    robot: { status: 'ONLINE', mode: 'STREAM', url: null, name: '小助手' },
    tellsAddress: false,
    versions: [],
    approver: null,
    consents: 0,
  };
  const vercel: Omit<VercelWorld, 'log'> = {
    user: 'someone',
    linked: false,
    variables: { KV_REST_API_URL: 'https://store.example.com', KV_REST_API_TOKEN: STORE_TOKEN },
    domains: ['bridge.vercel.app', 'bot.example.com'],
    deployments: [],
  };
  put('dws', options.dws === null ? null : { ...dws, ...options.dws });
  put('vercel', options.vercel === null ? null : { ...vercel, ...options.vercel });
  const read = (name: string) => JSON.parse(readFileSync(join(home, `${name}.json`), 'utf8')) as unknown;
  const log = (name: string) => {
    const file = join(home, `${name}.log`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    return lines.map((line) => JSON.parse(line) as { args: string[]; env: string[]; track?: string; stdin?: string });
  };
  return {
    cwd,
    dingtalk,
    dify,
    gateway,
    qstash,
    registration,
    env: {
      ...compiled,
      HOME: home,
      PATH: `${bin}:/usr/bin:/bin`,
      LANG: 'en_GB.UTF-8',
      TERM: 'xterm',
      DINGTALK_API_URL: dingtalk.origin,
      DINGTALK_OAPI_URL: oapi.origin,
    } as Record<string, string>,
    dws: () => read('dws') as DwsWorld,
    vercel: () => read('vercel') as VercelWorld,
    /** Changes what a program's next run meets. */
    change(name: 'dws' | 'vercel', changes: object) {
      writeFileSync(join(home, `${name}.json`), JSON.stringify({ ...(read(name) as object), ...changes }));
    },
    log,
    written: () => {
      const file = join(cwd, '.env');
      const all = existsSync(file) ? Object.entries(parseEnv(readFileSync(file, 'utf8'))) : [];
      return Object.fromEntries(all.filter(([, value]) => value !== ''));
    },
    /** Every place that may hold a secret by mistake: command lines, logs, and files that others may read. */
    exposed(): string[] {
      const found: string[] = [];
      for (const name of ['dws', 'vercel']) {
        for (const { args, env } of log(name)) {
          if (args.some((arg) => arg.includes(MARK))) found.push(`${name} ${args.join(' ')}`);
          if (env.some((variable) => /^(?:DINGTALK|DIFY|UPSTASH|KV|CRON)_/.test(variable)))
            found.push(`${name}: environment`);
        }
      }
      for (const file of readdirSync(cwd, { recursive: true, encoding: 'utf8' })) {
        const path = join(cwd, file);
        if (!statSync(path).isFile()) continue;
        const isOpen = (statSync(path).mode & 0o077) !== 0;
        if (isOpen && readFileSync(path, 'utf8').includes(MARK)) found.push(path);
      }
      return found;
    },
    async close() {
      await Promise.all([dingtalk.close(), dify.close(), gateway.close(), oapi.close(), qstash.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type SetupWorld = Awaited<ReturnType<typeof startSetupWorld>>;

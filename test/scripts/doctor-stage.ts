// Everything the doctor looks at, on loopback: both vendors, a store and a deployment, each with marked secrets.
import { createApp } from '../../lib/app.ts';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import type { Environment } from '../../lib/config/config.ts';
import { createTcpRedis } from '../../lib/state/redis/tcp.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifyOptions, DifySimulator, DifyVersion, SampleApp } from '../../playground/dify/types.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import { createStreamGateway, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import type { DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import type { DoctorRequest } from '../../scripts/doctor/check.ts';
import { jsonReport, readableReport } from '../../scripts/doctor/report.ts';
import { runDoctor, type CheckedFinding, type Report } from '../../scripts/doctor/run.ts';
import type { RunCommand } from '../../scripts/setup/command.ts';
import { startHost } from '../../scripts/host.ts';
import { createQstashSimulator, type QstashSimulator } from '../support/qstash.ts';
import type { UpstashFront } from '../support/upstash-front.ts';

/** In every secret, and in nothing else. */
export const MARK = 'MARKED';
export const TEMPLATE = 'template-1.schema';
export const BOT = 'https://bot.example.com';
export const CLIENT_ID = 'dingabcdefgh12345678';
const CLIENT_SECRET = `${MARK}-client-secret`;
const API_KEY = `app-${MARK}-dify-key`;
const CRON_SECRET = `${MARK}-cron-secret`;
export const QSTASH_TOKEN = `${MARK}-qstash-token`;
export const STORE_TOKEN = `${MARK}-store-token`;

export interface StageOptions {
  front: UpstashFront;
  app?: Partial<SampleApp>;
  /** Changes the deployment's environment. */
  deployed?: Environment;
  /** The deployment speaks http where https is expected. */
  isPlainHttp?: boolean;
  /** Of the Dify. */
  version?: DifyVersion;
  behaviour?: DifyOptions['behaviour'];
  /** The deployment's. */
  clock?: Clock;
  /** Headers that a proxy in front of the deployment loses. */
  lostHeaders?: readonly string[];
  /** What answers in place of the function. */
  instead?: (request: Request) => Response;
}

export interface RunOptions {
  env?: Environment;
  request?: Partial<DoctorRequest>;
  clock?: Clock;
  nodeVersion?: string;
  /** What `dws` says of the robot in the console; without it `dws` is not there. */
  console?: { robotStatus: string; mode: string; outgoingUrl?: string };
}

export interface Stage {
  dingtalk: DingTalkSimulator;
  dify: DifySimulator;
  gateway: StreamGateway;
  qstash: QstashSimulator;
  front: UpstashFront;
  /** Where the deployment really is. */
  url: string;
  run(options?: RunOptions): Promise<{ findings: CheckedFinding[]; report: Report; output: string }>;
  close(): Promise<void>;
}

export async function openStage(setting: StageOptions): Promise<Stage> {
  const { front, app, version, behaviour, deployed, isPlainHttp, clock, lostHeaders = [], instead } = setting;
  let ids = 0;
  const gateway = await createStreamGateway({ app: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET } });
  const dingtalk = await createDingTalkSimulator({
    stream: gateway,
    app: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
    // Among these ids is the access token.
    createId: () => `${MARK}-${(ids += 1)}-${crypto.randomUUID()}`,
    templates: { [TEMPLATE]: { published: true, variables: ['content'], failedState: true } },
    people: [{ staffId: 'staff-1', unionId: 'union-1', nick: '王小明' }],
  });
  const dify = await createDifySimulator({
    apps: { [API_KEY]: { mode: 'chat', name: 'helper', ...app } },
    ...(version ? { version } : {}),
    ...(behaviour ? { behaviour } : {}),
  });
  const env: Environment = {
    DINGTALK_CLIENT_ID: CLIENT_ID,
    DINGTALK_CLIENT_SECRET: CLIENT_SECRET,
    DINGTALK_CARD_TEMPLATE_ID: TEMPLATE,
    DINGTALK_API_URL: dingtalk.origin,
    DINGTALK_OAPI_URL: dingtalk.origin,
    DIFY_API_URL: dify.url,
    DIFY_API_KEY: API_KEY,
    UPSTASH_REDIS_REST_URL: front.url,
    UPSTASH_REDIS_REST_TOKEN: front.token,
    CRON_SECRET,
    VERCEL_AUTOMATION_BYPASS_SECRET: `${MARK}-bypass`,
    PUBLIC_URL: BOT,
  };
  const bridge = createApp({ env: { ...env, ...deployed }, ...(clock ? { clock } : {}), writeLog: () => undefined });
  const host = await startHost({
    port: 0,
    hostname: '127.0.0.1',
    handle: async (request, platform) => {
      for (const name of lostHeaders) request.headers.delete(name);
      return instead?.(request) ?? bridge.handle(request, platform);
    },
  });

  const qstash = await createQstashSimulator({
    token: QSTASH_TOKEN,
    readOnlyToken: `${QSTASH_TOKEN}-read-only`,
    clock: systemClock,
    fetch: (url, init) => globalThis.fetch(url.replace(BOT, host.url), init),
  });

  return {
    dingtalk,
    dify,
    gateway,
    qstash,
    front,
    url: host.url,
    async run(options = {}) {
      const hosts: Record<string, string> = {
        [BOT]: isPlainHttp ? host.url.replace('http:', 'https:') : host.url,
        'https://bot.vercel.app': host.url,
        'https://dify.example.com': dify.origin,
      };
      const given = { ...env, DIFY_API_URL: 'https://dify.example.com/v1', QSTASH_URL: qstash.origin, ...options.env };
      const report = await runDoctor(
        {
          env: given,
          fetch: (url, init) => {
            const { origin } = new URL(url);
            return globalThis.fetch(`${hosts[origin] ?? origin}${url.slice(origin.length)}`, init);
          },
          clock: options.clock ?? systemClock,
          newId: () => crypto.randomUUID(),
          connectRedis: (url) => createTcpRedis({ url, clock: systemClock }),
          nodeVersion: options.nodeVersion ?? 'v24.11.1',
          runCommand: dwsOf(options.console ?? null),
        },
        { origin: null, robotName: null, cardTo: null, ...options.request },
      );
      if (!report.ok) return { findings: [], report, output: report.reason };
      const findings = report.sections.flatMap((section) => section.findings);
      return {
        findings,
        report,
        output: `${readableReport(report, { isColoured: true, showsAll: true })}\n${jsonReport(report)}`,
      };
    },
    async close() {
      await host.close(2_000);
      await Promise.all([dingtalk.close(), dify.close(), gateway.close(), qstash.close()]);
    },
  };
}

/** Answers as DingTalk's `dws` does. The app's answer holds its secret. */
const dwsOf =
  (robot: NonNullable<RunOptions['console']> | null): RunCommand =>
  async (_program, args) => {
    const command = args.join(' ');
    const say = (body: object) => ({ code: 0, stdout: JSON.stringify(body), stderr: '' });
    const done = (data: object) => say({ ok: true, outcome: 'success', data });
    if (robot === null) return { code: null, stdout: '', stderr: '' };
    if (command.startsWith('version')) return say({ version: '1.0.58' });
    if (command.startsWith('auth status')) return say({ authenticated: true, token_valid: true, corp_id: 'corp' });
    if (command.startsWith(`dev app get --app-key ${CLIENT_ID}`)) {
      return done({ unifiedAppId: 'app-1', name: 'helper', appSecret: CLIENT_SECRET });
    }
    return command.startsWith('dev app robot get --unified-app-id app-1')
      ? done(robot)
      : { code: 3, stdout: '', stderr: '' };
  };

/** A clock that is off by so many minutes. */
export const clockOffBy = (minutes: number): Clock => ({
  ...systemClock,
  now: () => systemClock.now() + minutes * 60_000,
});

/** What answers in place of a function or of Dify: as a rule a web page. */
export const page =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  () =>
    new Response(body, { status, headers: { 'content-type': 'text/html', ...headers } });

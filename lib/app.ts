import { createLimiter, type Limiter } from './delivery/limiter.ts';
import { createDify, nameOfApp } from './dify/dify.ts';
import { createDingTalk } from './dingtalk/dingtalk.ts';
import type { OpenStream, Stream } from './dingtalk/stream/stream.ts';
import {
  describeProblems,
  placeOf,
  readConfig,
  type Config,
  type ConfigResult,
  type Environment,
} from './config/config.ts';
import type { RobotConfig } from './config/robot.ts';
import type { ConfigProblem } from './config/settings.ts';
import { REQUEST_ERROR_STATUS } from './errors.ts';
import { createDownload, type Download } from './net/download.ts';
import { createFetch } from './net/fetch.ts';
import type { Fetch } from './net/http.ts';
import { createReceiver, receiveFrames, sweepRobots } from './receiver.ts';
import { createRecovery } from './recovery/recover.ts';
import { createRobot } from './robot/robot.ts';
import { pathOf } from './routes.ts';
import { createAcknowledgements } from './runtime/acknowledgements.ts';
import { systemClock, type Clock } from './runtime/clock.ts';
import { createLog, errorFields, withFields, type Log } from './runtime/log.ts';
import { limitPlatform, type Platform } from './runtime/platform.ts';
import { withFallback } from './state/fallback.ts';
import { STORE_TIMEOUT_MS } from './state/redis/failure.ts';
import { createRedisState } from './state/redis/redis.ts';
import type { RunScript } from './state/redis/run-script.ts';
import { createUpstash } from './state/redis/upstash.ts';
import type { State } from './state/state.ts';
import { textsFor } from './texts/index.ts';
import { createHandover } from './turn/handover.ts';
import { LEASE_TIMING, type LeaseTiming } from './turn/lease-timing.ts';

/** The function: a request in, a response out, and work that goes on after it. */
export type Handle = (request: Request, platform: Platform) => Promise<Response>;

export type App = RunningApp | { ok: false; problems: readonly ConfigProblem[]; handle: Handle };

export interface RunningApp {
  ok: true;
  config: Config;
  handle: Handle;
  /** Takes over the turns whose function died, of all robots. Never rejects. */
  sweep(platform: Platform): Promise<void>;
  /** Opens the Stream connections of the robots that have one. Messages then come to this process. */
  connect(platform: Platform): void;
  /** Closes them; resolves when no message comes any more. Never rejects. */
  disconnect(): Promise<void>;
  /** Ends what is being answered here: left on record for others where the store outlives the process. */
  shutDown(): void;
}

/** What a host can choose; everything has the default of a deployed function. */
export interface AppOptions {
  env: Environment;
  clock?: Clock;
  /** For the calls of DingTalk and Dify; the store has its own. */
  fetch?: Fetch;
  newId?: () => string;
  /** How files are fetched; in tests that must reach no network. */
  download?: Download;
  writeLog?: (line: string) => void;
  /**
   * The in-process store of one robot, used when no Redis is configured. Without it a Redis is required. The function on
   * Vercel never uses this store or the TCP client below, so the host hands them in and neither is deployed there.
   */
  createMemoryState?: (clock: Clock) => State;
  /** The TCP client, for REDIS_URL. */
  connectRedis?: (url: string) => RunScript;
  /** For DINGTALK_CONNECTION=stream. */
  openStream?: OpenStream;
  /** How soon a function that died is noticed; shorter in tests. */
  leaseTiming?: LeaseTiming;
  /** How long the store may take over HTTP, in milliseconds of `clock`; longer in tests whose clock is fast. */
  storeTimeoutMs?: number;
  /** The store's time at this time of the instance. Default: that of Redis, or, with a `clock`, the time of that clock. */
  storeTime?: (nowMs: number) => number;
}

/** Puts the function together. The only place that chooses implementations. */
export function createApp(options: AppOptions): App {
  const { clock = systemClock, writeLog = (line) => process.stdout.write(`${line}\n`) } = options;
  const result = readHostConfig(options);
  if (!result.ok) {
    createLog(clock, 'error', writeLog).error('not_configured', {
      code: 'not_configured',
      problems: describeProblems(result.problems).replaceAll('\n', '; '),
    });
    return { ok: false, problems: result.problems, handle: refuseAll(result.problems) };
  }
  const { config } = result;
  const log = createLog(clock, config.logLevel, writeLog);
  const fetch = options.fetch ?? createFetch();
  const storeOf = chooseStore(config, options, clock, log);
  const newId = options.newId ?? (() => crypto.randomUUID());
  const shutdown = new AbortController();
  const limiterOf = createLimiters(clock);
  const robots = new Map(
    config.robots.map((robot) => {
      const state = storeOf(robot);
      const dify = createDify(robot.dify, { fetch, clock, log });
      return [
        robot.name,
        createRobot({
          config: robot,
          texts: textsFor(robot.language),
          chat: createDingTalk(robot.dingtalk, {
            address: `${config.publicUrl}${pathOf(robot.name)}`,
            tokens: state.tokens,
            flags: state.flags,
            fetch,
            clock,
            log,
          }),
          dify,
          recovery: createRecovery({ records: dify.records, clock, log }),
          download: options.download ?? createDownload({ clock, trustedHosts: hostsOf(robot) }),
          state,
          handover: createHandover({
            publicUrl: config.publicUrl,
            robotName: robot.name,
            secrets: robot.dingtalk.clientSecrets,
            bypassSecret: config.protectionBypass,
            fetch,
            clock,
            storeTime: (nowMs) => state.storeTime(nowMs),
          }),
          limiter: limiterOf(robot),
          leaseTiming: options.leaseTiming ?? LEASE_TIMING,
          clock,
          newId,
          log,
          shutdown: shutdown.signal,
        }),
      ];
    }),
  );
  const { openStream } = options;
  const streams = new Map<string | null, Stream>();
  const streamStatus = (name: string | null) => streams.get(name)?.status() ?? null;
  const acknowledgements = createAcknowledgements(clock);
  const { cronSecret } = config;
  const receive = createReceiver({ robots, cronSecret, streamStatus, acknowledgements, clock, log });
  const { maxDurationMs } = config;
  const limited = (platform: Platform) => limitPlatform(platform, { maxDurationMs, clock, log });
  return {
    ok: true,
    config,
    handle: (request, platform) => receive(request, limited(platform)),
    async sweep(platform) {
      try {
        await sweepRobots(robots, null, limited(platform));
      } catch (error) {
        log.warn('sweep_failed', errorFields(error));
      }
    },
    connect(platform) {
      // A connection is no invocation, so nothing limits it.
      const unlimited = limitPlatform(platform, { maxDurationMs: null, clock, log });
      for (const [name, robot] of robots) {
        const { dingtalk } = robot.config;
        if (dingtalk.connection !== 'stream' || !openStream || streams.has(name)) continue;
        const own = withFields(log, { robot: name });
        const callbacks = receiveFrames(robot, { platform: unlimited, acknowledgements, clock, log: own });
        streams.set(name, openStream({ config: dingtalk, callbacks, fetch, clock, log: own }));
      }
    },
    async disconnect() {
      await Promise.all([...streams.values()].map((stream) => stream.close()));
    },
    shutDown: () => shutdown.abort(),
  };
}

/** The limit is the DingTalk app's, however many robots share it. */
function createLimiters(clock: Clock): (robot: RobotConfig) => Limiter {
  const limiters = new Map<string, Limiter>();
  return ({ dingtalk: { clientId, callsPerSecond } }) => {
    const limiter = limiters.get(clientId) ?? createLimiter({ clock, callsPerSecond });
    limiters.set(clientId, limiter);
    return limiter;
  };
}

/** The configuration, as far as this host can do what it asks for. */
function readHostConfig({ env, createMemoryState, connectRedis, openStream }: AppOptions): ConfigResult {
  const result = readConfig(env);
  if (!result.ok) return result;
  const { kind } = result.config.store;
  if (kind === 'redis' && !connectRedis) {
    const expected = 'to be unset here: only npm run serve connects to Redis over TCP';
    return { ok: false, problems: [{ variable: 'REDIS_URL', expected }] };
  }
  if (kind === 'memory' && !createMemoryState) {
    const expected = 'a value; this host has no in-process store';
    return { ok: false, problems: [{ variable: 'UPSTASH_REDIS_REST_URL', expected }] };
  }
  const { robots } = result.config;
  const streaming = openStream ? [] : robots.filter(({ dingtalk }) => dingtalk.connection === 'stream');
  if (streaming.length > 0) {
    const expected = 'http here: stream needs a process that keeps a connection open (npm run serve), a function ends';
    const problems = streaming.map((robot) => ({ variable: placeOf('DINGTALK_CONNECTION', robot, robots), expected }));
    return { ok: false, problems };
  }
  return result;
}

/** The state of each robot, by client id. */
function chooseStore({ store }: Config, options: AppOptions, clock: Clock, log: Log): (robot: RobotConfig) => State {
  const { createMemoryState, connectRedis, storeTimeoutMs: timeoutMs = STORE_TIMEOUT_MS } = options;
  if (store.kind === 'memory' && createMemoryState) {
    log.warn('store_in_process', { code: 'store_in_process' });
    return () => createMemoryState(clock);
  }
  let runScript: RunScript | undefined;
  if (store.kind === 'upstash') {
    runScript = createUpstash({ url: store.url, token: store.token, fetch: createFetch(), clock, timeoutMs });
  }
  if (store.kind === 'redis') runScript = connectRedis?.(store.url);
  if (!runScript) throw new Error('readHostConfig lets no such store through');
  const time = options.storeTime ?? (options.clock ? (nowMs: number) => nowMs : null);
  return ({ dingtalk: { clientId }, dify }) =>
    withFallback(createRedisState(runScript, { clientId, app: nameOfApp(dify), time }), clock, log);
}

function refuseAll(problems: readonly ConfigProblem[]): Handle {
  const body = `This deployment is not configured:\n${describeProblems(problems)}\n`;
  return async () =>
    new Response(body, {
      status: REQUEST_ERROR_STATUS.not_configured,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
}

/** The hosts that an operator has named: files may be fetched from them wherever they are. */
function hostsOf({ dingtalk, dify }: RobotConfig): ReadonlySet<string> {
  return new Set([dingtalk.apiUrl, dingtalk.oapiUrl, dify.apiUrl, dify.filesUrl].map((url) => new URL(url).host));
}

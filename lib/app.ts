import { describeProblems, readConfig, type Config, type ConfigResult, type Environment } from './config/config.ts';
import type { RobotConfig } from './config/robot.ts';
import type { ConfigProblem } from './config/settings.ts';
import { createLimiter, type Limiter } from './delivery/limiter.ts';
import { createDifyClient } from './dify/ask.ts';
import { createDifyFiles } from './dify/files.ts';
import { getForm, submitForm } from './dify/forms.ts';
import { rate, suggestedQuestions } from './dify/messages.ts';
import { followRun, stopRun } from './dify/runs.ts';
import { createCardBreaker } from './dingtalk/card-breaker.ts';
import { createCardCallback, streamCallback } from './dingtalk/card-callback.ts';
import { createDingTalkClient } from './dingtalk/client.ts';
import { REQUEST_ERROR_STATUS } from './errors.ts';
import { createDownload } from './net/download.ts';
import type { Fetch } from './net/http.ts';
import { createReceiver, sweepRobots } from './receiver.ts';
import { createDifyRecovery } from './recovery/recover.ts';
import { createRobot } from './robot/robot.ts';
import { pathOf } from './routes.ts';
import { systemClock, type Clock } from './runtime/clock.ts';
import { createLog, errorFields, type Log } from './runtime/log.ts';
import type { Platform } from './runtime/platform.ts';
import { withFallback } from './state/fallback.ts';
import { createMemoryState } from './state/memory/memory.ts';
import { createRedisState, type RunScript } from './state/redis/redis.ts';
import { createUpstash } from './state/redis/upstash.ts';
import type { State } from './state/state.ts';
import { textsFor } from './texts/index.ts';
import { createHandover } from './turn/handover.ts';
import { LEASE_TIMING, type LeaseTiming } from './turn/lease.ts';

/** The function: a request in, a response out, and work that goes on after it. */
export type Handle = (request: Request, platform: Platform) => Promise<Response>;

export type App = RunningApp | { ok: false; problems: readonly ConfigProblem[]; handle: Handle };

export interface RunningApp {
  ok: true;
  config: Config;
  handle: Handle;
  /** Takes over the turns whose function died, of all robots. Never rejects. */
  sweep(platform: Platform): Promise<void>;
  /** Ends what is being answered here: left on record for others where the store outlives the process. */
  shutDown(): void;
}

/** What a host can choose; everything has the default of a deployed function. */
export interface AppOptions {
  env: Environment;
  clock?: Clock;
  fetch?: Fetch;
  newId?: () => string;
  writeLog?: (line: string) => void;
  /** Wraps or replaces the store of a robot, for a host that wants to watch it. */
  adaptState?: (state: State, robot: RobotConfig) => State;
  /** For REDIS_URL. The deployed function has no TCP client: it would be carried along for nothing. */
  connectRedis?: (url: string) => RunScript;
  /** Where the buttons of cards go: to the registered address, or through the app's Stream connection. */
  cardCallback?: 'http' | 'stream';
  /** How soon a function that died is noticed; shorter in tests. */
  leaseTiming?: LeaseTiming;
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
  const storeOf = chooseStore(config, options, clock, log);
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const newId = options.newId ?? (() => crypto.randomUUID());
  const shutdown = new AbortController();
  // The limit is the DingTalk app's, however many robots share it.
  const limiters = new Map<string, Limiter>();
  const limiterOf = ({ dingtalk: { clientId, callsPerSecond } }: RobotConfig): Limiter => {
    const traffic = limiters.get(clientId) ?? createLimiter({ clock, callsPerSecond });
    limiters.set(clientId, traffic);
    return traffic;
  };
  const robots = new Map(
    config.robots.map((robot) => {
      const state = storeOf(robot.dingtalk.clientId);
      const dingtalk = createDingTalkClient(robot.dingtalk, fetch, clock, state.tokens);
      const download = createDownload({ clock, trustedHosts: hostsOf(robot) });
      return [
        robot.name,
        createRobot({
          config: robot,
          texts: textsFor(robot.language),
          dingtalk,
          dify: createDifyClient(robot.dify, fetch, clock, log),
          recovery: createDifyRecovery(robot.dify, fetch, clock, log),
          stopRun: (task) => stopRun(robot.dify, fetch, clock, task),
          rateAnswer: (rated) => rate(robot.dify, fetch, clock, rated),
          suggest: (messageId, user) =>
            suggestedQuestions(robot.dify, fetch, clock, { messageId, user }, shutdown.signal),
          forms: {
            get: (token) => getForm(robot.dify, fetch, clock, token),
            submit: (filled) => submitForm(robot.dify, fetch, clock, filled),
            follow: (runId, user, signal) =>
              followRun(robot.dify, fetch, clock, { runId, user, withSnapshot: false, signal }),
          },
          download,
          difyFiles: createDifyFiles(robot.dify, fetch, clock),
          callback:
            options.cardCallback === 'stream'
              ? streamCallback
              : createCardCallback({
                  client: dingtalk,
                  config: robot.dingtalk,
                  address: `${config.publicUrl}${pathOf(robot.name)}`,
                  marks: state.marks,
                  clock,
                  onFailed: (error) => log.warn('callback_not_registered', callbackFields(error)),
                }),
          state: options.adaptState?.(state, robot) ?? state,
          handover: createHandover({
            publicUrl: config.publicUrl,
            robotName: robot.name,
            secrets: robot.dingtalk.clientSecrets,
            bypassSecret: config.protectionBypass,
            fetch,
            clock,
          }),
          limiter: limiterOf(robot),
          breaker: createCardBreaker(clock),
          leaseTiming: options.leaseTiming ?? LEASE_TIMING,
          fetch,
          clock,
          newId,
          log,
          shutdown: shutdown.signal,
        }),
      ];
    }),
  );
  const receive = createReceiver({ robots, cronSecret: config.cronSecret, clock, log });
  const limitMs = config.maxDurationMs;
  const limited = (platform: Platform): Platform => {
    const ownMs = limitMs === null ? null : clock.now() + limitMs;
    const ends = [platform.deadlineMs, ownMs].filter((end) => end !== null);
    return {
      // A rejection would end the process, and with it the answers of everybody else. There should be none.
      waitUntil: (work) =>
        platform.waitUntil(work.catch((error: unknown) => log.error('background_failed', errorFields(error)))),
      deadlineMs: ends.length > 0 ? Math.min(...ends) : null,
    };
  };
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
    shutDown: () => shutdown.abort(),
  };
}

/** The configuration, as far as this host can do what it asks for. */
function readHostConfig({ env, connectRedis }: AppOptions): ConfigResult {
  const result = readConfig(env);
  if (!result.ok || result.config.store.kind !== 'redis' || connectRedis) return result;
  const expected = 'to be unset here: only npm run serve connects to Redis over TCP';
  return { ok: false, problems: [{ variable: 'REDIS_URL', expected }] };
}

/** The state of each robot, by client id. */
function chooseStore({ store }: Config, options: AppOptions, clock: Clock, log: Log): (clientId: string) => State {
  if (store.kind === 'memory') {
    log.warn('store_in_process', { code: 'store_in_process' });
    return () => createMemoryState(clock);
  }
  const runScript =
    store.kind === 'upstash'
      ? createUpstash({ url: store.url, token: store.token, clock })
      : options.connectRedis?.(store.url);
  if (!runScript) throw new Error('readHostConfig lets no such store through');
  return (clientId) => withFallback(createRedisState(runScript, clientId), clock, log);
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

function callbackFields(error: unknown) {
  const { code: cause, ...fields } = errorFields(error);
  return { ...fields, code: 'dingtalk_callback_unregistered', cause: cause ?? null };
}

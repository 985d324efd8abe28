// Many answers at once over several processes that share one Redis and the limit of one DingTalk app: the world of
// the load story and of the bench.
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { DingTalkCall, DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { startInstance, type Instance } from '../support/instance.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createUpstashFront } from '../support/upstash-front.ts';

export const LOAD = { answers: 60, processes: 3, qps: 20, roundTripMs: 80 } as const;
export const TEMPLATE = 'template-1.schema';
export const CREDENTIALS = { clientId: 'dingclientid0001', clientSecret: 'client-secret-1' };
const API_KEY = 'app-key-1';

/** The answer to the question of this number: numbered words over 6 to 8 s, so that it is streamed. */
export function answerOf(index: number): { everyMs: number; words: string[] } {
  const everyMs = 100;
  const words = Array.from({ length: 60 + (index % 21) }, (_, word) => `${word === 0 ? '' : ' '}a${index}w${word + 1}`);
  return { everyMs, words };
}

export interface LoadFigures {
  /** Calls that made or changed a card, and how many of them the limit refused. */
  calls: number;
  refused: number;
  /** From the last end at Dify to the last end of a card. */
  lastCardAfterMs: number;
  /** Cards that ended with exactly their answer. */
  exact: number;
  /** Cards that showed their answer while it grew. */
  streamed: number;
}

const isCardCall = ({ api }: DingTalkCall) => api === 'createAndDeliver' || api === 'streaming';
const isRefused = ({ code }: DingTalkCall) => code !== null && /qps/iu.test(code);

/** The simulated DingTalk of the load, for the product and for what it is compared with. */
export function startLoadedDingTalk(): Promise<DingTalkSimulator> {
  return createDingTalkSimulator({
    app: CREDENTIALS,
    templates: { [TEMPLATE]: { published: true, variables: ['content'], failedState: true } },
    people: Array.from({ length: LOAD.answers + LOAD.processes }, (_, index) => ({
      staffId: `p${index}`,
      unionId: `u${index}`,
      nick: `P${index}`,
    })),
    qps: LOAD.qps,
    latencyMs: LOAD.roundTripMs,
  });
}

/** The figures of everything that the simulated DingTalk has seen since `clear`. */
export function figuresOf(dingtalk: DingTalkSimulator, lastEndMs: number): LoadFigures {
  const calls = dingtalk.calls.filter(isCardCall);
  const cards = [...dingtalk.cards.values()];
  const expected = new Set(Array.from({ length: LOAD.answers }, (_, index) => answerOf(index).words.join('')));
  const shown = new Set(cards.filter(({ phase }) => phase === 'finished').map(({ content }) => content));
  return {
    calls: calls.length,
    refused: calls.filter(isRefused).length,
    lastCardAfterMs: Math.max(...cards.map(({ endedAt }) => endedAt ?? Infinity)) - lastEndMs,
    exact: cards.length === LOAD.answers ? [...expected].filter((text) => shown.has(text)).length : 0,
    streamed: cards.filter(({ frames }) => frames.some(({ final }) => !final)).length,
  };
}

/** 60 people ask at once, 20 of each process. */
export async function runLoad(): Promise<LoadFigures & { violations: readonly { code: string }[]; runs: number }> {
  const redis = await startRedisServer();
  const front = await createUpstashFront({ redisPort: redis.port });
  const dingtalk = await startLoadedDingTalk();
  const dify = await createDifySimulator({
    apps: {
      [API_KEY]: {
        mode: 'chat',
        name: 'helper',
        script({ text }) {
          const index = Number(/^question (\d+)$/u.exec(text)?.[1] ?? Number.NaN);
          if (Number.isNaN(index)) return { chunks: [{ text: 'warm' }] };
          const { everyMs, words } = answerOf(index);
          return { chunks: words.map((word) => ({ afterMs: everyMs, text: word })) };
        },
      },
    },
  });
  const env = {
    DINGTALK_CLIENT_ID: CREDENTIALS.clientId,
    DINGTALK_CLIENT_SECRET: CREDENTIALS.clientSecret,
    DINGTALK_CARD_TEMPLATE_ID: TEMPLATE,
    DINGTALK_API_URL: dingtalk.origin,
    DINGTALK_OAPI_URL: dingtalk.origin,
    DINGTALK_QPS: String(LOAD.qps),
    DIFY_API_URL: dify.url,
    DIFY_API_KEY: API_KEY,
    UPSTASH_REDIS_REST_URL: front.url,
    UPSTASH_REDIS_REST_TOKEN: front.token,
  };
  const instances: Instance[] = [];
  try {
    const starting = Array.from({ length: LOAD.processes }, () => startInstance({ env }));
    instances.push(...(await Promise.all(starting)));
    const ask = (instance: Instance | undefined, from: number, text: string) =>
      dingtalk.deliver(instance?.url ?? '', dingtalk.callback({ from: `p${from}`, text }));
    // Warm: each process has its token and knows the kind of app, as all but a process's first answer find it.
    await Promise.all(instances.map((instance, index) => ask(instance, LOAD.answers + index, 'warm up')));
    await until(() => endedCards(dingtalk) === LOAD.processes, 20_000);
    await new Promise<void>((resolve) => systemClock.schedule(1_500, resolve));
    dingtalk.clear();
    dify.clear();
    await Promise.all(
      Array.from({ length: LOAD.answers }, (_, index) =>
        ask(instances[index % LOAD.processes], index, `question ${index}`),
      ),
    );
    await until(() => endedCards(dingtalk) === LOAD.answers, 60_000);
    const lastEndMs = Math.max(...dify.runs.map(({ finishedAt }) => finishedAt ?? Infinity));
    return { ...figuresOf(dingtalk, lastEndMs), violations: [...dingtalk.violations], runs: dify.runs.length };
  } finally {
    await Promise.all(instances.map((instance) => instance.kill()));
    await Promise.all([dingtalk.close(), dify.close(), front.close()]);
    await redis.close();
  }
}

const endedCards = ({ cards }: DingTalkSimulator) =>
  [...cards.values()].filter(({ endedAt }) => endedAt !== null).length;

/** Waits until `holds`, but not for ever: what is missing then shows in the figures. */
export async function until(holds: () => boolean, patienceMs: number): Promise<boolean> {
  const endMs = Date.now() + patienceMs;
  while (!holds()) {
    if (Date.now() > endMs) return false;
    await new Promise<void>((resolve) => systemClock.schedule(50, resolve));
  }
  return true;
}

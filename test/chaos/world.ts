// A chaos run: three robots, their DingTalk apps and Dify apps, one Redis, and instances of the function that die.
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { ACCEPT } from '../../lib/state/redis/scripts.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { AppMode, DifySimulator } from '../../playground/dify/types.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { Callback, DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createUpstashFront, type Fault, type UpstashFront, type UpstashRequest } from '../support/upstash-front.ts';
import { startFleet, type Fleet } from './fleet.ts';
import {
  GROUPS,
  INSTANCES,
  PEOPLE,
  questionText,
  ROBOTS,
  type PlannedCommand,
  type PlannedEvent,
  type PlannedQuestion,
  type RobotName,
  type StoreFaultKind,
} from './plan.ts';
import { createSharedClock } from './shared-clock.ts';

const TEMPLATE = 'template-1.schema';
const CRON_SECRET = 'cron-secret';
const MODES: Readonly<Record<RobotName, AppMode>> = { flow: 'advanced-chat', easy: 'chat', work: 'workflow' };
/** In the time of the shared clock. */
const LEASE_TIMING = { leaseMs: 5_000, renewMs: 1_700 };
/** Longer than in production: on a fast clock a busy machine would make the store seem down. */
const STORE_TIMEOUT_MS = 1_600;
/** DingTalk delivers a message again that nobody took. */
const DELIVERY_TRIES = 8;
/** Between two sweeps at the end, and for how long they go on. */
const LAST_SWEEPS_EVERY_MS = 3_000;
const PATIENCE_MS = 240_000;
/** Longer than a lease and the pauses between tries to end a turn; and than any silence that is waited for. */
const STILL_MS = 20_000;
const STILL_WITH_OPEN_ENDS_MS = 70_000;

export interface Delivered<T> {
  planned: T;
  msgId: string;
  /** When it was first taken; null when nobody ever took it. */
  takenAtMs: number | null;
}

/** Everything that the simulators saw. */
export interface Records {
  clock: Clock;
  dingtalk: Readonly<Record<RobotName, DingTalkSimulator>>;
  dify: DifySimulator;
  store: readonly UpstashRequest[];
  questions: Delivered<PlannedQuestion>[];
  commands: Delivered<PlannedCommand>[];
  kills: { instance: number; atMs: number }[];
  logs: Fleet['logs'];
  crashes: readonly string[];
  /** Nothing was overdue any more at the end. */
  isSettled: boolean;
}

export interface ChaosOptions<T> {
  plan: readonly PlannedEvent[];
  /** How much faster than real time. */
  speed: number;
  /** Judges the records while everything is still there. */
  judge: (records: Records) => T;
}

export async function runChaos<T>({ plan, speed, judge }: ChaosOptions<T>): Promise<T> {
  const timing = { startMs: Date.now(), speed };
  const clock = createSharedClock(timing);
  const scripts = new Map(plan.flatMap((event) => (event.kind === 'ask' ? [[event.number, event] as const] : [])));
  const redis = await startRedisServer();
  const front = await createUpstashFront({ redisPort: redis.port });
  const dify = await createDifySimulator({
    clock,
    apps: Object.fromEntries(
      ROBOTS.map((robot) => [
        `key-${robot}`,
        { mode: MODES[robot], name: robot, script: ({ text }: { text: string }) => scriptOf(scripts, text) },
      ]),
    ),
  });
  const dingtalk = Object.fromEntries(
    await Promise.all(ROBOTS.map(async (robot) => [robot, await startDingTalk(robot, clock)] as const)),
  ) as Record<RobotName, DingTalkSimulator>;
  const bots = ROBOTS.map((robot) => ({
    name: robot,
    dingtalkClientId: `ding${robot}`,
    dingtalkClientSecret: `secret-${robot}`,
    dingtalkCardTemplateId: TEMPLATE,
    dingtalkApiUrl: dingtalk[robot].origin,
    dingtalkOapiUrl: dingtalk[robot].origin,
    difyApiKey: `key-${robot}`,
    ...(robot === 'easy' ? { conversationScope: 'chat' } : {}),
  }));
  const fleet = await startFleet(INSTANCES, {
    clock: timing,
    leaseTiming: LEASE_TIMING,
    storeTimeoutMs: STORE_TIMEOUT_MS,
    env: {
      BOTS: JSON.stringify(bots),
      DIFY_API_URL: dify.url,
      UPSTASH_REDIS_REST_URL: front.url,
      UPSTASH_REDIS_REST_TOKEN: front.token,
      CRON_SECRET,
    },
  });
  const parts: Parts = { clock, speed, front, dify, dingtalk, fleet, questions: [], commands: [], kills: [] };
  try {
    await play(plan, parts);
    const isSettled = await settle(parts);
    const { questions, commands, kills } = parts;
    const { logs, crashes } = fleet;
    return judge({
      clock,
      dingtalk,
      dify,
      store: front.requests,
      questions,
      commands,
      kills,
      logs,
      crashes,
      isSettled,
    });
  } finally {
    await fleet.close();
    await Promise.all([...Object.values(dingtalk).map((each) => each.close()), dify.close(), front.close()]);
    await redis.close();
  }
}

interface Parts {
  clock: Clock;
  speed: number;
  front: UpstashFront;
  dify: DifySimulator;
  dingtalk: Record<RobotName, DingTalkSimulator>;
  fleet: Fleet;
  questions: Delivered<PlannedQuestion>[];
  commands: Delivered<PlannedCommand>[];
  kills: Records['kills'];
}

function startDingTalk(robot: RobotName, clock: Clock): Promise<DingTalkSimulator> {
  return createDingTalkSimulator({
    app: { clientId: `ding${robot}`, clientSecret: `secret-${robot}` },
    templates: { [TEMPLATE]: { published: true, variables: ['content'], failedState: true } },
    people: PEOPLE.map((id) =>
      id.startsWith('u-') ? { unionId: id, nick: id } : { staffId: id, unionId: `u-${id}`, nick: id },
    ),
    groups: GROUPS.map((conversationId) => ({ conversationId, title: conversationId, members: [...PEOPLE] })),
    latencyMs: 60,
    clock,
  });
}

function scriptOf(scripts: ReadonlyMap<number, PlannedQuestion>, text: string) {
  const planned = scripts.get(Number(/q(\d+)q/u.exec(text)?.[1]));
  if (!planned) return { chunks: [{ text: 'a question that nobody asked' }] };
  const { words, everyMs, ending } = planned;
  const chunks = words.map((word, index) => ({ afterMs: everyMs, text: index === 0 ? word : ` ${word}` }));
  return { chunks, ending };
}

async function play(plan: readonly PlannedEvent[], parts: Parts): Promise<void> {
  const { clock, dify, dingtalk, front, speed } = parts;
  const beganAtMs = clock.now();
  const running: Promise<void>[] = [];

  function begin(event: PlannedEvent): Promise<void> | void {
    switch (event.kind) {
      case 'ask':
        return ask(event, parts);
      case 'command':
        return command(event, parts);
      case 'kill':
        return killFor(event, parts);
      case 'sweep':
        return sweep(parts, event.instance).then(() => undefined);
      case 'store-fault':
        front.faults.push(storeFault(event.fault, event.times, speed));
        return;
      case 'dingtalk-fault': {
        const { api, effect, times } = event;
        dingtalk[event.robot].faults.inject({ api, times, ...effect });
        return;
      }
      case 'dify-fault':
        dify.faults.inject({ api: event.api, times: event.times, ...event.effect });
        return;
      case 'forget-tokens':
        dingtalk[event.robot].invalidateTokens();
        return;
      case 'forget-sessions':
        dingtalk[event.robot].expireSessions();
    }
  }

  for (const event of plan) {
    const pauseMs = beganAtMs + event.atMs - clock.now();
    if (pauseMs > 0) await sleep(clock, pauseMs);
    const work = begin(event);
    if (work) running.push(work);
  }
  await Promise.all(running);
}

const isAccept = ({ commands }: UpstashRequest) => commands[0]?.[1] === ACCEPT;

function storeFault(kind: StoreFaultKind, times: number, speed: number): Fault {
  // An acceptance is repeated once: more than that is planned for single questions.
  const isMild = times === 1 && (kind === 'reset' || kind === 'lost-response');
  const only = isMild ? {} : { only: (request: UpstashRequest) => !isAccept(request) };
  switch (kind) {
    case 'delay':
      return { kind, ms: 300 / speed, times, ...only };
    case 'status':
      return { kind, status: 500, times, ...only };
    case 'lost-response':
    case 'reset':
    case 'hang':
      return { kind, times, ...only };
  }
}

async function ask(planned: PlannedQuestion, parts: Parts): Promise<void> {
  const { dingtalk, dify, front, questions, clock } = parts;
  const text = questionText(planned.number);
  const mark = `q${planned.number}q`;
  const when = (body: unknown) => JSON.stringify(body).includes(mark);
  if (planned.difyFault) {
    const api = planned.robot === 'work' ? 'workflow' : 'chat';
    dify.faults.inject({ api, when, ...planned.difyFault });
  }
  if (planned.storeFault) {
    const only = (request: UpstashRequest) => isAccept(request) && JSON.stringify(request.commands).includes(mark);
    front.faults.push({ kind: planned.storeFault, times: 2, only });
  }
  const msgId = `m-${planned.number}`;
  const callback = dingtalk[planned.robot].callback({ ...placeOf(planned), text, msgId });
  const delivered: Delivered<PlannedQuestion> = { planned, msgId, takenAtMs: null };
  questions.push(delivered);
  const deliverTo = async (instance: number) => {
    if (await deliver(planned.robot, callback, instance, parts)) delivered.takenAtMs ??= clock.now();
  };
  await Promise.all([
    deliverTo(planned.instance),
    ...planned.redeliveries.map(async ({ afterMs, instance }) => {
      await sleep(clock, afterMs);
      await deliverTo(instance);
    }),
  ]);
}

async function command(planned: PlannedCommand, parts: Parts): Promise<void> {
  const { dingtalk, commands, clock } = parts;
  const msgId = `c-${planned.number}`;
  const callback = dingtalk[planned.robot].callback({ ...placeOf(planned), text: planned.text, msgId });
  const delivered: Delivered<PlannedCommand> = { planned, msgId, takenAtMs: null };
  commands.push(delivered);
  if (await deliver(planned.robot, callback, planned.instance, parts)) delivered.takenAtMs = clock.now();
}

const placeOf = ({ from, group }: { from: string; group: string | null }) =>
  group === null ? { from } : { from, conversation: group };

/** As DingTalk does it: a message that was not taken is delivered again, and may reach another instance. */
async function deliver(robot: RobotName, callback: Callback, instance: number, parts: Parts): Promise<boolean> {
  const { dingtalk, fleet, clock } = parts;
  for (let tries = 0; tries < DELIVERY_TRIES; tries += 1) {
    try {
      const { status } = await dingtalk[robot].deliver(`${fleet.url(instance + tries)}/${robot}`, callback);
      if (status === 200) return true;
    } catch {
      // The instance is gone, perhaps after it took the message.
    }
    await sleep(clock, 500);
  }
  return false;
}

async function killFor({ instance, downMs }: { instance: number; downMs: number }, parts: Parts): Promise<void> {
  const { fleet, kills, clock } = parts;
  kills.push({ instance, atMs: clock.now() });
  await fleet.kill(instance);
  await sleep(clock, downMs);
  await fleet.restart(instance);
}

/** Null when it did not answer. */
async function sweep({ fleet }: Parts, instance: number): Promise<{ overdue: number } | null> {
  try {
    const headers = { authorization: `Bearer ${CRON_SECRET}` };
    const response = await fetch(`${fleet.url(instance)}?sweep`, { headers });
    return response.ok ? ((await response.json()) as { overdue: number }) : null;
  } catch {
    return null;
  }
}

/** No more faults: sweeps until nothing is overdue, no card is open and Dify is at rest. */
async function settle(parts: Parts): Promise<boolean> {
  const { clock, dify, dingtalk, front } = parts;
  front.faults.length = 0;
  dify.faults.clear();
  for (const each of Object.values(dingtalk)) each.faults.clear();
  const endMs = clock.now() + PATIENCE_MS;
  const isQuiet = () =>
    dify.openStreams.length === 0 &&
    Object.values(dingtalk).every(({ cards }) => [...cards.values()].every(({ endedAt }) => endedAt !== null));
  const activity = () =>
    Object.values(dingtalk).reduce((sum, { calls }) => sum + calls.length, 0) + dify.requests.length;
  let stillMs = 0;
  for (let turn = 0; clock.now() < endMs; turn += 1) {
    const before = activity();
    const swept = await sweep(parts, turn % INSTANCES);
    await sleep(clock, LAST_SWEEPS_EVERY_MS);
    stillMs = swept?.overdue === 0 && before === activity() ? stillMs + LAST_SWEEPS_EVERY_MS : 0;
    // Where a card is open or a stream is silent, somebody may still be waiting for it.
    if (stillMs >= (isQuiet() ? STILL_MS : STILL_WITH_OPEN_ENDS_MS)) return true;
  }
  return false;
}

// A chaos run: three robots, their DingTalk apps and Dify apps, one Redis, and instances of the function that are killed.
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { CLAIM } from '../../lib/state/redis/scripts.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { AppMode, DifySimulator } from '../../playground/dify/types.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import type { Callback, DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createUpstashFront, type Fault, type UpstashFront, type UpstashRequest } from '../support/upstash-front.ts';
import { runsScript, thisCode, type Code } from './code.ts';
import { openDoor, type Door } from './door.ts';
import { createEntry } from './entry.ts';
import { startFleet, type Fleet } from './fleet.ts';
import {
  GROUPS,
  INSTANCES,
  PEOPLE,
  questionText,
  ROBOTS,
  type DoorName,
  type PlannedCommand,
  type PlannedEvent,
  type PlannedQuestion,
  type RobotName,
  type StoreFaultKind,
} from './plan.ts';
import { createSharedClock } from './shared-clock.ts';

/** Slower takes longer; faster, and a busy machine makes the store seem down. */
export const TEST_SPEED = 4;

const TEMPLATE = 'template-1.schema';
const CRON_SECRET = 'cron-secret';
const MODES: Readonly<Record<RobotName, AppMode>> = { flow: 'advanced-chat', easy: 'chat', work: 'workflow' };
/** In the time of the shared clock. */
const LEASE_TIMING = { leaseMs: 5_000, renewMs: 1_700 };
/** Longer than in production: on a fast clock a busy machine would make the store seem down. */
const STORE_TIMEOUT_MS = 1_600;
/** DingTalk delivers a message again that no instance took: over a connection it takes longer until there is one. */
const DELIVERY_TRIES = { http: 8, stream: 60 } as const;
/** The limit of an invocation where there is one: about a third of the answers are handed over then. */
const INVOCATION_S = 4;
/** Between two sweeps at the end, and for how long they go on. */
const LAST_SWEEPS_EVERY_MS = 3_000;
const PATIENCE_MS = 240_000;
/** Longer than a lease and the pauses between tries to end a turn; longer than an instance waits for a silent stream. */
const STILL_MS = 20_000;
const STILL_WITH_OPEN_ENDS_MS = 70_000;

export interface Delivered<T> {
  planned: T;
  msgId: string;
  /** When an instance first answered 200; null when none did. */
  takenAtMs: number | null;
}

/** Everything that the simulators saw. */
export interface Records {
  clock: Clock;
  dingtalk: Readonly<Record<RobotName, DingTalkSimulator>>;
  gateways: Door['gateways'];
  dify: DifySimulator;
  store: readonly UpstashRequest[];
  questions: Delivered<PlannedQuestion>[];
  commands: Delivered<PlannedCommand>[];
  kills: { instance: number; atMs: number }[];
  /** The code of each instance, by its number. */
  codes: readonly Code[];
  logs: Fleet['logs'];
  crashes: readonly string[];
  /** At the end no turn was overdue, and nothing happened any more. */
  isSettled: boolean;
}

export interface ChaosOptions<T> {
  plan: readonly PlannedEvent[];
  /** How messages reach the instances. Default: by HTTP. */
  door?: { name: DoorName; seed: number };
  /** How much faster than real time. */
  speed: number;
  /** Every second instance has this code, and turns are handed over from any instance to any other. */
  beside?: Code | undefined;
  /** By how much the clocks of two instances differ from that of the third, one before and one after it. Default: 0. */
  apartMs?: number;
  /** Judges the records before the simulators are closed. */
  judge: (records: Records) => T;
}

export async function runChaos<T>(options: ChaosOptions<T>): Promise<T> {
  const { plan, door: doorOptions, speed, beside, apartMs = 0, judge } = options;
  const codes = Array.from({ length: INSTANCES }, (_, index) => (beside && index % 2 === 1 ? beside : thisCode));
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
  const door = await openDoor(doorOptions?.name ?? 'http', doorOptions?.seed ?? 0, clock);
  const dingtalk = Object.fromEntries(
    await Promise.all(ROBOTS.map(async (robot) => [robot, await startDingTalk(robot, clock, door)] as const)),
  ) as Record<RobotName, DingTalkSimulator>;
  const bots = ROBOTS.map((robot) => ({
    name: robot,
    dingtalkClientId: `ding${robot}`,
    dingtalkClientSecret: `secret-${robot}`,
    dingtalkCardTemplateId: TEMPLATE,
    dingtalkApiUrl: dingtalk[robot].origin,
    dingtalkOapiUrl: dingtalk[robot].origin,
    // Versions before Stream mode refuse a setting that they do not know.
    ...(door.name === 'stream' ? { dingtalkConnection: 'stream' } : {}),
    difyApiKey: `key-${robot}`,
    ...(robot === 'easy' ? { conversationScope: 'chat' } : {}),
  }));
  const entry = beside ? await createEntry((served) => fleet.url(served)) : null;
  const members = codes.map((code, index) => ({ ...code, aheadMs: [0, apartMs, -apartMs][index] ?? 0 }));
  const fleet = await startFleet(members, {
    clock: timing,
    leaseTiming: LEASE_TIMING,
    storeTimeoutMs: STORE_TIMEOUT_MS,
    env: {
      BOTS: JSON.stringify(bots),
      DIFY_API_URL: dify.url,
      UPSTASH_REDIS_REST_URL: front.url,
      UPSTASH_REDIS_REST_TOKEN: front.token,
      CRON_SECRET,
      ...(entry ? { PUBLIC_URL: entry.url, FUNCTION_MAX_DURATION_S: String(INVOCATION_S) } : {}),
    },
  });
  const isAccept = ({ commands }: UpstashRequest) => codes.some(({ accept }) => runsScript(commands[0], accept));
  const seen = { questions: [], commands: [], kills: [] };
  const parts: Parts = { clock, speed, front, isAccept, dify, dingtalk, door, fleet, ...seen };
  try {
    await door.ready(INSTANCES);
    await play(plan, parts);
    const isSettled = await settle(parts);
    const { questions, commands, kills } = parts;
    const { logs, crashes } = fleet;
    return judge({
      gateways: door.gateways,
      clock,
      dingtalk,
      dify,
      store: front.requests,
      questions,
      commands,
      kills,
      codes,
      logs,
      crashes,
      isSettled,
    });
  } finally {
    await fleet.close();
    await entry?.close();
    await Promise.all([
      ...Object.values(dingtalk).map((each) => each.close()),
      dify.close(),
      front.close(),
      door.close(),
    ]);
    await redis.close();
  }
}

interface Parts {
  clock: Clock;
  speed: number;
  front: UpstashFront;
  isAccept: (request: UpstashRequest) => boolean;
  dify: DifySimulator;
  dingtalk: Record<RobotName, DingTalkSimulator>;
  door: Door;
  fleet: Fleet;
  questions: Delivered<PlannedQuestion>[];
  commands: Delivered<PlannedCommand>[];
  kills: Records['kills'];
}

function startDingTalk(robot: RobotName, clock: Clock, { gateways }: Door): Promise<DingTalkSimulator> {
  const stream = gateways[robot];
  return createDingTalkSimulator({
    ...(stream ? { stream } : {}),
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
  if (!planned) return { chunks: [{ text: 'a question that is not in the plan' }] };
  const { words, everyMs, ending } = planned;
  const chunks = words.map((word, index) => ({ afterMs: everyMs, text: index === 0 ? word : ` ${word}` }));
  return { chunks, ending };
}

async function play(plan: readonly PlannedEvent[], parts: Parts): Promise<void> {
  const { clock, dify, dingtalk, front } = parts;
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
        front.faults.push(storeFault(event.fault, event.times, parts));
        return;
      case 'dingtalk-fault': {
        const { api, effect, times } = event;
        dingtalk[event.robot].faults.inject({ api, times, ...effect });
        return;
      }
      case 'dify-fault':
        dify.faults.inject({ api: event.api, times: event.times, ...event.effect });
        return;
      case 'stream-fault':
        parts.door.disturb(event.robot, event.fault);
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

function storeFault(kind: StoreFaultKind, times: number, { isAccept, door, speed }: Parts): Fault {
  // An instance repeats an acceptance once. Acceptances that fail twice are planned with their question.
  const isMild = times === 1 && (kind === 'reset' || kind === 'lost-response');
  // Over a connection a command, too, is delivered again whose acknowledgement was lost. One that is not in the store
  // would then be answered twice.
  const isClaim = ({ commands }: UpstashRequest) => door.name === 'stream' && runsScript(commands[0], CLAIM);
  const only = isMild ? {} : { only: (request: UpstashRequest) => !isAccept(request) && !isClaim(request) };
  switch (kind) {
    case 'delay':
      return { kind, ms: 300 / speed, times, ...only };
    case 'late':
      // Carried out, and answered when the instance waits no longer.
      return { kind: 'delay', ms: (STORE_TIMEOUT_MS * 1.25) / speed, times, ...only };
    case 'status':
      return { kind, status: 500, times, ...only };
    case 'lost-response':
    case 'reset':
    case 'hang':
      return { kind, times, ...only };
  }
}

async function ask(planned: PlannedQuestion, parts: Parts): Promise<void> {
  const { dingtalk, dify, front, isAccept, questions, clock } = parts;
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

/** As DingTalk does: delivers a message again that was not taken, perhaps to another instance. */
async function deliver(robot: RobotName, callback: Callback, instance: number, parts: Parts): Promise<boolean> {
  const { dingtalk, door, fleet, clock } = parts;
  for (let tries = 0; tries < DELIVERY_TRIES[door.name]; tries += 1) {
    try {
      if ((await door.deliver(robot, dingtalk[robot], callback, fleet.url(instance + tries))) === 200) return true;
    } catch {
      // The instance was killed, perhaps after it took the message.
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

/** Without faults: sweeps until no turn is overdue, no card is open and no run of Dify is read. */
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
    // While a card is open or a stream is silent, an instance may still be waiting for the stream.
    if (stillMs >= (isQuiet() ? STILL_MS : STILL_WITH_OPEN_ENDS_MS)) return true;
  }
  return false;
}

// `npm run bench`: what an answer costs and how soon it is seen, measured over real HTTP against the simulated
// DingTalk and Dify, as counts and as ratios to a DingTalk round trip. Long answers run on a fast clock.
import { systemClock } from '../lib/runtime/clock.ts';
import type { Chunk } from '../playground/dify/types.ts';
import { startBridge, startVendors, TEMPLATE, type BridgeOptions } from '../test/support/bridge.ts';
import { footprintOf } from '../test/support/footprint.ts';
import { programPath } from '../test/support/programs.ts';
import { startStore, type TestStore } from '../test/support/store.ts';
import { createFastClock } from '../test/support/virtual-clock.ts';
import { measureLoad } from './bench-load.ts';
import { measureStream } from './bench-stream.ts';

/** A round trip to DingTalk, as seen from a nearby region. */
const ROUND_TRIP_MS = 80;
/** A round trip to the store, in the same region. */
const STORE_MS = 10;

/** 300 events of two characters every 15 ms, that many times. */
const answerOf = (times: number): Chunk[] => Array.from({ length: 300 * times }, () => ({ afterMs: 15, text: '答案' }));

interface Row {
  what: string;
  calls: number;
  firstWords: string;
  finished: string;
  exact: string;
}

async function measure(what: string, times: number, speed: number, options: BridgeOptions = {}): Promise<Row> {
  const bridge = await startBridge({
    app: { script: ({ text }) => ({ chunks: text === 'tell me' ? answerOf(times) : [{ text: 'warm' }] }) },
    dingtalk: { latencyMs: ROUND_TRIP_MS },
    clock: speed === 1 ? systemClock : createFastClock(speed),
    ...options,
    env: { DINGTALK_CARD_MAX_CHARS: '20000', ...options.env },
  });
  // Warm: the token is there and the kind of app is known, as for all answers but an instance's first.
  await bridge.ask('/help');
  await bridge.ask('warm up');
  const before = bridge.dingtalk.countedCalls();
  const known = new Set(bridge.dingtalk.cards.keys());
  await bridge.ask('tell me');
  const card = [...bridge.dingtalk.cards.values()].find(({ outTrackId }) => !known.has(outTrackId));
  const run = bridge.dify.runs.at(-1);
  const calls = bridge.dingtalk.countedCalls() - before;
  await bridge.close();
  if (!card || !run) throw new Error('the answer did not arrive');
  const earliestMs = Math.max(run.startedAt + 15, card.createdAt);
  const inTrips = (ms: number) => (speed === 1 ? `${(ms / ROUND_TRIP_MS).toFixed(2)} trips` : '');
  return {
    what,
    calls,
    // A card that is updated once has no first words before its end.
    firstWords: card.frames[0]?.final ? '' : inTrips((card.frames[0]?.at ?? 0) - earliestMs),
    finished: inTrips((card.endedAt ?? 0) - (run.finishedAt ?? 0)),
    exact: card.content === '答案'.repeat(300 * times) ? 'yes' : 'NO',
  };
}

/**
 * The update rule of the best-known bridge, on the same stream and the same DingTalk: create, deliver, then an awaited
 * update for each eleven new characters.
 */
async function measureAncestor(): Promise<Row> {
  const { dingtalk, dify, env } = await startVendors({ dingtalk: { latencyMs: ROUND_TRIP_MS } }, systemClock);
  const call = async (method: string, path: string, body: object, token = ''): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json', 'x-acs-dingtalk-access-token': token };
    const response = await fetch(`${dingtalk.origin}${path}`, { method, headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const credentials = { appKey: env.DINGTALK_CLIENT_ID, appSecret: env.DINGTALK_CLIENT_SECRET };
  const { accessToken } = await call('POST', '/v1.0/oauth2/accessToken', credentials);
  const token = String(accessToken);
  const space = { imRobotOpenSpaceModel: { supportForward: true } };
  const deliver = { imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode: env.DINGTALK_CLIENT_ID } };
  const card = { cardTemplateId: TEMPLATE, outTrackId: 'ancestor', cardData: { cardParamMap: { content: '' } } };
  const openSpaceId = 'dtv1.card//IM_ROBOT.staff-1';
  await call('POST', '/v1.0/card/instances/createAndDeliver', { ...card, openSpaceId, ...space, ...deliver }, token);
  // It makes two calls where this project makes one: the card, then its delivery.
  const extraCalls = 1;
  let text = '';
  let sent = 0;
  const update = (final: boolean) => {
    sent = text.length;
    const frame = { outTrackId: 'ancestor', guid: crypto.randomUUID(), key: 'content', content: text, isFull: true };
    return call('PUT', '/v1.0/card/streaming', { ...frame, isFinalize: final, isError: false }, token);
  };
  for (let event = 0; event < 300; event += 1) {
    text += '答案';
    if (text.length - sent > 10) await update(false);
  }
  await update(true);
  const calls = dingtalk.countedCalls() + extraCalls;
  await Promise.all([dingtalk.close(), dify.close()]);
  return { what: 'the best-known bridge’s rule, 600 characters', calls, firstWords: '', finished: '', exact: 'yes' };
}

/** Requests of one answer of so many seconds, on an instance that is warm. */
async function storeRequests({ env, front }: TestStore, seconds: number): Promise<number> {
  const chunks = Array.from({ length: seconds }, () => ({ afterMs: 1_000, text: '答案' }));
  const bridge = await startBridge({
    app: { script: ({ text }) => ({ chunks: text === 'tell me' ? chunks : [{ text: 'warm' }] }) },
    env,
    clock: createFastClock(20),
  });
  await bridge.ask({ from: 'staff-1', text: 'warm up', msgId: `warm-${seconds}` });
  front.requests.length = 0;
  await bridge.ask({ from: 'staff-1', text: 'tell me', msgId: `long-${seconds}` });
  const requests = front.requests.length;
  await bridge.close();
  return requests;
}

async function measureStore(): Promise<string[]> {
  if (!programPath('redis-server')) return ['store requests and acknowledgement: SKIPPED, needs redis-server'];
  const store = await startStore();
  const { front, env } = store;
  front.faults.push({ kind: 'delay', ms: STORE_MS, times: Number.POSITIVE_INFINITY });
  const bridge = await startBridge({
    app: { script: { chunks: answerOf(1) } },
    dingtalk: { latencyMs: ROUND_TRIP_MS },
    env,
  });
  await bridge.ask('warm up');
  front.requests.length = 0;
  const { ms } = await bridge.send('tell me');
  const beforeAck = front.requests.length;
  await bridge.idle();
  const total = front.requests.length;
  const storeMs = front.requests[0]?.ms ?? STORE_MS;
  await bridge.close();
  front.faults.length = 0;
  await store.clear();
  const { bytes, memory, memoryInAll } = await footprintOf(store);
  const byLength: string[] = [];
  for (const seconds of [20, 45, 70]) byLength.push(`${await storeRequests(store, seconds)} for ${seconds} s`);
  await store.close();
  return [
    `store requests for an answer, warm: ${total} (before the acknowledgement: ${beforeAck}); ${byLength.join(', ')}`,
    `bytes to the store for an answer, warm: ${bytes}; Redis memory of an answered question, 30 days: ${memoryInAll} B ${JSON.stringify(memory)}`,
    `acknowledged after ${(ms / storeMs).toFixed(1)} store round trips, ${(ms / ROUND_TRIP_MS).toFixed(1)} DingTalk round trips`,
  ];
}

const rows = [
  await measureAncestor(),
  await measure('balanced, 600 characters in 4.5 s', 1, 1),
  await measure('balanced, 4 times that', 4, 4),
  await measure('balanced, 16 times that', 16, 12),
  await measure('smooth, 600 characters', 1, 1, { env: { STREAMING: 'smooth' } }),
  await measure('thrifty, 600 characters', 1, 1, { env: { STREAMING: 'thrifty' } }),
  await measure('off, 600 characters', 1, 1, { env: { STREAMING: 'off' } }),
];
const ancestor = rows[0]?.calls ?? 0;
const header = [
  '',
  'DingTalk calls',
  'ratio',
  'answers of 5,000 calls',
  'first words after',
  'finished after',
  'exact text',
];
const table = rows.map((row) => [
  row.what,
  String(row.calls),
  (row.calls / ancestor).toFixed(2),
  String(Math.floor(5_000 / row.calls)),
  row.firstWords,
  row.finished,
  row.exact,
]);
const widths = header.map((title, column) =>
  Math.max(title.length, ...table.map((cells) => (cells[column] ?? '').length)),
);
for (const cells of [header, ...table])
  console.log(cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
console.log(
  `\nA trip is a DingTalk round trip (${ROUND_TRIP_MS} ms here). First words: since Dify's first token or the card, whichever is later; finished: since Dify's end.`,
);
for (const line of await measureStore()) console.log(line);
for (const line of [...(await measureLoad()), ...(await measureStream())]) console.log(line);

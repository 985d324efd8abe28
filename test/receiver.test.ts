// The contract's table of routes, line by line, and the order of its checks.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../lib/app.ts';
import { cardCallbackSecret, cardSignature, robotSignature } from '../lib/dingtalk/signature.ts';
import type { Callbacks } from '../lib/dingtalk/stream/connection.ts';
import type { OpenStream } from '../lib/dingtalk/stream/stream.ts';
import { BridgeError } from '../lib/errors.ts';
import { createReceiver } from '../lib/receiver.ts';
import type { ReceivingRobot } from '../lib/robot/robot.ts';
import { createAcknowledgements } from '../lib/runtime/acknowledgements.ts';
import type { Clock } from '../lib/runtime/clock.ts';
import { createLog } from '../lib/runtime/log.ts';
import { robotConfig } from './support/dingtalk.ts';
import { createVirtualClock } from './support/virtual-clock.ts';
import { createMemoryState } from '../lib/state/memory/memory.ts';
import { readFileSync } from 'node:fs';

const SECRET = 'secret-1';
const NOW = 1_795_000_000_000;
const clock = { now: () => NOW, schedule: () => () => undefined };
const base = 'https://bot.example/api/dingtalk';

const env = {
  DINGTALK_CLIENT_ID: 'dingclientid0001',
  DINGTALK_CLIENT_SECRET: SECRET,
  DIFY_API_KEY: 'app-1',
  CRON_SECRET: 'cron-secret',
  BOTS: JSON.stringify([{ name: 'hr', dingtalkClientId: 'ding-hr', dingtalkClientSecret: 'secret-hr' }]),
};

const flat = robotConfig({ DINGTALK_CLIENT_SECRET: SECRET });

let called: string[] = [];
let work: Promise<void>[] = [];
let logs: Record<string, unknown>[] = [];
const open = (
  over: Record<string, string | undefined> = {},
  brokenAt: string | null = null,
  appClock: Clock = clock,
) => {
  // Its own list, for the work of an earlier test may still be writing.
  const own: typeof logs = [];
  logs = own;
  return createApp({
    env: { ...env, ...over },
    clock: appClock,
    createMemoryState,
    fetch: async (url) => {
      called.push(url);
      throw new TypeError('no network in this test');
    },
    writeLog(line) {
      const entry = JSON.parse(line) as Record<string, unknown>;
      if (entry['event'] === brokenAt) throw new Error('the log is broken, too');
      own.push(entry);
    },
  });
};
let app = open();

const platform = { waitUntil: (promise: Promise<void>) => void work.push(promise), deadlineMs: null };
const request = (url: string, init: RequestInit = {}) => app.handle(new Request(url, init), platform);
const recorded = (name: string) =>
  (JSON.parse(readFileSync(new URL(`fixtures/dingtalk/${name}.json`, import.meta.url), 'utf8')) as { body: object })
    .body;
const signed = (secret = SECRET, atMs = NOW) => ({
  timestamp: String(atMs),
  sign: robotSignature(String(atMs), secret),
});
const post = (url: string, body: string | object, headers: Record<string, string> = signed()) =>
  request(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

beforeAll(() => expect(app.ok).toBe(true));
beforeEach(() => {
  called = [];
  work = [];
  app = open();
  logs.length = 0;
});
afterAll(() => expect(called).toEqual([]));

describe('without a signature', () => {
  test('GET and HEAD tell that it is there, and nothing else', async () => {
    for (const method of ['GET', 'HEAD']) {
      for (const url of [base, `${base}/hr`, `${base}?robot=hr`, `${base}/`]) {
        const response = await request(url, { method });
        expect(response.status).toBe(200);
        expect(await response.text()).not.toMatch(/secret|ding-hr|app-1/);
      }
    }
  });

  test('the empty POST of the console is answered, on every robot', async () => {
    for (const url of [base, `${base}/hr`, `${base}?robot=hr`]) {
      expect((await request(url, { method: 'POST' })).status).toBe(200);
      expect((await request(url, { method: 'POST', body: '' })).status).toBe(200);
    }
  });

  test('an empty POST with a query is no probe', async () => {
    expect((await request(`${base}?x=1`, { method: 'POST' })).status).toBe(401);
  });

  test('a message is refused', async () => {
    const response = await post(base, recorded('text-single'), {});
    expect(response.status).toBe(401);
    expect(work).toEqual([]);
  });

  test("the operator's routes are closed", async () => {
    for (const query of ['?sweep', '?status']) {
      expect((await request(`${base}${query}`)).status).toBe(401);
      expect((await request(`${base}${query}`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    }
    expect((await request(`${base}?resume`, { method: 'POST', body: '{}' })).status).toBe(401);
  });

  test('what is too large to be signed is not, and says no more than that', async () => {
    expect((await post(`${base}?resume`, 'x'.repeat(1024 * 1024 + 1))).status).toBe(401);
  });

  test("DingTalk's own signature does not open the resume route, nor does a button's open anything", async () => {
    expect((await post(`${base}?resume`, '{}')).status).toBe(401);
    const button = { 'x-ddpaas-signature': 'x', 'x-ddpaas-signature-timestamp': String(NOW) };
    expect((await post(base, recorded('card-action'), button)).status).toBe(401);
  });
});

describe('the checks come in the order of the contract', () => {
  const large = 'x'.repeat(1024 * 1024 + 1);

  test('method before robot, robot before signature', async () => {
    const response = await request(`${base}/nobody`, { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
    for (const method of ['GET', 'HEAD', 'POST'])
      expect((await request(`${base}/nobody`, { method })).status).toBe(404);
  });

  test('path and query may not name different robots', async () => {
    expect((await request(`${base}/hr?robot=hr`)).status).toBe(200);
    expect((await request(`${base}/hr?robot=it`)).status).toBe(404);
    expect((await request(`${base}/hr?robot=hr&robot=it`)).status).toBe(404);
  });

  test('signature before size, size before JSON', async () => {
    expect((await post(base, large, {})).status).toBe(401);
    expect((await post(base, large)).status).toBe(413);
    expect((await post(base, '{')).status).toBe(400);
    expect(await (await post(base, { msgId: 'm' })).text()).toMatch(/^missing or malformed: .+\n$/);
  });

  test('a body of exactly 1 MiB is not too large', async () => {
    const body = JSON.stringify({ ...recorded('text-single'), pad: '' });
    const padded = body.replace('"pad":""', `"pad":"${'x'.repeat(1024 * 1024 - Buffer.byteLength(body))}"`);
    expect(Buffer.byteLength(padded)).toBe(1024 * 1024);
    expect((await post(base, padded)).status).toBe(200);
  });

  test('the size is counted, whatever the header says', async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(32)),
    });
    const init = { method: 'POST', headers: { ...signed(), 'content-length': '2' }, body: stream, duplex: 'half' };
    expect((await request(base, init as RequestInit)).status).toBe(413);
  });

  test('more than an hour off is refused either way', async () => {
    for (const skewMs of [3_600_001, -3_600_001]) {
      expect((await post(base, recorded('text-single'), signed(SECRET, NOW + skewMs))).status).toBe(401);
    }
    expect((await post(base, recorded('text-single'), signed(SECRET, NOW - 3_600_000))).status).toBe(200);
  });
});

describe('a signed message', () => {
  test('is acknowledged with the empty message', async () => {
    const response = await post(base, recorded('text-single'));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{"msgtype":"empty"}');
    expect(work).toHaveLength(1);
  });

  test('opens only the robot whose secret it is, whatever the body says', async () => {
    expect((await post(`${base}/hr`, recorded('text-single'))).status).toBe(401);
    expect((await post(base, recorded('text-single'), signed('secret-hr'))).status).toBe(401);
  });

  test('for another robot code is acknowledged, logged and left alone', async () => {
    const response = await post(base, { ...recorded('text-single'), robotCode: 'someone-else' });
    expect(response.status).toBe(200);
    expect(work).toEqual([]);
    expect(logs).toMatchObject([{ code: 'robot_code_mismatch' }]);
  });

  test('without a robot code is accepted', async () => {
    expect((await post(base, recorded('text-content-string'))).status).toBe(200);
    expect(work).toHaveLength(1);
  });

  test('that only tells of a used-up allowance is logged as that', async () => {
    const response = await post(base, recorded('quota-exhausted'));
    expect(response.status).toBe(200);
    expect(work).toEqual([]);
    expect(logs).toMatchObject([{ level: 'error', code: 'dingtalk_inbound_quota' }]);
  });

  test('is accepted with either secret while one is being rotated', async () => {
    app = open({ DINGTALK_CLIENT_SECRET: `new-secret,${SECRET}` });
    expect((await post(base, { ...recorded('text-single'), msgId: 'a' })).status).toBe(200);
    expect((await post(base, { ...recorded('text-single'), msgId: 'b' }, signed('new-secret'))).status).toBe(200);
    expect(work).toHaveLength(2);
  });
});

describe('with the right secret', () => {
  const RESUMED = { turnId: 'turn-1' };
  let done: string[] = [];

  /** A robot that keeps what it was asked for; `name` fails at everything where it is `broken`. */
  function robotOf(name: string | null): ReceivingRobot {
    const config = name === null ? flat : { ...flat, name };
    const failing = () => {
      if (name === 'broken') throw new BridgeError('store_unavailable', 'on purpose');
    };
    return {
      config,
      accept: async () => null,
      async act({ cardId }) {
        failing();
        return { update: { notice: 'seen' }, work: async () => void done.push(`pressed ${cardId}`) };
      },
      async resume(_headers, body) {
        failing();
        return body === JSON.stringify(RESUMED) ? async () => void done.push('resumed') : null;
      },
      async status() {
        failing();
        return {
          running: 1,
          waiting: 0,
          callsThisMonth: 7,
          monthlyCalls: null,
          lastCallback: null,
          callbacks: [],
          lastSweep: null,
          failures: [],
        };
      },
      async sweep() {
        failing();
        done.push(`swept ${name}`);
        return { overdue: 2, takenOver: 1 };
      },
    };
  }

  const operator = { authorization: 'Bearer cron-secret' };
  const lines: Record<string, unknown>[] = [];

  async function ask(names: (string | null)[], url: string, init: RequestInit = { headers: operator }) {
    done = [];
    lines.length = 0;
    const receive = createReceiver({
      robots: new Map(names.map((name) => [name, robotOf(name)])),
      cronSecret: 'cron-secret',
      acknowledgements: createAcknowledgements(clock),
      clock,
      log: createLog(clock, 'info', (line) => lines.push(JSON.parse(line) as Record<string, unknown>)),
    });
    const background: Promise<void>[] = [];
    const response = await receive(new Request(`${base}${url}`, init), {
      waitUntil: (promise) => void background.push(promise),
      deadlineMs: null,
    });
    await Promise.all(background);
    return response;
  }

  test('a sweep of the flat path is one of all robots, another one of its own', async () => {
    expect(await (await ask([null, 'hr'], '?sweep')).json()).toEqual({ overdue: 4, takenOver: 2 });
    expect(done).toEqual(['swept null', 'swept hr']);
    expect(await (await ask([null, 'hr'], '/hr?sweep')).json()).toEqual({ overdue: 2, takenOver: 1 });
    expect(done).toEqual(['swept hr']);
  });

  test('the status is that of each robot, or of one, and is kept by no cache', async () => {
    const all = await ask([null, 'hr'], '?status');
    expect(all.headers.get('cache-control')).toBe('no-store');
    expect(await all.json()).toMatchObject({
      at: new Date(NOW).toISOString(),
      robots: [
        { robot: null, running: 1, callsThisMonth: 7 },
        { robot: 'hr', running: 1 },
      ],
    });
    expect(await (await ask([null, 'hr'], '/hr?status')).json()).toMatchObject({ robots: [{ robot: 'hr' }] });
  });

  test('a status that needs a store that is down is a 503', async () => {
    expect((await ask([null, 'broken'], '?status')).status).toBe(503);
    expect(lines).toMatchObject([{ level: 'error', event: 'request_failed', code: 'store_unavailable' }]);
  });

  test('a failure that is no refusal is a 500 without a word of it', async () => {
    const response = await ask(['broken'], '/broken?sweep');
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect(lines).toMatchObject([{ level: 'error', event: 'request_failed', code: 'store_unavailable' }]);
  });

  test('a turn that is handed on goes on in the background', async () => {
    const init = { method: 'POST', body: JSON.stringify(RESUMED) };
    expect(await (await ask([null], '?resume', init)).json()).toEqual({ resumed: true });
    expect(done).toEqual(['resumed']);
    expect(await (await ask([null], '?resume', { method: 'POST', body: '{}' })).json()).toEqual({ resumed: false });
    expect(done).toEqual([]);
  });

  test('a press changes what the person sees, and its work goes on in the background', async () => {
    const timestamp = String(NOW);
    const headers = {
      'x-ddpaas-signature-timestamp': timestamp,
      'x-ddpaas-signature': cardSignature(timestamp, cardCallbackSecret(SECRET)),
    };
    const pressed = await ask([null], '', { method: 'POST', headers, body: JSON.stringify(recorded('card-action')) });
    expect(await pressed.json()).toMatchObject({ userPrivateData: { cardParamMap: { notice: 'seen' } } });
    expect(done).toEqual(['pressed card-0001']);
  });

  test('a body that breaks off is refused', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('on purpose')) });
    const init = { method: 'POST', headers: signed(), body, duplex: 'half' };
    expect((await ask([null], '', init as RequestInit)).status).toBe(400);
  });
});

test('work that fails in a way that nobody thought of does not end the process', async () => {
  const ticking = createVirtualClock(NOW);
  app = open({}, 'message_not_sent', ticking);
  await post(base, { ...recorded('text-single'), text: { content: '/help' } });
  // The message is tried again after its pauses.
  await ticking.advance(60_000);
  await expect(Promise.all(work)).resolves.toHaveLength(1);
  expect(logs.at(-1)).toMatchObject({ level: 'error', event: 'background_failed', code: 'internal' });
});

test('without the flat robot, GET still answers and POST is 404', async () => {
  app = open({ DINGTALK_CLIENT_ID: undefined });
  expect((await request(base)).status).toBe(200);
  expect((await post(base, recorded('text-single'))).status).toBe(404);
  expect((await request(base, { method: 'POST' })).status).toBe(404);
  expect(
    (await post(`${base}/hr`, { ...recorded('text-single'), robotCode: 'ding-hr' }, signed('secret-hr'))).status,
  ).toBe(200);
});

test('a deployment that is not configured answers everything with the whole list, and logs it once', async () => {
  app = open({ DIFY_API_KEY: undefined, DIFY_API_URL: 'nonsense', BOTS: undefined });
  for (const method of ['GET', 'POST', 'PUT']) {
    const response = await request(base, { method });
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(text).toContain('DIFY_API_KEY');
    expect(text).toContain('DIFY_API_URL');
    expect(text).not.toContain('nonsense');
  }
  expect(logs).toMatchObject([{ level: 'error', code: 'not_configured' }]);
});

test.each([
  ['a store', undefined, 'UPSTASH_REDIS_REST_URL'],
  ['another store than one over TCP', 'redis://127.0.0.1:6379', 'REDIS_URL'],
])('a host that hands in neither the in-process store nor the TCP client requires %s', async (_, url, variable) => {
  app = createApp({ env: { ...env, REDIS_URL: url }, clock, writeLog: () => undefined });
  const response = await request(base);
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining(`\n${variable}: expected`)]);
});

describe('a robot with a Stream connection', () => {
  const nothing: OpenStream = () => ({
    status: () => ({ openSinceMs: NOW - 60_000, remade: 2, failure: null }),
    close: async () => undefined,
  });
  const bots = [{ name: 'hr', dingtalkClientId: 'ding-hr', dingtalkClientSecret: 's', dingtalkConnection: 'stream' }];
  const streaming = { ...env, BOTS: JSON.stringify(bots) };
  const openWith = (openStream: OpenStream | undefined) =>
    createApp({
      env: streaming,
      clock,
      createMemoryState,
      writeLog: () => undefined,
      ...(openStream ? { openStream } : {}),
    });

  test('has no POST routes; health, status and sweep stay, and other robots answer as before', async () => {
    app = openWith(nothing);
    for (const query of ['', '?resume']) {
      for (const init of [{}, { body: '{}', headers: signed('s') }]) {
        const closed = await request(`${base}/hr${query}`, { method: 'POST', ...init });
        expect([closed.status, await closed.text()]).toEqual([404, expect.stringContaining('Stream connection')]);
      }
    }
    const operator = { headers: { authorization: 'Bearer cron-secret' } };
    expect((await request(`${base}/hr`)).status).toBe(200);
    expect((await request(`${base}/hr?sweep`, operator)).status).toBe(200);
    expect((await request(base, { method: 'POST' })).status).toBe(200);
  });

  test('tells in the status how its connection is, and only when this process has it', async () => {
    const operator = { headers: { authorization: 'Bearer cron-secret' } };
    const robots = async () =>
      ((await (await request(`${base}?status`, operator)).json()) as { robots: object[] }).robots;
    app = openWith(nothing);
    expect(await robots()).toMatchObject([{ robot: null }, { stream: { openSince: null, remade: 0, failure: null } }]);
    if (app.ok) app.connect(platform);
    const openSince = new Date(NOW - 60_000).toISOString();
    expect(await robots()).toMatchObject([{ robot: null }, { robot: 'hr', stream: { openSince, remade: 2 } }]);
    expect((await robots())[0]).not.toHaveProperty('stream');
  });

  test('is a wrong configuration where no process keeps a connection open, as on Vercel', async () => {
    app = openWith(undefined);
    const response = await request(base);
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringMatching(/\nBOTS\[0\]\.dingtalkConnection: expected http here: .*npm run serve/u),
    ]);
  });

  test('that cannot read a callback says so in the acknowledgement, and goes on', async () => {
    const { promise, resolve } = Promise.withResolvers<Callbacks>();
    app = openWith((options) => {
      resolve(options.callbacks);
      return nothing(options);
    });
    if (app.ok) app.connect(platform);
    const callbacks = await promise;
    const message = (body: string) => callbacks.message(body, null);
    expect(await message('{}')).toBe(400);
    expect(await message('no JSON')).toBe(400);
    expect(await message(JSON.stringify({ ...recorded('text-single'), more: 'x'.repeat(1024 * 1024) }))).toBe(400);
    expect(await callbacks.press('{}', null)).toEqual({ code: 400, response: {} });
    expect(await message(JSON.stringify({ ...recorded('text-single'), robotCode: 'another' }))).toBe(200);
    expect(work).toEqual([]);
  });
});

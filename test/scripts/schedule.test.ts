import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { ensureSchedule, findSchedules, readAccount } from '../../scripts/schedule/schedule.ts';
import { createQstashSimulator, type QstashSimulator } from '../support/qstash.ts';

const TOKEN = 'qstash-token';
const target = { clientId: 'dingabc', publicUrl: 'https://bot.example.com', cronSecret: 'cron-secret' };
const ports = { fetch: (url: string, init: RequestInit) => globalThis.fetch(url, init), clock: systemClock };
let qstash: QstashSimulator;
/** What arrived at the destination. */
let arrived: { url: string; init: RequestInit }[];
let status: number;
const account = (token = TOKEN) => ({ url: qstash.origin, token });

beforeEach(async () => {
  arrived = [];
  status = 200;
  qstash = await createQstashSimulator({
    token: TOKEN,
    readOnlyToken: 'reader',
    clock: systemClock,
    async fetch(url, init) {
      arrived.push({ url, init });
      return new Response('{}', { status });
    },
  });
});
afterEach(() => qstash.close());

test('the account is that of QSTASH_TOKEN, in the region of QSTASH_URL', () => {
  expect(readAccount({})).toBeNull();
  expect(readAccount({ QSTASH_TOKEN: ' t ' })).toEqual({ token: 't', url: 'https://qstash.upstash.io' });
  const url = 'https://qstash-us-east-1.upstash.io';
  expect(readAccount({ QSTASH_TOKEN: 't', QSTASH_URL: url })).toEqual({ token: 't', url });
});

test('a schedule is created, and calls the sweep with the bearer', async () => {
  expect(await ensureSchedule(ports, account(), target)).toMatchObject({ kind: 'created' });
  await qstash.fire();
  expect(arrived).toEqual([
    {
      url: 'https://bot.example.com/api/dingtalk?sweep',
      init: { method: 'GET', headers: { authorization: 'Bearer cron-secret' } },
    },
  ]);
  expect(await findSchedules(ports, account(), target)).toMatchObject([{ lastStates: ['SUCCESS'] }]);
  // The secret is not to be read from there.
  const list = await fetch(`${qstash.origin}/v2/schedules`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(await list.text()).not.toContain('cron-secret');
});

// @upstash/qstash 2.12.0 was called with the same values, its telemetry off: method, path and headers are these.
test('the request is that of the client of Upstash', async () => {
  await ensureSchedule(ports, account(), target);
  expect(qstash.requests[1]).toEqual({
    method: 'POST',
    path: '/v2/schedules/https://bot.example.com/api/dingtalk?sweep',
    headers: {
      'upstash-cron': '*/2 * * * *',
      'upstash-forward-authorization': 'Bearer cron-secret',
      'upstash-method': 'GET',
      'upstash-redact-fields': 'header[Authorization]',
      'upstash-retries': '0',
      'upstash-schedule-id': 'dify-on-dingtalk-b541a6fa2d53',
    },
  });
});

test('the one that is there is set right, under a new address and with a new secret', async () => {
  await ensureSchedule(ports, account(), target);
  const moved = { ...target, publicUrl: 'https://new.example.com/', cronSecret: 'new-secret' };
  expect(await ensureSchedule(ports, account(), moved)).toMatchObject({ kind: 'updated' });
  expect([...qstash.schedules.values()]).toMatchObject([
    { destination: 'https://new.example.com/api/dingtalk?sweep', forwarded: { authorization: 'Bearer new-secret' } },
  ]);
});

test('one that was made by hand for the same address is set right, and no second one is made', async () => {
  const made = await fetch(`${qstash.origin}/v2/schedules/https://bot.example.com/api/dingtalk?sweep`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'upstash-cron': '0 * * * *' },
  });
  expect(made.status).toBe(200);
  expect(await ensureSchedule(ports, account(), target)).toMatchObject({ kind: 'updated' });
  expect([...qstash.schedules.values()]).toMatchObject([{ cron: '*/2 * * * *', method: 'GET', retries: 0 }]);
});

test('schedules of others, and of another robot, are left alone', async () => {
  await ensureSchedule(ports, account(), target);
  const other = { ...target, clientId: 'dingother', publicUrl: 'https://other.example.com' };
  expect(await ensureSchedule(ports, account(), other)).toMatchObject({ kind: 'created' });
  expect(qstash.schedules.size).toBe(2);
});

test('a failed call is not repeated: the next one comes in two minutes', async () => {
  await ensureSchedule(ports, account(), target);
  status = 401;
  await qstash.fire();
  expect(arrived).toHaveLength(1);
});

test.each([
  ['an unknown token', 'wrong', 'token', 401],
  ['a token that may only read', 'reader', 'read-only', 403],
])('%s is told', async (_, token, why, refusal) => {
  const failed = await ensureSchedule(ports, account(token), target);
  expect(failed).toMatchObject({ kind: 'failed', why, status: refusal });
  expect(JSON.stringify(failed)).not.toContain(token);
});

test('a destination that QStash cannot reach is refused, and silence is told', async () => {
  const local = { ...target, publicUrl: 'http://127.0.0.1:3000' };
  expect(await ensureSchedule(ports, account(), local)).toMatchObject({ why: 'refused', status: 400 });
  const nowhere = { url: 'http://127.0.0.1:1', token: TOKEN };
  expect(await ensureSchedule(ports, nowhere, target)).toMatchObject({ why: 'network', status: 0 });
});

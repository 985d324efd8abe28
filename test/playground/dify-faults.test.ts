import { describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { readHttpBody } from '../../playground/dify/fixtures.ts';
import { createRandom } from '../../playground/http/random.ts';
import type { Json } from '../../playground/http/shape.ts';
import { eventually, startDify } from './support.ts';

const chunks = [{ text: '你好' }, { afterMs: 20, text: '，小明' }];

test('hang: no answer, no run', async () => {
  const { dify, request, question } = await startDify({ script: { chunks } });
  dify.faults.inject({ api: 'chat', kind: 'hang' });
  const impatience = new AbortController();
  const asked = request('app-chat', 'POST', '/chat-messages', question, impatience.signal);
  await eventually(() => dify.requests[0]?.fault === 'hang');
  setTimeout(() => impatience.abort(new Error('out of patience')), 80);
  await expect(asked).rejects.toThrow('out of patience');
  expect(dify.runs).toEqual([]);
  expect(dify.requests).toMatchObject([{ fault: 'hang', status: null }]);
});

test('reset: the connection breaks and nothing is run', async () => {
  const { dify, ask } = await startDify({ script: { chunks } });
  dify.faults.inject({ api: 'chat', kind: 'reset' });
  await expect(ask('chat')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(dify.runs).toEqual([]);
  expect((await ask('chat')).status).toBe(200);
});

test('lost-response: the run has started although the client heard nothing', async () => {
  const { dify, ask } = await startDify({ script: { chunks } });
  dify.faults.inject({ api: 'chat', kind: 'lost-response' });
  await expect(ask('advanced-chat')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  await eventually(() => dify.runs[0]?.status === 'succeeded');
  expect(dify.runs).toMatchObject([{ answer: '你好，小明', saved: true }]);
});

test('slow: answered as usual after the delay', async () => {
  const { dify, call } = await startDify();
  dify.faults.inject({ api: 'info', kind: 'slow', delayMs: 80 });
  const startedAt = Date.now();
  expect((await call('app-chat', 'GET', '/info')).status).toBe(200);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(78);
});

describe('slow, and the client leaves before the answer', () => {
  /** Asks, and leaves as soon as the question has arrived. */
  async function askAndLeave({ dify, request, question }: Awaited<ReturnType<typeof startDify>>, changes: Json = {}) {
    dify.faults.inject({ api: 'chat', kind: 'slow', delayMs: 200 });
    const leaving = new AbortController();
    const before = dify.requests.length;
    const body = { ...question, ...changes };
    const asking = request('app-advanced-chat', 'POST', '/chat-messages', body, leaving.signal);
    await eventually(() => dify.requests.length > before);
    leaving.abort(new Error('left'));
    await expect(asking).rejects.toThrow('left');
  }

  test('nothing of its stream stays', async () => {
    const waiting = new Set<() => void>();
    const clock: Clock = {
      ...systemClock,
      schedule(ms, run) {
        waiting.add(run);
        const cancel = systemClock.schedule(ms, () => {
          waiting.delete(run);
          run();
        });
        return () => {
          waiting.delete(run);
          cancel();
        };
      },
    };
    const started = await startDify({ script: { chunks }, clock });
    await askAndLeave(started);
    await eventually(() => started.dify.runs[0]?.status === 'succeeded');
    expect(started.dify.openStreams).toEqual([]);
    expect(waiting.size).toBe(0);
  });

  test('its run may begin beside another one, which the client cannot know', async () => {
    const started = await startDify({ script: { chunks: [{ text: '前' }, { afterMs: 600, text: '后' }] } });
    const conversation_id = (await started.ask('advanced-chat')).events[0]?.['conversation_id'];
    await askAndLeave(started, { conversation_id });
    await started.ask('advanced-chat', { conversation_id });
    expect(started.dify.violations).toMatchObject([{ code: 'concurrent-with-orphan' }]);
  });
});

test.each(['cloudflare-524', 'nginx-504', 'cloudflare-1015', 'internal-server-error', 'unauthorized'])(
  'http: %s is answered as it was recorded',
  async (name) => {
    const { dify, request, question } = await startDify({ script: { chunks } });
    dify.faults.inject({ api: 'chat', kind: 'http', name });
    const response = await request('app-chat', 'POST', '/chat-messages', question);
    const recorded = readHttpBody(name);
    expect([response.status, response.headers.get('content-type')]).toEqual([recorded.status, recorded.contentType]);
    expect(await response.text()).toBe(recorded.body);
    expect(dify.runs).toEqual([]);
  },
);

test('cut: exactly so many bytes, then the connection breaks', async () => {
  const { dify, ask } = await startDify({ script: { chunks } });
  dify.faults.inject({ api: 'chat', kind: 'cut', afterBytes: 301 });
  const { raw, broke } = await ask('chat');
  expect(broke).toBe('terminated');
  // The cut may fall inside a character, which the decoder holds back.
  expect(raw.length).toBeGreaterThan(290);
  await eventually(() => dify.requests[0]?.endedAt !== null);
  expect(dify.requests[0]?.responseBytes).toBe(301);
});

test('stall: exactly so many bytes, then silence on an open connection', async () => {
  const { dify, ask } = await startDify({ script: { chunks }, behaviour: { pingMs: 10 } });
  dify.faults.inject({ api: 'workflow', kind: 'stall', afterBytes: 100 });
  const reading = ask('workflow');
  await eventually(() => dify.runs[0]?.status === 'succeeded');
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(dify.openStreams).toMatchObject([{ bytes: 100 }]);
  await dify.close();
  expect((await reading).raw).toHaveLength(100);
});

test('error-frame: one frame in a 200 stream, nameless or with a code', async () => {
  const { dify, ask } = await startDify({ script: { chunks }, behaviour: { silenceAfterErrorMs: 0 } });
  dify.faults.inject({ api: 'chat', kind: 'error-frame' });
  expect((await ask('chat')).events).toEqual([{ event: 'error', message: '', status: 500 }]);
  dify.faults.inject({ api: 'chat', kind: 'error-frame', code: 'provider_quota_exceeded', status: 400, message: 'x' });
  expect((await ask('chat')).events).toMatchObject([{ code: 'provider_quota_exceeded' }]);
  expect(dify.runs).toEqual([]);
});

test('random faults come from the seed', async () => {
  const { dify, call } = await startDify();
  const effects = [{ kind: 'http', name: 'nginx-504' }] as const;
  dify.faults.random({ random: createRandom(3), chance: 0.5, effects });
  const draw = createRandom(3);
  const expected = Array.from({ length: 12 }, () => {
    const isHit = draw() < 0.5;
    if (isHit) draw();
    return isHit ? 504 : 200;
  });
  const seen: number[] = [];
  for (let count = 0; count < 12; count += 1) seen.push((await call('app-chat', 'GET', '/info')).status);
  expect(seen).toEqual(expected);
  expect(new Set(seen).size).toBe(2);
});

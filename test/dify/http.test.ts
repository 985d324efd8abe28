// Calls and streams, and what is made of a Dify that does not answer, or is none.
import { describe, expect, test } from 'vitest';
import { acceptedJson, readAccepted, wasRefused } from '../../lib/dify/http.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { freePort } from '../support/loopback.ts';
import { httpOf, startServer } from './support.ts';

const never = new AbortController().signal;
const request = { path: '/chat-messages', body: { query: '你好' }, headersTimeoutMs: 1_000, signal: never };

describe('a call', () => {
  test('carries the key and follows no redirect; its answer may be a refusal', async () => {
    const seen: RequestInit[] = [];
    const recording: Fetch = async (_url, init) => {
      seen.push(init);
      return new Response('{"code":"forbidden"}', { status: 403 });
    };
    const http = httpOf('http://dify.example', 'the-key', { fetch: recording });
    const answer = { status: 403, json: { code: 'forbidden' } };
    expect(await http.get('/info', { timeoutMs: 1_000 })).toEqual(answer);
    expect(await http.post('/stop', { user: 'u' }, { timeoutMs: 1_000 })).toEqual(answer);
    expect(await http.openStream(request)).toMatchObject({ ok: false, status: 403 });
    expect(await http.openStream({ ...request, body: undefined })).toMatchObject({ ok: false, status: 403 });
    const key = { authorization: 'Bearer the-key' };
    const type = { 'content-type': 'application/json' };
    expect(seen).toMatchObject([
      { method: 'GET', headers: key },
      { method: 'POST', headers: { ...key, ...type }, body: '{"user":"u"}' },
      { method: 'POST', headers: { ...key, ...type, accept: 'text/event-stream' }, body: '{"query":"你好"}' },
      { method: 'GET', headers: { ...key, accept: 'text/event-stream' } },
    ]);
    expect(seen.map(({ redirect }) => redirect)).toEqual(Array(4).fill('manual'));
  });

  test.each([
    ['time runs out', null, 'dify_timeout'],
    ['the connection fails', new TypeError('fetch failed'), 'dify_unreachable'],
    ['it is given up for a reason of ours', new BridgeError('out_of_time', 'time is up'), 'out_of_time'],
  ])('that gets no answer because %s', async (_why, error, code) => {
    const clock = createVirtualClock();
    const silent: Fetch = () => (error ? Promise.reject(error) : new Promise(() => {}));
    const http = httpOf('http://dify.example', 'key', { fetch: silent, clock });
    const calls = [
      http.get('/info', { timeoutMs: 1_000 }),
      http.post('/stop', {}, { timeoutMs: 1_000 }),
      http.openStream(request),
    ].map((call) => expect(call).rejects.toMatchObject({ name: 'BridgeError', code }));
    await clock.advance(1_000);
    await Promise.all(calls);
  });
});

test('a connection that is refused is told from one that fails in another way: nothing was sent', async () => {
  const { url } = await startServer((_path, response) => response.destroy());
  const limits = { timeoutMs: 1_000 };
  const broken: unknown = await httpOf(url)
    .get('/info', limits)
    .catch((error: unknown) => error);
  expect([wasRefused(broken), (broken as BridgeError).code]).toEqual([false, 'dify_unreachable']);
  const free = await freePort();
  for (const host of ['127.0.0.1', 'localhost']) {
    const refused = httpOf(`http://${host}:${free}`);
    const calls = [refused.get('/info', limits), refused.post('/stop', {}, limits), refused.openStream(request)];
    const outcomes = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    expect(outcomes.map(wasRefused)).toEqual([true, true, true]);
  }
});

describe('a stream', () => {
  const answering =
    (response: Response): Fetch =>
    async () =>
      response;
  const open = (response: Response, clock = createVirtualClock()) =>
    httpOf('http://dify.example', 'key', { fetch: answering(response), clock }).openStream(request);

  test('gives the events of its body', async () => {
    const body = 'data: {"event":"message","answer":"好"}\n\n';
    const opened = await open(new Response(body, { headers: { 'content-type': 'Text/Event-Stream; charset=utf-8' } }));
    if (!opened.ok) throw new Error('refused');
    expect(await opened.events.next()).toEqual({
      done: false,
      value: { kind: 'text', source: 'message', text: '好', ids: {} },
    });
  });

  test('that went silent has stalled, one that breaks is cut, and a reason of ours is kept', async () => {
    const headers = { 'content-type': 'text/event-stream' };
    const clock = createVirtualClock();
    const silent = await open(new Response(new ReadableStream(), { headers }), clock);
    if (!silent.ok) throw new Error('refused');
    const reading = silent.events.next().catch((error: unknown) => error);
    await clock.advance(45_000);
    expect(await reading).toMatchObject({ code: 'dify_stalled', facts: { idleMs: 45_000 } });
    for (const [error, code] of [
      [new TypeError('terminated'), 'dify_cut'],
      [new BridgeError('interrupted', 'the process is about to end'), 'interrupted'],
    ] as const) {
      const broken = await open(
        new Response(new ReadableStream({ start: (controller) => controller.error(error) }), { headers }),
      );
      if (!broken.ok) throw new Error('refused');
      await expect(broken.events.next()).rejects.toMatchObject({ code });
    }
  });

  test('is waited for longer before its first event, where the caller says so', async () => {
    const clock = createVirtualClock();
    const wire = new TransformStream<Uint8Array, Uint8Array>();
    const writer = wire.writable.getWriter();
    const headers = { 'content-type': 'text/event-stream' };
    const response = new Response(wire.readable, { headers });
    const http = httpOf('http://dify.example', 'key', { fetch: async () => response, clock });
    const opened = await http.openStream({ ...request, firstIdleMs: 290_000 });
    if (!opened.ok) throw new Error('refused');
    const first = opened.events.next();
    // A keep-alive is no event. The silence is counted anew from there.
    await clock.advance(200_000);
    await writer.write(new TextEncoder().encode('event: ping\n\n'));
    await clock.advance(200_000);
    await writer.write(new TextEncoder().encode('data: {"event":"workflow_started"}\n\n'));
    expect(await first).toMatchObject({ value: { kind: 'run-started' } });
    const second = opened.events.next().catch((error: unknown) => error);
    await clock.advance(45_000);
    expect(await second).toMatchObject({ code: 'dify_stalled', facts: { idleMs: 45_000 } });
    const silent = new Response(new ReadableStream(), { headers });
    const other = httpOf('http://dify.example', 'key', { fetch: async () => silent, clock });
    const unopened = await other.openStream({ ...request, firstIdleMs: 290_000 });
    if (!unopened.ok) throw new Error('refused');
    const never_ = unopened.events.next().catch((error: unknown) => error);
    await clock.advance(290_000);
    expect(await never_).toMatchObject({ code: 'dify_not_started', facts: { idleMs: 290_000 } });
  });

  test.each([
    ['a web page', new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['no content type', new Response(new Uint8Array(1))],
    ['no body', new Response(null, { headers: { 'content-type': 'text/event-stream' } })],
  ])('is none when the answer is %s', async (_what, response) => {
    await expect(open(response)).rejects.toMatchObject({ code: 'dify_not_a_stream', facts: { status: 200 } });
  });

  test('that is refused is refused for what the body says', async () => {
    const gone = new Response('{"code":"not_found","message":"Conversation Not Exists."}', { status: 404 });
    expect(await open(gone)).toMatchObject({ ok: false, status: 404, refusal: { kind: 'stale-conversation' } });
  });

  test.each([
    ['is no JSON', new Response('<html>', { status: 500 })],
    ['is not there', new Response(null, { status: 500 })],
    ['is too long', new Response(new Uint8Array(256 * 1024 + 1), { status: 500 })],
    ['does not come', new Response(new ReadableStream(), { status: 500 })],
  ])('is refused for its status when the body %s', async (_why, response) => {
    const clock = createVirtualClock();
    const opened = open(response, clock);
    await clock.advance(5_000);
    expect(await opened).toMatchObject({ ok: false, refusal: { error: { code: 'dify_server_error' } } });
  });
});

test('only JSON with status 200 is a yes', () => {
  expect(acceptedJson({ status: 200, json: null })).toBeNull();
  expect(() => acceptedJson({ status: 200, json: undefined })).toThrow('the answer is not JSON');
  expect(() => acceptedJson({ status: 201, json: {} })).toThrow('Dify refused the request');
  const read = (json: unknown) => (json === 1 ? 'one' : null);
  expect(readAccepted({ status: 200, json: 1 }, read)).toBe('one');
  expect(() => readAccepted({ status: 200, json: 2 }, read)).toThrow('the answer cannot be read');
  expect(() => readAccepted({ status: 500, json: 1 }, read)).toThrow('Dify refused the request');
});

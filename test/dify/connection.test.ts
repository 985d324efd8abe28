// What becomes of the connection after the last event of an answer.
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFetch } from '../../lib/net/fetch.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { httpOf, startServer } from './support.ts';

const END = 'data: {"event":"message_end","conversation_id":"c1","message_id":"m1","task_id":"t1"}\n\n';

const send = createFetch();

/** As the answer is read: the loop is left at the event that ends it. */
async function readToEndEvent(url: string): Promise<void> {
  const opened = await httpOf(url, 'key', { fetch: send }).openStream({
    path: '/',
    headersTimeoutMs: 5_000,
    signal: new AbortController().signal,
  });
  if (!opened.ok) throw new Error('refused');
  for await (const event of opened.events) if (event.kind === 'message-ended') return;
}

test('serves the next answer, where Dify ends its answer right after the event', async () => {
  const sockets = new Set<Socket>();
  const { url } = await startServer((_, response, { socket }) => {
    sockets.add(socket);
    response.setHeader('content-type', 'text/event-stream');
    response.write(END);
    setTimeout(() => response.end(), 20);
  });
  for (let answer = 0; answer < 5; answer += 1) {
    await readToEndEvent(url);
    // Longer than the end is waited for: by then the connection is free, or closed.
    await sleep(350);
  }
  expect(sockets.size).toBe(1);
});

test('is closed where the end does not come', async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await startServer((_, response, { socket }) => {
    socket.once('close', () => closed.resolve());
    response.setHeader('content-type', 'text/event-stream');
    response.write(END);
  });
  await readToEndEvent(url);
  await expect(closed.promise).resolves.toBeUndefined();
});

test('is closed at once where the stream went silent, because the question may be asked once more', async () => {
  const clock = createVirtualClock();
  const closed = Promise.withResolvers<void>();
  const { url } = await startServer((_, response, { socket }) => {
    socket.once('close', () => closed.resolve());
    response.setHeader('content-type', 'text/event-stream');
    response.write('data: {"event":"message","answer":"half"}\n\n');
  });
  const opened = await httpOf(url, 'key', { fetch: send, clock }).openStream({
    path: '/',
    headersTimeoutMs: 5_000,
    signal: new AbortController().signal,
  });
  if (!opened.ok) throw new Error('refused');
  expect(await opened.events.next()).toMatchObject({ value: { text: 'half' } });
  const next = opened.events.next().catch((error: unknown) => error);
  await clock.advance(45_000);
  expect(await next).toMatchObject({ code: 'dify_stalled' });
  await expect(closed.promise).resolves.toBeUndefined();
});

test('is closed where Dify refuses and does not end what it says of it', async () => {
  const clock = createVirtualClock();
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { url } = await startServer((_, response, { socket }) => {
    socket.once('close', () => closed.resolve());
    response.writeHead(400, { 'content-type': 'application/json' }).write('{"code":');
    begun.resolve();
  });
  const opening = httpOf(url, 'key', { fetch: send, clock }).openStream({
    path: '/',
    headersTimeoutMs: 60_000,
    signal: new AbortController().signal,
  });
  let ok: boolean | null = null;
  void opening.then((opened) => (ok = opened.ok));
  await begun.promise;
  await expect
    .poll(async () => {
      await clock.advance(1_000);
      return ok;
    })
    .toBe(false);
  await expect(closed.promise).resolves.toBeUndefined();
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFetch } from '../../lib/net/fetch.ts';
import { readAnswer } from '../../lib/net/http.ts';
import { listenOnLoopback } from '../support/loopback.ts';

const run = promisify(execFile);

interface Seen {
  request: IncomingMessage;
  response: ServerResponse;
  body: string;
}

/** A server that answers each request, once it has all of it, and counts its connections. */
async function startServer(answer: (seen: Seen) => void) {
  const sockets: Socket[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => answer({ request, response, body }));
  });
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => sockets.push(socket));
  const port = await listenOnLoopback(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/path?query=1`, sockets };
}

const text = (answer: Awaited<ReturnType<ReturnType<typeof createFetch>>>) => readAnswer(answer, 1_000);

describe('a call', () => {
  test('sends what it is told, and gives the answer', async () => {
    const { url } = await startServer(({ request: { method, url: path, headers }, response, body }) => {
      response.writeHead(418, { 'X-Version': '1.14.2', 'set-cookie': ['a=1', 'b=2'] });
      response.end(JSON.stringify({ method, path, body, headers }));
    });
    const answer = await createFetch()(url, { method: 'PUT', headers: { authorization: 'Bearer key' }, body: '好' });
    expect(answer.status).toBe(418);
    expect(['x-version', 'X-VERSION', 'set-cookie', 'none'].map((name) => answer.headers.get(name))).toEqual([
      '1.14.2',
      '1.14.2',
      'a=1, b=2',
      null,
    ]);
    expect((await text(answer)).json).toMatchObject({
      method: 'PUT',
      path: '/path?query=1',
      body: '好',
      headers: { authorization: 'Bearer key', 'content-length': '3', 'accept-encoding': 'identity' },
    });
  });

  test('follows no redirect', async () => {
    const { url, sockets } = await startServer(({ response }) => response.writeHead(302, { location: '/other' }).end());
    expect((await createFetch()(url, {})).status).toBe(302);
    expect(sockets).toHaveLength(1);
  });

  test('sends a body as it comes, and fails as the body fails', async () => {
    const { url } = await startServer(({ request: { headers }, response, body }) =>
      response.end(JSON.stringify({ body, length: headers['content-length'] ?? headers['transfer-encoding'] })),
    );
    async function* parts(failure?: Error) {
      yield Buffer.from('one ');
      await sleep(5);
      if (failure) throw failure;
      yield Buffer.from('two');
    }
    const fetch = createFetch();
    expect((await text(await fetch(url, { method: 'POST', body: parts() }))).json).toEqual({
      body: 'one two',
      length: 'chunked',
    });
    const known = { method: 'POST', headers: { 'content-length': '7' } };
    expect((await text(await fetch(url, { ...known, body: parts() }))).json).toEqual({ body: 'one two', length: '7' });
    const failure = new Error('the file broke off');
    await expect(fetch(url, { ...known, body: parts(failure) })).rejects.toBe(failure);
  });

  test('says by its code why there is no answer', async () => {
    const { url, sockets } = await startServer(({ request }) => request.socket.resetAndDestroy());
    await expect(createFetch()(url, {})).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sockets).toHaveLength(1);
    const closed = createServer();
    const port = await listenOnLoopback(closed);
    closed.close();
    await once(closed, 'close');
    await expect(createFetch()(`http://127.0.0.1:${port}`, {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('speaks TLS to an address with https', async () => {
    const { url } = await startServer(({ response }) => response.end());
    await expect(createFetch()(url.replace('http:', 'https:'), {})).rejects.toMatchObject({
      code: 'EPROTO',
    });
  });

  test('fails in its body where the connection breaks, also with nothing that reads it', async () => {
    const { url } = await startServer(({ request, response }) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('part');
      setTimeout(() => request.socket.destroy(), 20);
    });
    const unread = await createFetch()(url, {});
    const read = await createFetch()(url, {});
    await expect(text(read)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(unread.status).toBe(200);
  });
});

describe('an abort', () => {
  const reason = new Error('stopped');

  test('ends a call that has no answer yet, or does not begin it', async () => {
    const { url, sockets } = await startServer(() => controller.abort(reason));
    const controller = new AbortController();
    const fetch = createFetch();
    await expect(fetch(url, { signal: controller.signal })).rejects.toBe(reason);
    await expect(fetch(url, { signal: controller.signal })).rejects.toBe(reason);
    expect(sockets).toHaveLength(1);
  });

  test('ends the reading of a body, and closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await startServer(({ request, response }) => {
      request.socket.once('close', () => closed.resolve());
      response.write('part');
    });
    const controller = new AbortController();
    const { body } = await createFetch()(url, { signal: controller.signal });
    const reading = (async () => {
      for await (const bytes of body ?? []) if (Buffer.from(bytes).toString() === 'part') controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    await closed.promise;
  });
});

describe('a connection', () => {
  test('serves one call after the other, until it was idle for too long', async () => {
    const { url, sockets } = await startServer(({ response }) => response.end('{}'));
    const fetch = createFetch({ idleMs: 200 });
    for (let call = 0; call < 3; call += 1) await text(await fetch(url, {}));
    expect(sockets).toHaveLength(1);
    const [socket] = sockets;
    if (socket && !socket.destroyed) await once(socket, 'close');
    await text(await fetch(url, {}));
    expect(sockets).toHaveLength(2);
  });

  test('that was kept while the function was frozen is not used', async () => {
    const { url, sockets } = await startServer(({ response }) => response.end('{}'));
    let nowMs = 0;
    const fetch = createFetch({ now: () => nowMs });
    const call = async () => text(await fetch(url, {}));
    await call();
    nowMs += 60_000;
    await call();
    expect(sockets).toHaveLength(1);
    nowMs += 60_001;
    await call();
    await call();
    expect(sockets).toHaveLength(2);
  });

  test('goes through the proxy of the environment, where Node is told to', async () => {
    const { url } = await startServer(({ request, response }) => response.end(JSON.stringify({ asked: request.url })));
    const program = `
      import { createFetch } from './lib/net/fetch.ts';
      import { readAnswer } from './lib/net/http.ts';
      const answer = await createFetch()('http://dify.example/v1/info', {});
      console.log((await readAnswer(answer, 1000)).json.asked);
      process.exit();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: new URL('../../', import.meta.url),
      env: { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: new URL(url).origin, NO_PROXY: '' },
    });
    expect(stdout.trim()).toBe('http://dify.example/v1/info');
  });
});

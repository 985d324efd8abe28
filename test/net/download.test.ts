import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { createDownload, type Lookup } from '../../lib/net/download.ts';
import type { DownloadLimits, IncomingFile } from '../../lib/net/transfer.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { listenOnLoopback } from '../support/loopback.ts';

const MB = 1024 * 1024;
const LIMITS: DownloadLimits = { maxBytes: 20 * MB, timeoutMs: 5_000, idleMs: 2_000 };
const OK = 'HTTP/1.1 200 OK\r\n';

/** A server that says what it likes, byte by byte: what a library would not let it say as well. */
async function rawServer(serve: (socket: Socket, request: string) => void) {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (data) => {
      requests.push(data.toString());
      serve(socket, data.toString());
    });
  });
  const port = await listenOnLoopback(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port,
    url: `http://127.0.0.1:${port}/file.bin?secret=sesame`,
    host: `127.0.0.1:${port}`,
    requests,
    /** Waits until the other side has closed every connection. */
    allClosed: () => expect.poll(() => sockets.size).toBe(0),
  };
}

/** Writes without end, as fast as it is read, and says how much it got rid of. */
function flood(socket: Socket, chunk = Buffer.alloc(65_536, 1)) {
  const counted = { bytes: 0 };
  const write = () => {
    while (!socket.destroyed) {
      counted.bytes += chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', write);
  write();
  return counted;
}

const trusting = (host: string, clock: Clock = systemClock, lookup?: Lookup) =>
  createDownload({ clock, trustedHosts: new Set([host]), ...(lookup ? { lookup } : {}) });

async function read(file: IncomingFile): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What it came to, in one comparable value; nothing of the address may be in it. */
async function outcome(work: Promise<unknown>): Promise<object | string> {
  try {
    await work;
    return 'fine';
  } catch (error) {
    if (!(error instanceof BridgeError)) return String(error);
    expect(JSON.stringify([error.message, error.facts])).not.toMatch(/127\.0\.0\.1|sesame|file\.bin/);
    return { code: error.code, ...error.facts };
  }
}

describe('a file', () => {
  test('comes whole, asked for without credentials, and the connection is closed', async () => {
    const server = await rawServer((socket) => {
      socket.write(`${OK}Content-Type: image/png\r\nContent-Length: 10\r\n\r\n01234`);
      setTimeout(() => socket.write('56789'), 20);
    });
    const file = await trusting(server.host)(server.url, LIMITS);
    expect(file).toMatchObject({ size: 10, contentType: 'image/png' });
    expect((await read(file)).toString()).toBe('0123456789');
    await server.allClosed();
    const [asked = ''] = server.requests;
    expect(asked).toMatch(/^GET \/file\.bin\?secret=sesame HTTP\/1\.1\r\n/);
    expect(asked.toLowerCase()).toContain('accept-encoding: identity');
    expect(asked).not.toMatch(/^(?:cookie|authorization|referer):/im);
  });

  test('comes whole in parts of unknown number', async () => {
    const server = await rawServer((socket) => {
      socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
    });
    const file = await trusting(server.host)(server.url, LIMITS);
    expect(file.size).toBeNull();
    expect((await read(file)).toString()).toBe('abcde');
    await server.allClosed();
  });

  test('may be discarded, unread or half read', async () => {
    const server = await rawServer((socket) => {
      socket.write(OK + '\r\n');
      flood(socket);
    });
    const unread = await trusting(server.host)(server.url, LIMITS);
    unread.discard();
    await server.allClosed();
    expect(await read(unread)).toHaveLength(0);
    const halfRead = await trusting(server.host)(server.url, LIMITS);
    for await (const chunk of halfRead.bytes) if (chunk.byteLength > 0) break;
    await server.allClosed();
  });

  test('is not read faster than it is wanted', async () => {
    let sent = { bytes: 0 };
    const server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: ${100 * MB}\r\n\r\n`);
      sent = flood(socket);
    });
    const file = await trusting(server.host)(server.url, { ...LIMITS, maxBytes: 200 * MB });
    const iterator = file.bytes[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What fits into the buffers of both sockets.
    expect(sent.bytes).toBeLessThan(16 * MB);
    file.discard();
    await server.allClosed();
  });
});

describe('an address that must not be called', () => {
  test.each([
    'http://[::1]/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'https://10.0.0.1/',
    'http://0/',
    'http://user:password@example.com/',
    'http://user@example.com/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'ftp://example.com/file',
    'gopher://example.com/',
    'javascript:alert(1)',
    '/files/relative',
    '',
  ])('%s', async (url) => {
    let looked = 0;
    const lookup: Lookup = async () => {
      looked += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const download = createDownload({ clock: systemClock, trustedHosts: new Set(), lookup });
    expect(await outcome(download(url, LIMITS))).toEqual({ code: 'file_address_refused' });
    expect(looked).toBe(0);
  });

  test('is a name with a private address, also as one among several; nothing is connected', async () => {
    const server = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    const url = `http://files.example.com:${server.port}/`;
    const own = { address: '127.0.0.1', family: 4 };
    const others = { address: '8.8.8.8', family: 4 };
    for (const addresses of [[own], [others, own], [{ address: '::1', family: 6 }], []]) {
      const download = createDownload({ clock: systemClock, trustedHosts: new Set(), lookup: async () => addresses });
      expect(await outcome(download(url, LIMITS))).toEqual({ code: 'file_address_refused' });
    }
    expect(server.requests).toEqual([]);
  });

  test('is the same name with another port than the trusted one', async () => {
    const server = await rawServer((socket) => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    const download = trusting('127.0.0.1:1');
    expect(await outcome(download(server.url, LIMITS))).toEqual({ code: 'file_address_refused' });
  });

  test.each([301, 302, 303, 307, 308])('is where a %i leads', async (status) => {
    const server = await rawServer((socket) => {
      socket.write(`HTTP/1.1 ${status} Moved\r\nLocation: ${server.url}\r\nContent-Length: 0\r\n\r\n`);
    });
    const refusal = await outcome(trusting(server.host)(server.url, LIMITS));
    expect(refusal).toEqual({ code: 'file_address_refused', status });
    expect(server.requests).toHaveLength(1);
    await server.allClosed();
  });

  test('is not refused when it is a name that an operator trusts: the address looked up is the one called', async () => {
    const server = await rawServer((socket) => socket.write(`${OK}Content-Length: 2\r\n\r\nok`));
    let looked = 0;
    const lookup: Lookup = async () => {
      looked += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const host = `dify.internal:${server.port}`;
    const file = await trusting(host, systemClock, lookup)(`http://${host}/`, LIMITS);
    expect((await read(file)).toString()).toBe('ok');
    expect(looked).toBe(1);
  });
});

describe('a file that is too large', () => {
  test('by its own word is not read', async () => {
    let sent = { bytes: 0 };
    const server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: ${100 * MB}\r\n\r\n`);
      sent = flood(socket);
    });
    const refusal = await outcome(trusting(server.host)(server.url, LIMITS));
    expect(refusal).toEqual({ code: 'file_too_large', maxBytes: 20 * MB });
    await server.allClosed();
    expect(sent.bytes).toBeLessThan(16 * MB);
  });

  test('and does not say so is read up to the limit', async () => {
    const server = await rawServer((socket) => {
      socket.write(OK + '\r\n');
      flood(socket);
    });
    const file = await trusting(server.host)(server.url, LIMITS);
    let received = 0;
    const reading = async () => {
      for await (const chunk of file.bytes) received += chunk.byteLength;
    };
    expect(await outcome(reading())).toEqual({ code: 'file_too_large', maxBytes: 20 * MB });
    expect(received).toBeLessThanOrEqual(20 * MB);
    await server.allClosed();
  });

  test('and says it is small gives no byte more than it said', async () => {
    const server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: 4\r\n\r\n0123`);
      flood(socket);
    });
    const file = await trusting(server.host)(server.url, LIMITS);
    expect((await read(file)).toString()).toBe('0123');
    await server.allClosed();
  });

  test('is one byte over the limit, not one at it', async () => {
    const server = await rawServer((socket) => socket.end(`${OK}Connection: close\r\n\r\n01234`));
    const download = trusting(server.host);
    expect(await read(await download(server.url, { ...LIMITS, maxBytes: 5 }))).toHaveLength(5);
    const over = await download(server.url, { ...LIMITS, maxBytes: 4 });
    expect(await outcome(read(over))).toEqual({ code: 'file_too_large', maxBytes: 4 });
  });
});

describe('a file that cannot be had', () => {
  const unavailable = (facts: object) => ({ code: 'file_unavailable', ...facts });

  test.each([
    ['is not there', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', { status: 404 }],
    ['is a part', 'HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx', { status: 206 }],
    ['is packed, unasked', `${OK}Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx`, { reason: 'encoding' }],
    ['speaks another protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', { status: 101 }],
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', { reason: 'network' }],
    ['has two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`, { reason: 'network' }],
    ['has a head without end', `${OK}X: ${'x'.repeat(100_000)}`, { reason: 'network' }],
  ])('because it %s', async (_what, answer, facts) => {
    const server = await rawServer((socket) => socket.write(answer));
    expect(await outcome(trusting(server.host)(server.url, LIMITS))).toMatchObject(unavailable(facts));
    await server.allClosed();
  });

  test('because nobody is there, or no such name', async () => {
    const gone = trusting('127.0.0.1:1');
    expect(await outcome(gone('http://127.0.0.1:1/', LIMITS))).toEqual(
      unavailable({ reason: 'network', network: 'ECONNREFUSED' }),
    );
    const lookup: Lookup = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.example.com'), { code: 'ENOTFOUND' });
    };
    const nameless = createDownload({ clock: systemClock, trustedHosts: new Set(), lookup });
    expect(await outcome(nameless('http://nowhere.example.com/', LIMITS))).toEqual(
      unavailable({ reason: 'network', network: 'ENOTFOUND' }),
    );
  });

  test('because the connection ends before it does', async () => {
    const server = await rawServer((socket) => socket.end(`${OK}Content-Length: 10\r\n\r\n0123`));
    const file = await trusting(server.host)(server.url, LIMITS);
    expect(await outcome(read(file))).toEqual(unavailable({ reason: 'cut' }));
    const chunked = await rawServer((socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\n01`));
    const part = await trusting(chunked.host)(chunked.url, LIMITS);
    expect(await outcome(read(part))).toEqual(unavailable({ reason: 'cut' }));
  });

  test('because no answer comes', async () => {
    const clock = createVirtualClock();
    const server = await rawServer(() => {});
    const waiting = outcome(trusting(server.host, clock)(server.url, LIMITS));
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(2_000);
    expect(await waiting).toEqual(unavailable({ reason: 'timeout', limitMs: 2_000 }));
    await server.allClosed();
  });

  test('because the name is not found in time', async () => {
    const clock = createVirtualClock();
    const lookup: Lookup = () => new Promise(() => {});
    const waiting = outcome(createDownload({ clock, trustedHosts: new Set(), lookup })('http://example.com/', LIMITS));
    await clock.advance(2_000);
    expect(await waiting).toEqual(unavailable({ reason: 'timeout', limitMs: 2_000 }));
  });

  test('because it stops coming', async () => {
    const clock = createVirtualClock();
    const server = await rawServer((socket) => socket.write(`${OK}Content-Length: 10\r\n\r\n0123`));
    const file = await trusting(server.host, clock)(server.url, LIMITS);
    const iterator = file.bytes[Symbol.asyncIterator]();
    await iterator.next();
    // A reader who takes his time is no sender who does.
    await clock.advance(2_500);
    const waiting = outcome(iterator.next());
    await clock.advance(2_000);
    expect(await waiting).toEqual(unavailable({ reason: 'timeout', limitMs: 2_000 }));
    await server.allClosed();
  });

  test('because it drips so slowly that it would never end', async () => {
    const clock = createVirtualClock();
    let drip = () => {};
    const server = await rawServer((socket) => {
      socket.write(`${OK}Content-Length: 1000\r\n\r\n`);
      drip = () => void socket.write('x');
    });
    const file = await trusting(server.host, clock)(server.url, LIMITS);
    const iterator = file.bytes[Symbol.asyncIterator]();
    for (let drops = 0; drops < 3; drops += 1) {
      const next = iterator.next();
      await clock.advance(1_500);
      drip();
      expect(await next).toMatchObject({ done: false });
    }
    const last = outcome(iterator.next());
    await clock.advance(500);
    expect(await last).toEqual(unavailable({ reason: 'timeout', limitMs: 5_000 }));
    await server.allClosed();
  });

  test('because nobody reads it until its time is over', async () => {
    const clock = createVirtualClock();
    const server = await rawServer((socket) => socket.write(`${OK}Content-Length: 10\r\n\r\n0123`));
    const file = await trusting(server.host, clock)(server.url, LIMITS);
    await clock.advance(5_000);
    await server.allClosed();
    expect(await outcome(read(file))).toEqual(unavailable({ reason: 'timeout', limitMs: 5_000 }));
  });
});

describe('an abort', () => {
  test('ends it before the call, before the answer and within the file, with its own reason', async () => {
    const server = await rawServer((socket, request) => {
      if (request.startsWith('GET /answering')) socket.write(`${OK}Content-Length: 10\r\n\r\n0123`);
    });
    const download = trusting(server.host);
    const before = AbortSignal.abort(new Error('stopped by the asker'));
    expect(await outcome(download(server.url, { ...LIMITS, signal: before }))).toContain('stopped by the asker');
    expect(server.requests).toHaveLength(0);

    const early = new AbortController();
    const waiting = outcome(download(server.url, { ...LIMITS, signal: early.signal }));
    await expect.poll(() => server.requests.length).toBe(1);
    early.abort(new Error('stopped by the asker'));
    expect(await waiting).toContain('stopped by the asker');

    const late = new AbortController();
    const file = await download(`http://${server.host}/answering`, { ...LIMITS, signal: late.signal });
    const reading = outcome(read(file));
    late.abort(new Error('stopped by the asker'));
    expect(await reading).toContain('stopped by the asker');
    await server.allClosed();
  });
});

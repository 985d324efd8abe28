import { createServer, type IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { multipart, sendForm, type MultipartFile } from '../../lib/net/multipart.ts';
import { safeFileName } from '../../lib/net/file-name.ts';
import { readBody } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

async function* bytesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

const fileOf = (changes: Partial<MultipartFile> = {}): MultipartFile => ({
  field: 'file',
  name: 'a.txt',
  type: 'text/plain',
  size: 5,
  bytes: bytesOf('hel', 'lo'),
  ...changes,
});

const formOf = (changes: Partial<MultipartFile> = {}, fields: Record<string, string> = {}) =>
  multipart({ fields, file: fileOf(changes) });

/** A server that reads forms as somebody else wrote the rules: the web's own `FormData`. */
async function scene() {
  const seen: { headers: IncomingMessage['headers']; form: FormData }[] = [];
  const server = await startServer(async (request, response) => {
    const body = await readBody(request);
    const form = await new Response(body, { headers: request.headers as Record<string, string> }).formData();
    seen.push({ headers: request.headers, form });
    response.end(JSON.stringify({ bytes: body.length }));
  });
  onTestFinished(() => server.close());
  const send = (form: ReturnType<typeof formOf>, timeoutMs = 5_000) =>
    sendForm(fetch, systemClock, { url: server.origin, headers: { authorization: 'Bearer k' }, form, timeoutMs });
  return { seen, send };
}

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describe('a form with a file', () => {
  test('arrives as a form, with its exact length', async () => {
    const { seen, send } = await scene();
    const answer = await send(formOf({ name: '报告 "终稿".txt' }, { user: '王小明', note: 'two\r\nlines' }));
    const [arrived] = seen;
    expect(arrived?.headers).toMatchObject({
      authorization: 'Bearer k',
      'content-length': String((answer.json as { bytes: number }).bytes),
    });
    expect(arrived?.headers['transfer-encoding']).toBeUndefined();
    expect([...(arrived?.form.keys() ?? [])]).toEqual(['user', 'note', 'file']);
    expect(arrived?.form.get('user')).toBe('王小明');
    expect(arrived?.form.get('note')).toBe('two\r\nlines');
    const file = arrived?.form.get('file') as File;
    expect([file.name, file.type, await file.text()]).toEqual(['报告 "终稿".txt', 'text/plain', 'hello']);
  });

  test('of unknown length goes out in chunks', async () => {
    const { seen, send } = await scene();
    await send(formOf({ size: null }));
    expect(seen[0]?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(seen[0]?.headers['content-length']).toBeUndefined();
    const file = seen[0]?.form.get('file') as File;
    expect(await file.text()).toBe('hello');
  });

  test('cannot be given other fields or headers by its names', async () => {
    const { seen, send } = await scene();
    const name = 'a"\r\nX-Evil: 1\r\n\r\n--x\r\nContent-Disposition: form-data; name="user"\r\n\r\nroot\r\n.txt';
    await send(formOf({ name, type: 'text/html\r\nX-Evil: 1' }, { 'us"er\r\nX: y': 'me' }));
    expect([...(seen[0]?.form.keys() ?? [])]).toEqual(['us"er\r\nX: y', 'file']);
    expect(seen[0]?.form.get('user')).toBeNull();
    const file = seen[0]?.form.get('file') as File;
    expect(file.type).toBe('application/octet-stream');
    expect(file.name).not.toMatch(/[\r\n]/);
    expect(await file.text()).toBe('hello');
  });

  test('fails with the error of its bytes, not with one of the network', async () => {
    const { seen, send } = await scene();
    const mine = new BridgeError('file_too_large', 'too large');
    for (const size of [null, 500]) {
      const failing = async function* () {
        yield new Uint8Array(100);
        throw mine;
      };
      expect(await errorOf(send(formOf({ size, bytes: failing() })))).toBe(mine);
    }
    expect(seen).toEqual([]);
  });

  test.each([4, 6])('fails when its bytes are not as many as announced (%i)', async (size) => {
    const { seen, send } = await scene();
    expect(await errorOf(send(formOf({ size })))).toMatchObject({ code: 'file_unavailable' });
    expect(seen).toEqual([]);
  });

  test('is given up after its time, and its bytes are left', async () => {
    const { send } = await scene();
    let isLeft = false;
    const endless = async function* () {
      try {
        for (;;) {
          yield new Uint8Array(10);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      } finally {
        isLeft = true;
      }
    };
    const error = await errorOf(send(formOf({ size: null, bytes: endless() }), 100));
    expect(error).toMatchObject({ name: 'TimeoutError' });
    await expect.poll(() => isLeft).toBe(true);
  });

  test('hears the refusal of a server that does not read it to the end', async () => {
    // It leaves the connection open: where it is closed, the break can overtake the refusal.
    const server = createServer((_request, response) => {
      response.writeHead(413).end('{"code":"file_too_large"}');
    });
    const port = await listenOnLoopback(server);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const slow = async function* () {
      for (let n = 0; n < 200; n += 1) {
        yield new Uint8Array(65_536);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const form = formOf({ size: 200 * 65_536, bytes: slow() });
    const url = `http://127.0.0.1:${port}/`;
    expect(await sendForm(fetch, systemClock, { url, form, timeoutMs: 5_000 })).toEqual({
      status: 413,
      json: { code: 'file_too_large' },
    });
  });
});

describe('a safe file name', () => {
  test.each([
    ['report.pdf', 'report.pdf'],
    ['  spaced.pdf ', 'spaced.pdf'],
    ['../../etc/passwd', 'etcpasswd'],
    ['C:\\Windows\\a.exe', 'C:Windowsa.exe'],
    ['a\u0000b\u0007\u007F\u0085c.txt', 'abc.txt'],
    ['line\r\nbreak\u2028.txt', 'linebreak.txt'],
    ['photo\u202Egpj.exe', 'photogpj.exe'],
    ['.htaccess', 'htaccess'],
    ['..', ''],
    ['\uD800a.txt', '\uFFFDa.txt'],
    ['会议纪要👨‍👩‍👧.docx', '会议纪要👨‍👩‍👧.docx'],
  ])('%j becomes %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });

  test('has at most 200 characters and keeps its extension', () => {
    const long = safeFileName(`${'😀'.repeat(300)}.docx`);
    expect(Array.from(long)).toHaveLength(200);
    expect(long.isWellFormed() && long.endsWith('😀.docx')).toBe(true);
    expect(safeFileName(`a.${'x'.repeat(300)}`)).toHaveLength(200);
  });
});

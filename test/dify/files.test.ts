import { describe, expect, onTestFinished, test } from 'vitest';
import { createDifyFiles } from '../../lib/dify/files.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { Fetch } from '../../lib/net/http.ts';
import { readBody } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { httpOf } from './support.ts';

interface Scripted {
  status: number;
  body: unknown;
}

/** A Dify that takes any form and answers what the test says. */
async function scene(answer: Scripted | null = { status: 201, body: { id: 'file-1', name: 'a' } }) {
  const seen: { path: string; authorization: string; length: string | undefined; form: FormData }[] = [];
  const server = await startServer(async (request, response) => {
    const body = await readBody(request);
    const { 'content-type': type = '', authorization = '', 'content-length': length } = request.headers;
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    seen.push({ path: request.url ?? '', authorization, length, form });
    if (!answer) return;
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status).end(text);
  });
  onTestFinished(() => server.close());
  const filesWith = (ports: Parameters<typeof httpOf>[2] = {}) =>
    createDifyFiles(httpOf(`${server.origin}/v1`, 'app-secret-key', ports));
  return { seen, filesWith, files: filesWith(), stop: () => server.close() };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const fileOf = (changes = {}) => ({
  name: '报告.pdf',
  mimeType: 'application/pdf',
  size: 5,
  bytes: bytesOf('hello'),
  user: 'user-1',
  ...changes,
});

async function outcome(work: Promise<unknown>) {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    expect(JSON.stringify([error.message, error.facts])).not.toMatch(/secret|报告|127\.0\.0\.1/);
    return { code: error.code, ...error.facts };
  }
}

describe('an upload', () => {
  test('gives the file to Dify in the name of the asker', async () => {
    const { files, seen } = await scene();
    expect(await files.upload(fileOf())).toEqual({ id: 'file-1' });
    expect(seen).toMatchObject([{ path: '/v1/files/upload', authorization: 'Bearer app-secret-key' }]);
    expect(Number(seen[0]?.length)).toBeGreaterThan(5);
    expect(seen[0]?.form.get('user')).toBe('user-1');
    const file = seen[0]?.form.get('file') as File;
    expect([file.name, file.type, await file.text()]).toEqual(['报告.pdf', 'application/pdf', 'hello']);
  });

  test.each([
    [413, { code: 'file_too_large', message: '' }, 'file_too_large'],
    [413, '<html>413 Request Entity Too Large</html>', 'file_too_large'],
    [400, { code: 'file_too_large', message: 'secret' }, 'file_too_large'],
    [415, { code: 'unsupported_file_type', message: 'secret' }, 'file_not_accepted'],
    [415, '<html>secret</html>', 'file_not_accepted'],
    [400, { code: 'unsupported_file_type', message: 'secret' }, 'file_not_accepted'],
    [401, { code: 'unauthorized', message: 'secret' }, 'dify_unauthorized'],
    [403, { code: 'forbidden', message: 'secret' }, 'file_upload_failed'],
    [400, { code: 'invalid_param', message: 'secret' }, 'file_upload_failed'],
    [500, 'secret', 'file_upload_failed'],
    [302, '', 'file_upload_failed'],
    [201, { id: null }, 'file_upload_failed'],
    [200, '<html>login</html>', 'file_upload_failed'],
  ])('that is answered with %i %j', async (status, body, code) => {
    const { files } = await scene({ status, body });
    expect(await outcome(files.upload(fileOf()))).toMatchObject({ code, status });
  });

  test('fails with the error of the file, not with one of Dify', async () => {
    const { files, seen } = await scene();
    const mine = new BridgeError('file_too_large', 'too large', { maxBytes: 3 });
    const failing = async function* () {
      yield new Uint8Array(3);
      throw mine;
    };
    await expect(files.upload(fileOf({ size: null, bytes: failing() }))).rejects.toBe(mine);
    expect(seen).toEqual([]);
  });

  test('that is not answered', async () => {
    const clock = createVirtualClock();
    const { filesWith, seen, stop, files } = await scene(null);
    const waiting = outcome(filesWith({ clock }).upload(fileOf()));
    await expect.poll(() => seen.length).toBe(1);
    await clock.advance(59_000);
    await clock.advance(1_000);
    expect(await waiting).toMatchObject({ code: 'dify_timeout' });
    await stop();
    expect(await outcome(files.upload(fileOf()))).toMatchObject({ code: 'dify_unreachable' });
  });

  test('that was called off is no longer waited for', async () => {
    const { files, seen } = await scene(null);
    const controller = new AbortController();
    const waiting = outcome(files.upload(fileOf({ signal: controller.signal })));
    await expect.poll(() => seen.length).toBe(1);
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'dify_unreachable' });
  });
});

describe('a recording', () => {
  test.each([
    ['audio/mpeg', 'audio/mp3'],
    ['audio/x-m4a', 'audio/m4a'],
    ['audio/wav', 'audio/wav'],
    ['audio/amr', 'audio/amr'],
    ['audio/ogg', 'audio/ogg'],
  ])('of type %s is sent as %s and comes back as words', async (mimeType, type) => {
    const { files, seen } = await scene({ status: 200, body: { text: ' 年假怎么申请 ' } });
    expect(await files.transcribe(fileOf({ name: 'voice.amr', mimeType }))).toBe('年假怎么申请');
    expect(seen).toMatchObject([{ path: '/v1/audio-to-text' }]);
    const file = seen[0]?.form.get('file') as File;
    expect(file.type).toBe(type);
    expect(seen[0]?.form.get('user')).toBe('user-1');
  });

  test.each([
    [{ status: 200, body: { text: null } }, ''],
    [{ status: 413, body: { code: 'audio_too_large' } }, { code: 'file_too_large' }],
    [{ status: 415, body: { code: 'unsupported_audio_type' } }, { code: 'file_not_accepted' }],
    [
      { status: 400, body: { code: 'speech_to_text_disabled' } },
      { code: 'file_upload_failed', upstreamCode: 'speech_to_text_disabled' },
    ],
    [
      { status: 200, body: 'no JSON' },
      { code: 'file_upload_failed', status: 200 },
    ],
  ])('that is answered with %j', async (answer, expected) => {
    const { files } = await scene(answer);
    const result = await outcome(files.transcribe(fileOf({ mimeType: 'audio/amr' })));
    if (typeof expected === 'string') expect(result).toBe(expected);
    else expect(result).toMatchObject(expected);
  });
});

test('redirects with the key are not followed', async () => {
  const called: string[] = [];
  const { filesWith } = await scene({ status: 307, body: '' });
  const watching: Fetch = (url, init) => {
    called.push(String(init.redirect));
    return fetch(url, init);
  };
  await outcome(filesWith({ fetch: watching }).upload(fileOf()));
  expect(called).toEqual(['manual']);
});

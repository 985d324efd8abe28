import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { behaviourOf } from '../../playground/dify/behaviour.ts';
import { createMemory } from '../../playground/dify/memory.ts';
import { createUploads } from '../../playground/dify/uploads.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import type { Question, SampleApp } from '../../playground/dify/types.ts';
import { startDify } from './support.ts';

const script = ({ files }: Question) => ({ chunks: [{ text: files.map(({ name }) => name).join() }] });
const user = 'staff-0001';

const file_upload = { enabled: true, allowed_file_types: ['image', 'document'], number_limits: 2 };
const form = [
  { file: { variable: 'invoice', required: true, allowed_file_types: ['document'] } },
  { 'file-list': { variable: 'photos', required: false, allowed_file_types: ['image'], max_length: 1 } },
];

async function start(parameters: Json = { file_upload }, mode: SampleApp['mode'] = 'chat') {
  const apps = { key: { mode, name: 'x', parameters, script }, other: { mode, name: 'y', parameters, script } };
  const started = await startDify({ apps });
  const post = async (body: FormData | Buffer | ReadableStream, headers: Record<string, string> = {}) => {
    const response = await fetch(`${started.dify.url}/files/upload`, {
      method: 'POST',
      headers: { authorization: 'Bearer key', ...headers },
      body,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    });
    return { status: response.status, body: recordOf(parseJson(await response.text())) };
  };
  const upload = (name: string, bytes: Uint8Array<ArrayBuffer> | string = 'bytes', type = 'image/png', by = user) => {
    const data = new FormData();
    data.append('file', new Blob([bytes], { type }), name);
    data.append('user', by);
    return post(data);
  };
  const ask = (changes: Json) =>
    started.call('key', 'POST', '/chat-messages', {
      query: 'q',
      inputs: {},
      user,
      response_mode: 'blocking',
      ...changes,
    });
  const local = async (name: string, type: string, mimeType?: string, by = user) => ({
    type,
    transfer_method: 'local_file',
    upload_file_id: (await upload(name, 'bytes', mimeType, by)).body['id'],
  });
  return { ...started, post, upload, ask, local };
}

const multipart = { 'content-type': 'multipart/form-data; boundary=b' };
const rawFile = (disposition: string, type = 'content-type: image/png\r\n') =>
  `--b\r\ncontent-disposition: form-data; ${disposition}\r\n${type}\r\nbytes\r\n`;
const rawUser = '--b\r\ncontent-disposition: form-data; name="user"\r\n\r\nstaff-0001\r\n';
const raw = (...parts: string[]) => Buffer.from(`${parts.join('')}--b--\r\n`);

test('of what was uploaded and what apps made, the oldest goes first when it is much', () => {
  const memory = createMemory({
    clock: systemClock,
    createId: () => crypto.randomUUID(),
    behaviour: behaviourOf(),
    apps: {},
    filesUrl: 'own',
    ownOrigin: () => 'http://127.0.0.1',
  });
  const bytes = Buffer.alloc(100 * 1024 * 1024);
  const parts = [
    { name: 'file', filename: 'a.mp4', mimeType: 'video/mp4', bytes },
    { name: 'user', filename: undefined, mimeType: '', bytes: Buffer.from(user) },
  ];
  const uploads = createUploads(memory);
  for (let count = 0; count < 3; count += 1) uploads.upload({ mode: 'chat', name: 'x' }, 'key', parts);
  expect(memory.uploads.size).toBe(2);
  const served = Array.from({ length: 3 }, () => new URL(memory.files.make({ name: 'a.mp4', bytes }).url)).map(
    ({ pathname, searchParams }) => memory.files.serve(pathname, searchParams).status,
  );
  expect(served).toEqual([404, 200, 200]);
});

describe('POST /files/upload', () => {
  test('keeps the bytes, name, type and owner', async () => {
    const { dify, upload } = await start();
    const bytes = new Uint8Array([0, 13, 10, 45, 45, 98, 255]);
    const { status, body } = await upload('发票.PNG', bytes);
    expect([status, body]).toMatchObject([
      201,
      { name: '发票.PNG', size: 7, extension: 'png', mime_type: 'image/png', preview_url: null },
    ]);
    const kept = dify.uploads.get(String(body['id']));
    expect(kept).toMatchObject({ name: '发票.PNG', mimeType: 'image/png', user, key: 'key' });
    expect([...(kept?.bytes ?? [])]).toEqual([...bytes]);
    expect(dify.requests.at(-1)).toMatchObject({ api: 'upload', user, status: 201, body: { file: { size: 7 } } });
    expect(dify.violations).toEqual([]);
  });

  test('takes a chunked body, too', async () => {
    const { dify, post } = await start();
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of raw(rawFile('name="file"; filename="a.png"'), rawUser)) controller.enqueue(Buffer.of(byte));
        controller.close();
      },
    });
    expect((await post(stream, multipart)).status).toBe(201);
    expect([...dify.uploads.values()]).toMatchObject([{ name: 'a.png', bytes: Buffer.from('bytes') }]);
  });

  test.each([
    ['no file', raw(rawUser), 400, 'no_file_uploaded'],
    ['a file under another name', raw(rawFile('name="files"; filename="a.png"'), rawUser), 400, 'no_file_uploaded'],
    [
      'two files under two names',
      raw(rawFile('name="file"; filename="a.png"'), rawFile('name="other"; filename="b.png"'), rawUser),
      400,
      'too_many_files',
    ],
    ['no name', raw(rawFile('name="file"; filename=""'), rawUser), 400, 'filename_not_exists_error'],
    ['a bad name', raw(rawFile('name="file"; filename="a/b.png"'), rawUser), 400, 'invalid_param'],
    ['no type', raw(rawFile('name="file"; filename="a.png"', ''), rawUser), 415, 'unsupported_file_type'],
  ])('refuses %s', async (_what, body, status, code) => {
    const { dify, post } = await start();
    expect(await post(body, multipart)).toMatchObject({ status, body: { code } });
    expect([dify.uploads.size, dify.violations]).toEqual([0, []]);
  });

  test('refuses what is larger than its class allows; the app sets the limits', async () => {
    const limits = { image_file_size_limit: 1, file_size_limit: 2 };
    const { upload } = await start({ system_parameters: limits });
    const bytes = new Uint8Array(1024 * 1024 + 1);
    expect(await upload('a.png', bytes)).toMatchObject({ status: 413, body: { code: 'file_too_large', message: '' } });
    expect((await upload('a.png', bytes.subarray(1))).status).toBe(201);
    expect((await upload('a.pdf', bytes)).status).toBe(201);
    expect((await upload('a.mp3', bytes)).status).toBe(201);
  });

  test('a missing user, a body of another kind and a cut body are violations', async () => {
    const { dify, post } = await start();
    const file = rawFile('name="file"; filename="a.png"');
    expect((await post(raw(file), multipart)).status).toBe(201);
    expect([...dify.uploads.values()][0]?.user).toBe('DEFAULT-USER');
    expect((await post(Buffer.from('{}'), { 'content-type': 'application/json' })).status).toBe(400);
    expect((await post(Buffer.from(file), multipart)).status).toBe(400);
    expect((await post(Buffer.from('bytes'), multipart)).status).toBe(400);
    expect(dify.violations.map(({ code }) => code)).toEqual([
      'missing-user',
      'invalid-body',
      'missing-user',
      'invalid-body',
      'missing-user',
      'invalid-body',
      'missing-user',
    ]);
  });

  test('needs a key', async () => {
    const { post } = await start();
    expect((await post(raw(rawUser), { ...multipart, authorization: 'Bearer none' })).status).toBe(401);
  });
});

describe('files of a question', () => {
  test('reach the script and the run', async () => {
    const { dify, ask, local } = await start();
    const remote = { type: 'document', transfer_method: 'remote_url', url: 'https://example.com/a%20b.pdf?x=1' };
    const own = await local('a.png', 'image');
    expect((await ask({ files: [own, remote] })).body['answer']).toBe('a.png,a b.pdf');
    expect(dify.runs[0]?.files).toMatchObject([
      { id: own.upload_file_id, type: 'image', name: 'a.png', variable: null, size: 5 },
      { id: null, type: 'document', name: 'a b.pdf', variable: null, url: remote.url },
    ]);
    expect(dify.violations).toEqual([]);
  });

  test('must belong to the same user of the same app', async () => {
    const { dify, ask, call, local, question } = await start();
    const own = await local('a.png', 'image');
    const foreign = await local('a.png', 'image', 'image/png', 'staff-0002');
    const refused = { status: 400, body: { code: 'invalid_param', message: 'Invalid upload file' } };
    expect(await ask({ files: [foreign] })).toMatchObject(refused);
    expect(await ask({ files: [{ ...own, upload_file_id: crypto.randomUUID() }] })).toMatchObject(refused);
    expect(await call('other', 'POST', '/chat-messages', { ...question, files: [own] })).toMatchObject(refused);
    expect([dify.runs, dify.violations]).toEqual([[], []]);
  });

  test.each<[what: string, changes: Json, message: RegExp, violations: number]>([
    ['an unknown class', { type: 'picture' }, / is not a valid FileType$/u, 1],
    ['an unknown method', { transfer_method: 'tool_file' }, / is not a valid FileTransferMethod$/u, 1],
    ['an id that is none', { upload_file_id: 'abc' }, /^Invalid upload file id format/u, 1],
    ['no id', { upload_file_id: undefined }, /^Invalid upload file id$/u, 1],
    ['a remote file without address', { transfer_method: 'remote_url' }, /^Invalid file url/u, 1],
    [
      'a class of its own that the app does not take',
      { type: 'custom' },
      /^File validation failed for file: a.png/u,
      0,
    ],
  ])('are refused with %s', async (_what, changes, message, violations) => {
    const { dify, ask, local } = await start();
    const { status, body } = await ask({ files: [{ ...(await local('a.png', 'image')), ...changes }] });
    expect([status, body['code'], body['message']]).toEqual([400, 'invalid_param', expect.stringMatching(message)]);
    expect(dify.violations).toHaveLength(violations);
  });

  test('of another class than they are given are taken all the same, which is a violation', async () => {
    const { dify, ask, local } = await start();
    expect((await ask({ files: [{ ...(await local('a.png', 'image')), type: 'document' }] })).status).toBe(200);
    expect(dify.violations).toMatchObject([{ code: 'invalid-body', message: 'a.png is no document' }]);
  });

  test('are refused when the app does not take their class, or so many', async () => {
    const { ask, local } = await start();
    const sound = await local('a.mp3', 'audio', 'audio/mp3');
    expect((await ask({ files: [sound] })).body['message']).toBe('File validation failed for file: a.mp3');
    const own = await local('a.png', 'image');
    expect((await ask({ files: [own, own] })).status).toBe(200);
    expect((await ask({ files: [own, own, own] })).body['message']).toMatch(/exceeds the maximum limit 2/u);
  });

  test('custom ones are chosen by their extension', async () => {
    const custom = { enabled: true, allowed_file_types: ['custom'], allowed_file_extensions: ['.zip'] };
    const { ask, local } = await start({ file_upload: custom });
    expect((await ask({ files: [await local('a.zip', 'custom', 'application/zip')] })).status).toBe(200);
    expect((await ask({ files: [await local('a.rar', 'custom', 'application/zip')] })).status).toBe(400);
  });

  test('are ignored when the app has no file upload, which is a violation', async () => {
    const { dify, ask, local } = await start({});
    expect(await ask({ files: [await local('a.png', 'image')] })).toMatchObject({ status: 200, body: { answer: '' } });
    expect(dify.runs[0]?.files).toEqual([]);
    expect(dify.violations).toMatchObject([{ code: 'files-ignored' }]);
  });

  test('in a worker of 1.13 a wrong one gives the nameless frame', async () => {
    const { ask } = await startDify({ version: '1.13.0', behaviour: { silenceAfterErrorMs: 0 } });
    expect((await ask('workflow', { inputs: {} })).events).toEqual([{ event: 'error', message: '', status: 500 }]);
  });
});

describe('files in inputs', () => {
  test('are read by their variables', async () => {
    const { dify, ask, local } = await start({ user_input_form: form });
    const inputs = {
      invoice: await local('a.pdf', 'document', 'application/pdf'),
      photos: [await local('b.png', 'image')],
    };
    expect((await ask({ inputs })).status).toBe(200);
    expect(dify.runs[0]?.files.map(({ name, variable }) => [name, variable])).toEqual([
      ['a.pdf', 'invoice'],
      ['b.png', 'photos'],
    ]);
  });

  test('are refused when missing, misshapen, of the wrong class or too many', async () => {
    const { ask, local } = await start({ user_input_form: form });
    const invoice = await local('a.pdf', 'document', 'application/pdf');
    const photo = await local('b.png', 'image');
    const messageOf = async (inputs: Json) => (await ask({ inputs })).body['message'];
    expect(await messageOf({})).toBe('invoice is required in input form');
    expect(await messageOf({ invoice: 'a.pdf' })).toBe('invoice in input form must be a file');
    expect(await messageOf({ invoice: photo })).toBe('File validation failed for file: b.png');
    expect(await messageOf({ invoice, photos: photo })).toBe('photos in input form must be a list of files');
    expect(await messageOf({ invoice, photos: [photo, photo] })).toBe('photos in input form must be less than 1 files');
  });
});

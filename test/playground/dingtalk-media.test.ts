import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { sampleFiles } from '../../playground/dingtalk/samples.ts';
import type { DingTalkOptions, MediaType, UploadedMedia } from '../../playground/dingtalk/types.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { app, groupId, startDingTalk } from './support.ts';

const png = sampleFiles.picture.bytes;
const megabyte = 1024 * 1024;

interface Upload {
  type?: string | null;
  name?: string;
  bytes?: Uint8Array;
  field?: string;
  token?: string | null;
}

async function startUploads(options: Partial<DingTalkOptions> = {}) {
  const started = await startDingTalk(options);
  const token = await started.getToken();
  const address = (type: string | null = 'image', given: string | null = token) => {
    const query = new URLSearchParams();
    if (given !== null) query.set('access_token', given);
    if (type !== null) query.set('type', type);
    return `${started.dingtalk.origin}/media/upload?${query.toString()}`;
  };
  const post = async (url: string, body: RequestInit['body'], headers: Record<string, string> = {}): Promise<Json> => {
    const response = await fetch(url, { method: 'POST', body: body ?? null, headers, duplex: 'half' });
    expect(response.status).toBe(200);
    return recordOf(parseJson(await response.text()));
  };
  const upload = ({
    type = 'image',
    name = 'a.png',
    bytes = png,
    field = 'media',
    token: given = token,
  }: Upload = {}) => {
    const form = new FormData();
    form.set(field, new File([new Uint8Array(bytes)], name));
    return post(address(type, given), form);
  };
  return { ...started, address, post, upload };
}

/** A form as it goes over the wire, with a boundary of its own. */
function written(name: string | null, bytes: Uint8Array, end = '\r\n--b--\r\n') {
  const filename = name === null ? '' : `; filename="${name}"`;
  const head = `--b\r\nContent-Disposition: form-data; name="media"${filename}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from(end)]);
}
const formType = { 'content-type': 'multipart/form-data; boundary=b' };

describe('media/upload', () => {
  test('keeps a file and gives it an id, as one call of the month', async () => {
    const { dingtalk, upload } = await startUploads();
    const counted = dingtalk.countedCalls();
    const answer = await upload({ name: '图 1.PNG' });
    expect(answer).toMatchObject({
      errcode: 0,
      errmsg: 'ok',
      type: 'image',
      created_at: expect.any(Number) as unknown,
    });
    const id = String(answer['media_id']);
    expect(id).toMatch(/^@/u);
    expect(dingtalk.media.get(id)).toMatchObject({ id, type: 'image', name: '图 1.PNG' });
    expect(Buffer.from(dingtalk.media.get(id)?.bytes ?? [])).toEqual(png);
    expect(dingtalk.countedCalls()).toBe(counted + 1);
    expect(dingtalk.violations).toEqual([]);
  });

  test.each([
    ['voice', 'a.amr'],
    ['video', 'a.mp4'],
    ['file', '报告.xlsx'],
    ['file', 'a.zip'],
  ])('takes %s %s', async (type, name) => {
    const { upload } = await startUploads();
    expect(await upload({ type, name, bytes: Buffer.from('x') })).toMatchObject({ errcode: 0, type });
  });

  test('takes the type as a field of the form, too', async () => {
    const { address, post } = await startUploads();
    const form = new FormData();
    form.set('media', new File([new Uint8Array(png)], 'a.png'));
    form.set('type', 'image');
    expect((await post(address(null), form))['errcode']).toBe(0);
    form.set('type', 'file');
    expect((await post(address('image'), form))['errcode']).toBe(40004);
  });

  test('takes bodies with a length and bodies in chunks', async () => {
    const { dingtalk, address, post } = await startUploads();
    const body = written('a.png', png);
    expect((await post(address(), new Uint8Array(body), formType))['errcode']).toBe(0);
    const parts = ReadableStream.from([new Uint8Array(body.subarray(0, 40)), new Uint8Array(body.subarray(40))]);
    expect((await post(address(), parts, formType))['errcode']).toBe(0);
    expect(Array.from(dingtalk.media.values(), ({ bytes }) => bytes.length)).toEqual([png.length, png.length]);
  });

  const refusals: [what: string, upload: Upload, errcode: number][] = [
    ['an unknown type', { type: 'picture' }, 40004],
    ['no type', { type: null }, 40004],
    ['an image of another format', { name: 'a.webp' }, 40004],
    ['a name without extension', { name: 'png' }, 40004],
    ['a file that is not on the list', { type: 'file', name: 'a.csv' }, 40004],
    ['a voice that is not one', { type: 'voice', name: 'a.ogg' }, 40004],
    ['a file without bytes', { type: 'file', name: 'a.pdf', bytes: Buffer.alloc(0) }, 44001],
    ['another field', { field: 'file' }, 41005],
    ['a voice over 2 MB', { type: 'voice', name: 'a.mp3', bytes: Buffer.alloc(2 * megabyte + 1) }, 40006],
    ['a file over 20 MB', { type: 'file', name: 'a.pdf', bytes: Buffer.alloc(20 * megabyte + 1) }, 40006],
    ['no token', { token: null }, 40014],
  ];
  test.each(refusals)('refuses %s, as a violation', async (_what, upload, errcode) => {
    const started = await startUploads();
    expect((await started.upload(upload))['errcode']).toBe(errcode);
    expect(started.dingtalk.violations).toMatchObject([{ api: 'uploadMedia', code: String(errcode) }]);
    expect(started.dingtalk.media.size).toBe(0);
  });

  test('takes 20 MB exactly', async () => {
    const { upload } = await startUploads();
    const bytes = Buffer.alloc(20 * megabyte);
    expect((await upload({ type: 'file', name: 'a.pdf', bytes }))['errcode']).toBe(0);
  });

  test.each([
    ['bytes that are no image', { bytes: Buffer.from('<html></html>') }, {}, 40004],
    ['a token it never gave', { token: 'other' }, {}, 40014],
    ['an app without the permission', {}, { permissions: [] }, 60011],
    ['more calls than the month has', {}, { monthlyCalls: 0 }, 90020],
    ['more calls than the second has', {}, { qps: 0 }, 90018],
  ] as const)('refuses %s, which is not the client’s fault', async (_what, upload, options, errcode) => {
    const { dingtalk, address, post } = await startUploads();
    Object.assign(dingtalk.settings, options);
    const form = new FormData();
    form.set('media', new File([new Uint8Array('bytes' in upload ? upload.bytes : png)], 'a.png'));
    const url = 'token' in upload ? address('image', upload.token) : address();
    expect((await post(url, form))['errcode']).toBe(errcode);
    expect(dingtalk.violations).toEqual([]);
    expect(dingtalk.media.size).toBe(0);
  });

  test.each([
    ['without a filename', written(null, png), formType],
    ['with an empty filename', written('', png), formType],
    ['that was cut off', written('a.png', png, ''), formType],
    ['of another content type', written('a.png', png), { 'content-type': 'application/octet-stream' }],
    ['with a second file', Buffer.concat([written('a.png', png, '\r\n'), written('b.png', png)]), formType],
  ])('refuses a form %s', async (_what, body, headers) => {
    const { dingtalk, address, post } = await startUploads();
    expect((await post(address(), new Uint8Array(body), headers))['errcode']).toBe(41005);
    expect(dingtalk.violations).toHaveLength(1);
  });

  test.each([-20, 20])('refuses a length that is off by %i', async (off) => {
    const { dingtalk, address } = await startUploads();
    const body = written('a.png', png);
    const url = new URL(address());
    const socket = connect(Number(url.port), url.hostname);
    const head = `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: ${formType['content-type']}`;
    socket.end(Buffer.concat([Buffer.from(`${head}\r\ncontent-length: ${body.length + off}\r\n\r\n`), body]));
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).not.toContain('"errcode":0');
    // What goes beyond the length is not HTTP: who is quicker decides which of the two refuses.
    if (off < 0) expect(answer).toMatch(/400 Bad Request|"errcode":41005/u);
    expect(dingtalk.media.size).toBe(0);
  });
});

const media: Omit<UploadedMedia, 'at'>[] = (
  [
    ['image', 'a.png'],
    ['file', 'a.pdf'],
    ['voice', 'a.amr'],
    ['video', 'a.mp4'],
  ] satisfies [MediaType, string][]
).map(([type, name]) => ({ id: `@${type}`, type, name, bytes: png }));

async function startSending() {
  const started = await startDingTalk({ media });
  const send = (msgKey: string, param: Json) =>
    started.call('POST', '/v1.0/robot/groupMessages/send', {
      robotCode: app.clientId,
      openConversationId: groupId,
      msgKey,
      msgParam: JSON.stringify(param),
    });
  return { ...started, send };
}

describe('a robot message with a file', () => {
  const video = { duration: '8', videoMediaId: '@video', videoType: 'mp4', picMediaId: '@image' };
  const cases: [key: string, param: Json, shown: object][] = [
    ['sampleImageMsg', { photoURL: '@image' }, { image: { mediaId: '@image' } }],
    ['sampleImageMsg', { photoURL: 'https://x.example/a.png' }, { image: { url: 'https://x.example/a.png' } }],
    [
      'sampleFile',
      { mediaId: '@file', fileName: '报告.pdf', fileType: 'pdf' },
      { file: { mediaId: '@file', name: '报告.pdf', type: 'pdf' } },
    ],
    [
      'sampleAudio',
      { mediaId: '@voice', duration: '3200' },
      { file: { mediaId: '@voice', name: 'a.amr', type: 'amr' } },
    ],
    ['sampleVideo', video, { file: { mediaId: '@video', name: 'a.mp4', type: 'mp4' } }],
  ];
  test.each(cases)('%s %o shows it', async (key, param, shown) => {
    const { dingtalk, send } = await startSending();
    expect((await send(key, param)).status).toBe(200);
    expect(dingtalk.messages).toMatchObject([{ channel: 'robot', kind: key, conversationId: groupId, ...shown }]);
    expect(dingtalk.violations).toEqual([]);
  });

  const refusals: [key: string, param: Json][] = [
    ['sampleImageMsg', { photoURL: '@other' }],
    ['sampleImageMsg', { photoURL: '@file' }],
    ['sampleImageMsg', { photoURL: 'http://x.example/a.png' }],
    ['sampleFile', { mediaId: '@other', fileName: 'a.pdf', fileType: 'pdf' }],
    ['sampleFile', { mediaId: '@image', fileName: 'a.pdf', fileType: 'pdf' }],
    ['sampleFile', { mediaId: '@file', fileName: 'a.pdf', fileType: 'pptx' }],
    ['sampleFile', { mediaId: '@file', fileName: 'a.docx', fileType: 'docx' }],
    ['sampleAudio', { mediaId: '@video', duration: '3200' }],
    ['sampleAudio', { mediaId: '@voice', duration: '3.2 s' }],
    ['sampleVideo', { ...video, picMediaId: '@other' }],
    ['sampleVideo', { ...video, videoType: 'mov' }],
  ];
  test.each(refusals)('is refused, as a violation: %s %o', async (key, param) => {
    const { dingtalk, send } = await startSending();
    expect(await send(key, param)).toMatchObject({ status: 400, body: { code: 'invalidParameter.msgParam' } });
    expect(dingtalk.violations).toHaveLength(1);
    expect(dingtalk.messages).toEqual([]);
  });

  test('is sent with what was uploaded before', async () => {
    const { upload, call, dingtalk } = await startUploads();
    const photoURL = (await upload())['media_id'];
    const message = { robotCode: app.clientId, userIds: ['staff-0001'], msgKey: 'sampleImageMsg' };
    const msgParam = JSON.stringify({ photoURL });
    await call('POST', '/v1.0/robot/oToMessages/batchSend', { ...message, msgParam });
    expect(dingtalk.messages).toMatchObject([{ image: { mediaId: photoURL } }]);
  });
});

describe('a picture within markdown', () => {
  test.each([
    ['@image', 0],
    ['https://x.example/a.png', 0],
    ['@file', 1],
    ['@other', 1],
  ])('%s: taken by both ways; a picture that nobody could see is a violation', async (source, violations) => {
    const { dingtalk, send } = await startSending();
    const markdown = { title: '图', text: `看：![图](${source})` };
    expect((await send('sampleMarkdown', markdown)).status).toBe(200);
    expect(dingtalk.violations).toHaveLength(violations);
    const { body } = dingtalk.callback({ from: 'staff-0001', text: 'x' });
    const response = await fetch(String(body['sessionWebhook']), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ msgtype: 'markdown', markdown }),
    });
    expect(await response.json()).toMatchObject({ errcode: 0 });
    expect(dingtalk.violations).toHaveLength(2 * violations);
    expect(dingtalk.messages).toHaveLength(2);
  });
});

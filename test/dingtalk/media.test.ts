import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { countCalls } from '../../lib/dingtalk/client.ts';
import { asSendable, type ResultFile } from '../../lib/dingtalk/file-message.ts';
import { downloadAddress } from '../../lib/dingtalk/sent-file.ts';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { bytesOf, collect, startFileCalls } from '../support/dingtalk-files.ts';

const MB = 1024 * 1024;

async function outcome(work: Promise<unknown>) {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    // The token stands in the address, so not even the cause may be kept.
    expect(JSON.stringify([error.message, error.facts])).not.toMatch(/token-\d|geheim/);
    expect(String(error.cause)).not.toMatch(/token-\d/);
    return { code: error.code, ...error.facts };
  }
}

const png = (changes = {}) => ({
  type: 'image' as const,
  name: '图 1.png',
  mimeType: 'image/png',
  size: 5,
  bytes: bytesOf('hello'),
  ...changes,
});

describe('the address of a file that somebody sent', () => {
  test('is asked for with the code of this robot', async () => {
    const { client, asked } = await startFileCalls();
    const address = await downloadAddress(client, 'dingrobot0001', 'code-1');
    expect(address).toBe('http://files.example.com/a.file?Signature=s');
    expect(asked).toEqual([{ robotCode: 'dingrobot0001', downloadCode: 'code-1' }]);
  });

  test.each([
    [
      403,
      { code: 'Forbidden.AccessDenied.AccessTokenPermissionDenied', message: 'geheim' },
      {
        cause: 'dingtalk_permission_missing',
        status: 403,
        upstreamCode: 'Forbidden.AccessDenied.AccessTokenPermissionDenied',
      },
    ],
    [
      400,
      { code: 'invalidParameter.robotCode.notExist', message: 'geheim' },
      { cause: 'dingtalk_refused', status: 400, upstreamCode: 'invalidParameter.robotCode.notExist' },
    ],
    [500, 'geheim', { cause: 'dingtalk_server_error', status: 500 }],
    [200, { downloadUrl: null }, { status: 200 }],
  ])('is not given with %i %j', async (status, body, facts) => {
    const { client } = await startFileCalls({ address: () => ({ status, body }) });
    expect(await outcome(downloadAddress(client, 'r', 'c'))).toMatchObject({
      code: 'file_unavailable',
      api: 'downloadFile',
      ...facts,
    });
  });
});

test('an unexpected failure to get the address is passed on', async () => {
  const mine = new TypeError('on purpose');
  await expect(downloadAddress({ call: () => Promise.reject(mine) }, 'r', 'c')).rejects.toBe(mine);
});

describe('an upload', () => {
  test('gives the file and its exact length, and gets the media id', async () => {
    const { client, uploads } = await startFileCalls();
    expect(await client.upload(png())).toBe('@lADP1');
    expect(uploads).toMatchObject([
      { token: 'token-1', type: 'image', fields: ['type', 'media'], name: '图 1.png', mimeType: 'image/png' },
    ]);
    expect(uploads[0]?.bytes.toString()).toBe('hello');
    expect(Number(uploads[0]?.length)).toBeGreaterThan(5);
  });

  test.each([
    [200, { errcode: 40014, errmsg: 'geheim' }, 'dingtalk_token_invalid'],
    [200, { errcode: '42001', errmsg: 'geheim' }, 'dingtalk_token_invalid'],
    [200, { errcode: 88, sub_code: '40014', sub_msg: 'geheim' }, 'dingtalk_token_invalid'],
    [200, { errcode: 88, sub_code: '60011', sub_msg: 'geheim' }, 'dingtalk_permission_missing'],
    [200, { errcode: 88, sub_code: '60020' }, 'dingtalk_ip_refused'],
    [200, { errcode: 90018 }, 'dingtalk_qps'],
    [200, { errcode: -1 }, 'dingtalk_server_error'],
    [200, { errcode: 40004, errmsg: 'geheim' }, 'dingtalk_refused'],
    [200, { errcode: 0, media_id: null }, 'dingtalk_refused'],
    [200, { errcode: 88 }, 'dingtalk_refused'],
    [200, { errcode: 0, media_id: 'a](http://evil.example.com)' }, 'dingtalk_refused'],
    [200, 'geheim', 'dingtalk_refused'],
    [502, '<html>geheim</html>', 'dingtalk_server_error'],
  ])('that is answered with %i %j', async (status, body, code) => {
    const { client } = await startFileCalls({ media: () => ({ status, body }) });
    expect(await outcome(client.upload(png()))).toMatchObject({ code, api: 'uploadMedia', status });
  });

  test('with a token that is refused is not repeated, and the next one has another', async () => {
    const { client, uploads } = await startFileCalls({
      media: ({ token }) => ({ body: token === 'token-1' ? { errcode: 40014 } : { errcode: 0, media_id: '@ok' } }),
    });
    expect(await outcome(client.upload(png()))).toMatchObject({ code: 'dingtalk_token_invalid' });
    expect(await client.upload(png({ bytes: bytesOf('hello') }))).toBe('@ok');
    expect(uploads.map(({ token }) => token)).toEqual(['token-1', 'token-2']);
  });

  test('that does not get through says nothing of its address', async () => {
    const { clientWith } = await startFileCalls();
    const client = clientWith((url, init) =>
      url.includes('/media/upload') ? Promise.reject(new TypeError(`cannot reach ${url}`)) : fetch(url, init),
    );
    expect(await outcome(client.upload(png()))).toEqual({ code: 'dingtalk_unreachable', api: 'uploadMedia' });
  });

  test('that gets no answer in time says nothing of its address either', async () => {
    const { clientWith } = await startFileCalls();
    const client = clientWith((url, init) =>
      url.includes('/media/upload') ? Promise.reject(new DOMException(url, 'TimeoutError')) : fetch(url, init),
    );
    expect(await outcome(client.upload(png()))).toEqual({ code: 'dingtalk_timeout', api: 'uploadMedia' });
  });

  test('fails with the error of the file', async () => {
    const { client } = await startFileCalls();
    const mine = new BridgeError('file_unavailable', 'cut');
    const failing = async function* () {
      yield new Uint8Array(2);
      throw mine;
    };
    await expect(client.upload(png({ bytes: failing() }))).rejects.toBe(mine);
  });

  test('counts for the month like any other call', async () => {
    let calls = 0;
    const { client, clientWith } = await startFileCalls();
    const count = () => void (calls += 1);
    await countCalls(client, count).upload(png());
    await countCalls(client, count).call('x', { method: 'POST', path: '/v1.0/robot/messageFiles/download', body: {} });
    expect(calls).toBe(2);
    const offline = clientWith((url, init) =>
      url.includes('/media/') ? Promise.reject(new TypeError('offline')) : fetch(url, init),
    );
    await outcome(countCalls(offline, count).upload(png({ bytes: bytesOf('hello') })));
    expect(calls).toBe(2);
    // Without a token the call itself is not sent.
    const unknown = clientWith(async (url, init) =>
      url.endsWith('/accessToken')
        ? Response.json({ code: 'invalidClientIdOrSecret' }, { status: 400 })
        : fetch(url, init),
    );
    expect(await outcome(countCalls(unknown, count).upload(png()))).toMatchObject({ code: 'dingtalk_credentials' });
    expect(calls).toBe(2);
  });
});

describe('how a file is sent', () => {
  const result = (name: string, content: Uint8Array | string, size: number | null = content.length): ResultFile => ({
    name,
    extension: name.split('.').at(-1) ?? '',
    mimeType: 'application/x-test',
    size,
    bytes: bytesOf(content),
  });

  test.each([
    ['a.jpg', 'image'],
    ['a.jpeg', 'image'],
    ['a.gif', 'image'],
    ['a.png', 'image'],
    ['a.bmp', 'image'],
    ['a.xlsx', 'file'],
    ['a.pdf', 'file'],
    ['a.zip', 'file'],
    ['a.rar', 'file'],
    ['a.doc', 'file'],
    ['a.docx', 'file'],
  ])('%s as it is, as %s', async (name, kind) => {
    for (const size of [5, null]) {
      const sendable = await asSendable(result(name, 'hello', size), systemClock);
      expect(sendable).toMatchObject({ kind, name, size: 5, mimeType: 'application/x-test' });
      expect((await collect(sendable.bytes)).toString()).toBe('hello');
    }
  });

  test.each(['数据.csv', 'a.txt', 'a.md', 'a.json', 'a.mp3', 'a.mp4', 'a.pptx', 'a.webp', '__proto__.txt'])(
    '%s within an archive',
    async (name) => {
      const sendable = await asSendable(result(name, 'hello'), systemClock);
      const archive = `${name.split('.')[0]}.zip`;
      expect(sendable).toMatchObject({ kind: 'file', name: archive, extension: 'zip', mimeType: 'application/zip' });
      const bytes = await collect(sendable.bytes);
      expect(bytes.length).toBe(sendable.size);
      const inside = Object.entries(unzipSync(bytes)).map(([inner, content]) => [inner, strFromU8(content)]);
      expect(inside).toEqual(name.startsWith('__') ? inside : [[name, 'hello']]);
    },
  );

  test.each(['a.pdf', 'a.png', 'a.csv'])('%s only up to 20 MB', async (name) => {
    const tooMuch = new Uint8Array(20 * MB + 1);
    const refusal = { code: 'file_too_large', maxBytes: 20 * MB };
    expect(await outcome(asSendable(result(name, 'x', tooMuch.length), systemClock))).toEqual(refusal);
    expect(await outcome(asSendable(result(name, tooMuch, null), systemClock))).toEqual(refusal);
  });

  test('an archive that is too large by itself is not sent', async () => {
    const full = Buffer.alloc(20 * MB, 7);
    expect(await outcome(asSendable(result('a.mp4', full), systemClock))).toMatchObject({ code: 'file_too_large' });
  });
});

import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import { createResultFiles, resolveResultUrl, type ResultLink } from '../../lib/files/outbound.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDownload } from '../../lib/net/download.ts';
import { startServer } from '../../playground/http/server.ts';
import { startFileCalls, type MediaAnswer } from '../support/dingtalk-files.ts';

const MB = 1024 * 1024;
const PNG = Buffer.concat([
  Buffer.from('89504E470D0A1A0A0000000D4948445200000001000000010806000000', 'hex'),
  Buffer.alloc(100_000, 3),
]);

interface Served {
  status?: number;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

/** A Dify that serves files, and a DingTalk that takes them. */
async function scene(files: Record<string, Served>, media?: MediaAnswer) {
  const asked: string[] = [];
  const dify = await startServer(async (request, response) => {
    asked.push(request.url ?? '');
    const { status = 200, headers = {}, body = '' } = files[(request.url ?? '').split('?')[0] ?? ''] ?? { status: 404 };
    const bytes = Buffer.from(body);
    response.writeHead(status, { 'content-length': bytes.length, ...headers }).end(bytes);
  });
  onTestFinished(() => dify.close());
  const dingtalk = await startFileCalls(media ? { media } : {});
  const download = createDownload({ clock: systemClock, trustedHosts: new Set([new URL(dify.origin).host]) });
  const results = createResultFiles({ download, dingtalk: dingtalk.client, filesUrl: dify.origin, clock: systemClock });
  return {
    asked,
    origin: dify.origin,
    uploads: dingtalk.uploads,
    send: (link: Partial<ResultLink>) => results.upload({ url: '', name: null, kind: 'file', ...link }),
  };
}

async function outcome(work: Promise<unknown>) {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    expect(JSON.stringify([error.message, error.facts])).not.toMatch(/sign=|127\.0\.0\.1/);
    return { code: error.code, ...error.facts };
  }
}

describe('the address of a result', () => {
  const base = 'https://files.example.com';
  test.each([
    ['/files/tools/a.png?timestamp=1&nonce=2&sign=3%3D', `${base}/files/tools/a.png?timestamp=1&nonce=2&sign=3%3D`],
    ['files/tools/a.png', `${base}/files/tools/a.png`],
    ['http://api:5001/files/1/file-preview?sign=3', `${base}/files/1/file-preview?sign=3`],
    ['http://user:pw@10.0.0.1/files/a.png', `${base}/files/a.png`],
    ['//evil.example.com/files/a.png', `${base}/files/a.png`],
    ['https://cdn.example.com/a.png?x=1', 'https://cdn.example.com/a.png?x=1'],
    ['http://10.0.0.1/a.png', 'http://10.0.0.1/a.png'],
    ['https://cdn.example.com/files/../admin', 'https://cdn.example.com/admin'],
    ['//cdn.example.com/a.png', 'https://cdn.example.com/a.png'],
    ['data:image/png;base64,AAAA', null],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
    ['mailto:a@example.com', null],
    ['dtmd://dingtalkclient/sendMessage', null],
    ['http://', null],
    ['', null],
    ['#top', null],
  ])('%s', (url, resolved) => {
    expect(resolveResultUrl(url, base)).toBe(resolved);
  });

  test('keeps the path below which an operator serves Dify', () => {
    for (const below of ['https://example.com/dify', 'https://example.com/dify/']) {
      for (const url of ['/files/a.png?s=1', 'files/a.png?s=1', 'http://api:5001/files/a.png?s=1']) {
        expect(resolveResultUrl(url, below)).toBe('https://example.com/dify/files/a.png?s=1');
      }
    }
  });
});

describe('a result', () => {
  test('that is a picture becomes an image', async () => {
    const { send, uploads, asked } = await scene({ '/files/tools/1.png': { body: PNG } });
    const sent = await send({ url: 'http://api:5001/files/tools/1.png?sign=3', name: '图.png', kind: 'picture' });
    expect(sent).toEqual({ kind: 'image', mediaId: '@lADP1', name: '图.png', extension: 'png' });
    expect(asked).toEqual(['/files/tools/1.png?sign=3']);
    expect(uploads).toMatchObject([{ type: 'image', name: '图.png', mimeType: 'image/png' }]);
    expect(uploads[0]?.bytes.equals(PNG)).toBe(true);
  });

  test('without a name has the one in its address, or one by its type', async () => {
    const { send } = await scene({
      '/files/tools/%E5%9B%BE.png': { body: PNG },
      '/files/1/file-preview': { body: PNG },
    });
    expect(await send({ url: '/files/tools/%E5%9B%BE.png', kind: 'picture' })).toMatchObject({ name: '图.png' });
    expect(await send({ url: '/files/1/file-preview', kind: 'picture' })).toMatchObject({ name: 'picture.png' });
  });

  test('of a type that DingTalk does not show comes in an archive', async () => {
    const { send, uploads } = await scene({ '/files/a': { body: 'a,b\n1,2\n' } });
    expect(await send({ url: '/files/a', name: '数据.csv' })).toMatchObject({ kind: 'file', name: '数据.zip' });
    const inside = unzipSync(uploads[0]?.bytes ?? new Uint8Array());
    expect(Object.entries(inside).map(([name, content]) => [name, strFromU8(content)])).toEqual([
      ['数据.csv', 'a,b\n1,2\n'],
    ]);
  });

  test('goes out with its length also when Dify does not say it', async () => {
    const headers = { 'transfer-encoding': 'chunked' };
    const dify = await startServer(async (_request, response) => {
      response.writeHead(200, headers).end(PNG);
    });
    onTestFinished(() => dify.close());
    const { client, uploads } = await startFileCalls();
    const download = createDownload({ clock: systemClock, trustedHosts: new Set([new URL(dify.origin).host]) });
    const results = createResultFiles({ download, dingtalk: client, filesUrl: dify.origin, clock: systemClock });
    await results.upload({ url: '/files/a.png', name: null, kind: 'picture' });
    expect(uploads[0]?.length).toMatch(/^\d+$/);
    expect(uploads[0]?.bytes.equals(PNG)).toBe(true);
  });

  test('whose token was refused is fetched and sent once more, and not a third time', async () => {
    const once: MediaAnswer = ({ token }) => ({
      body: token === 'token-1' ? { errcode: 40014 } : { errcode: 0, media_id: '@ok' },
    });
    const well = await scene({ '/files/a.png': { body: PNG } }, once);
    expect(await well.send({ url: '/files/a.png', kind: 'picture' })).toMatchObject({ mediaId: '@ok' });
    expect([well.asked.length, well.uploads.length]).toEqual([2, 2]);
    const ill = await scene({ '/files/a.png': { body: PNG } }, () => ({ body: { errcode: 40014 } }));
    const refused = await outcome(ill.send({ url: '/files/a.png', kind: 'picture' }));
    expect(refused).toMatchObject({ code: 'dingtalk_token_invalid' });
    expect(ill.uploads).toHaveLength(2);
  });
});

describe('a result that is not sent', () => {
  test.each([
    ['a web page as a picture', { url: '/files/a.png', kind: 'picture' }, 'file_wrong_type'],
    ['a program as a PDF', { url: '/files/a.pdf' }, 'file_wrong_type'],
    ['too large', { url: '/files/large.pdf' }, 'file_too_large'],
    ['gone', { url: '/files/gone.pdf' }, 'file_unavailable'],
    ['elsewhere', { url: '/files/moved.pdf' }, 'file_address_refused'],
    ['in the network of the function', { url: 'http://169.254.169.254/latest/meta-data' }, 'file_address_refused'],
    ['no file at all', { url: 'data:image/png;base64,AAAA' }, 'file_address_refused'],
    ['on the host of the files, but no file', { url: '/console/api/setup' }, 'file_address_refused'],
    ['out of the files', { url: '/files/../console/api/setup' }, 'file_address_refused'],
  ] as const)('%s', async (_what, link, code) => {
    const { send, uploads, asked } = await scene({
      '/files/a.png': { body: '<html></html>' },
      '/files/a.pdf': { body: Buffer.from('4D5A90000300000004000000FFFF0000B8', 'hex') },
      '/files/large.pdf': { body: Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(20 * MB)]) },
      '/files/moved.pdf': { status: 302, headers: { location: '/files/a.png' } },
      '/console/api/setup': { body: 'secret' },
    });
    expect(await outcome(send(link))).toMatchObject({ code });
    expect(uploads).toEqual([]);
    expect(asked.filter((path) => !path.startsWith('/files/'))).toEqual([]);
  });

  test('with an absolute address on the host of the files that is no file', async () => {
    const { send, asked, origin } = await scene({ '/console': { body: 'secret' } });
    expect(await outcome(send({ url: `${origin}/console` }))).toMatchObject({ code: 'file_address_refused' });
    expect(asked).toEqual([]);
  });
});

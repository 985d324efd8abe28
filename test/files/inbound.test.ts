import { describe, expect, onTestFinished, test } from 'vitest';
import { createDifyFiles } from '../../lib/dify/files.ts';
import { downloadAddress } from '../../lib/dingtalk/sent-file.ts';
import { BridgeError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createDownload } from '../../lib/net/download.ts';
import { fetchSentFile, transcribeSentFile, type SentFilePorts } from '../../lib/files/inbound.ts';
import { readBody } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { httpOf } from '../dify/support.ts';
import { startFileCalls } from '../support/dingtalk-files.ts';

const PNG = Buffer.concat([
  Buffer.from('89504E470D0A1A0A0000000D4948445200000001000000010806000000', 'hex'),
  Buffer.alloc(200_000, 3),
]);
const AMR = Buffer.from('#!AMR\n0123456789');

/** A store that gives a file out by the code in its address, a DingTalk that knows where, and a Dify. */
async function scene(
  content: Uint8Array,
  { isLengthKnown = true, ports = {} }: { isLengthKnown?: boolean; ports?: Partial<SentFilePorts> } = {},
) {
  const uploads: { path: string; name: string; type: string; user: unknown; bytes: Buffer }[] = [];
  const store = await startServer(async (_request, response) => {
    response.writeHead(200, isLengthKnown ? { 'content-length': content.length } : {});
    response.end(content);
  });
  const dify = await startServer(async (request, response) => {
    const body = new Uint8Array(await readBody(request));
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const form = await new Response(body, { headers }).formData();
    const file = form.get('file') as File;
    const bytes = Buffer.from(await file.arrayBuffer());
    uploads.push({ path: request.url ?? '', name: file.name, type: file.type, user: form.get('user'), bytes });
    response.writeHead(201).end(JSON.stringify({ id: `file-${uploads.length}` }));
  });
  onTestFinished(async () => {
    await Promise.all([store.close(), dify.close()]);
  });
  const { client } = await startFileCalls({
    address: ({ downloadCode }) =>
      downloadCode === 'good' ? { body: { downloadUrl: `${store.origin}/a.file` } } : { status: 400, body: {} },
  });
  const all: SentFilePorts = {
    addressOf: (code) => downloadAddress(client, 'dingrobot0001', code),
    download: createDownload({ clock: systemClock, trustedHosts: new Set([new URL(store.origin).host]) }),
    dify: createDifyFiles(httpOf(`${dify.origin}/v1`)),
    maxBytes: { image: 1_000_000, document: 1_000_000, audio: 1_000_000, video: 1_000_000, custom: 1_000_000 },
    user: 'user-1',
    ...ports,
  };
  return { uploads, ports: all };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof BridgeError ? { code: error.code, ...error.facts } : String(error)),
  );

describe('a file that somebody sent', () => {
  test('comes to Dify whole, under a name and as what it is', async () => {
    const { uploads, ports } = await scene(PNG);
    const attached = await fetchSentFile({ downloadCode: 'good', kind: 'picture', name: null }, ports);
    expect(attached).toEqual({ class: 'image', extension: 'png', uploadId: 'file-1' });
    expect(uploads).toMatchObject([
      { path: '/v1/files/upload', name: 'picture.png', type: 'image/png', user: 'user-1' },
    ]);
    expect(uploads[0]?.bytes.equals(PNG)).toBe(true);
  });

  test('is refused when it is not what it says', async () => {
    const { uploads, ports } = await scene(PNG);
    const refusal = await codeOf(fetchSentFile({ downloadCode: 'good', kind: 'file', name: 'a.pdf' }, ports));
    expect(refusal).toMatchObject({ code: 'file_wrong_type' });
    expect(uploads).toEqual([]);
  });

  test.each([true, false])('is measured by its class, its length known: %s', async (isLengthKnown) => {
    const maxBytes = { image: 100_000, document: 10, audio: 10, video: 10, custom: 1_000_000 };
    const { uploads, ports } = await scene(PNG, { isLengthKnown, ports: { maxBytes } });
    let begun = 0;
    const dify: SentFilePorts['dify'] = {
      ...ports.dify,
      upload(file) {
        begun += 1;
        return ports.dify.upload(file);
      },
    };
    const picture = { downloadCode: 'good', kind: 'picture' as const, name: null };
    const refusal = await codeOf(fetchSentFile(picture, { ...ports, dify }));
    expect(refusal).toEqual({ code: 'file_too_large', maxBytes: 100_000 });
    // With a known length nothing is sent in vain.
    expect(begun).toBe(isLengthKnown ? 0 : 1);
    expect(uploads).toEqual([]);
  });

  test('that is larger than anything Dify takes is not even begun', async () => {
    const maxBytes = { image: 10, document: 10, audio: 10, video: 20, custom: 10 };
    const { ports } = await scene(PNG, { ports: { maxBytes } });
    const refusal = await codeOf(fetchSentFile({ downloadCode: 'good', kind: 'picture', name: null }, ports));
    expect(refusal).toEqual({ code: 'file_too_large', maxBytes: 20 });
  });

  test('that DingTalk does not give out, or only at an address of a private network', async () => {
    const { ports } = await scene(PNG);
    expect(await codeOf(fetchSentFile({ downloadCode: 'bad', kind: 'picture', name: null }, ports))).toMatchObject({
      code: 'file_unavailable',
      cause: 'dingtalk_refused',
    });
    const download = createDownload({ clock: systemClock, trustedHosts: new Set() });
    const strict = { ...ports, download };
    expect(await codeOf(fetchSentFile({ downloadCode: 'good', kind: 'picture', name: null }, strict))).toMatchObject({
      code: 'file_address_refused',
    });
  });

  test('leaves no connection behind, whatever becomes of it', async () => {
    let discarded = 0;
    const { ports } = await scene(PNG);
    const watched: SentFilePorts = {
      ...ports,
      download: async (url, limits) => {
        const file = await ports.download(url, limits);
        return {
          ...file,
          discard() {
            discarded += 1;
            file.discard();
          },
        };
      },
    };
    await fetchSentFile({ downloadCode: 'good', kind: 'picture', name: null }, watched);
    await codeOf(fetchSentFile({ downloadCode: 'good', kind: 'audio', name: null }, watched));
    expect(discarded).toBe(2);
  });
});

test('a recording comes to Dify as a recording', async () => {
  const { uploads, ports } = await scene(AMR);
  // This Dify says 201 and an id to everything, which is no transcript.
  const refusal = await codeOf(transcribeSentFile({ downloadCode: 'good', kind: 'audio', name: null }, ports));
  expect(refusal).toMatchObject({ code: 'file_upload_failed', status: 201 });
  expect(uploads).toMatchObject([{ path: '/v1/audio-to-text', name: 'audio.amr', type: 'audio/amr' }]);
});

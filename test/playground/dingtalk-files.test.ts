import { describe, expect, test } from 'vitest';
import type { CallbackInput, DingTalkOptions, DownloadTrouble } from '../../playground/dingtalk/types.ts';
import { recordOf, type Json } from '../../playground/http/shape.ts';
import { app, createManualClock, groupId, startDingTalk } from './support.ts';

const report = { name: '报销 2026.docx', bytes: Buffer.from('PK\u0003\u0004 not quite a document') };

async function startFiles(options: Partial<DingTalkOptions> = {}) {
  const started = await startDingTalk(options);
  const receive = (input: Partial<CallbackInput>) => started.dingtalk.callback({ from: 'staff-0001', ...input }).body;
  const download = (changes: Json) =>
    started.call('POST', '/v1.0/robot/messageFiles/download', { robotCode: app.clientId, ...changes });
  const addressOf = async (code: unknown) => String((await download({ downloadCode: code })).body['downloadUrl']);
  const fetchCode = async (code: unknown) => Buffer.from(await (await fetch(await addressOf(code))).arrayBuffer());
  /** A file somebody sent, as the robot would fetch it. */
  const open = async (init: RequestInit = {}) => {
    const { downloadCode } = recordOf(receive({ kind: 'file', file: report })['content']);
    return fetch(await addressOf(downloadCode), init);
  };
  return { ...started, receive, download, addressOf, fetchCode, open };
}

describe('a file that somebody sends', () => {
  test('is fetched from a signed address with its code, as plain bytes', async () => {
    const { dingtalk, receive, addressOf } = await startFiles();
    const content = recordOf(receive({ kind: 'file', file: report })['content']);
    expect(content['fileName']).toBe(report.name);
    const address = await addressOf(content['downloadCode']);
    expect(new URL(address).origin).toBe(dingtalk.origin);
    expect(new URL(address).pathname).toMatch(/\.file$/u);
    const response = await fetch(address);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(report.bytes);
    expect(dingtalk.violations).toEqual([]);
    expect(dingtalk.calls.filter(({ counted }) => counted).map(({ api }) => api)).toEqual(['downloadFile']);
  });

  test.each(['picture', 'audio', 'video', 'file'] as const)(
    'may be a %s, each with a code of its own',
    async (kind) => {
      const { receive, fetchCode } = await startFiles();
      const first = recordOf(receive({ kind, file: report })['content'])['downloadCode'];
      const second = recordOf(receive({ kind, file: { name: 'x', bytes: Buffer.from('x') } })['content'])[
        'downloadCode'
      ];
      expect(await fetchCode(first)).toEqual(report.bytes);
      expect(await fetchCode(second)).toEqual(Buffer.from('x'));
    },
  );

  test('may be pictures within a text', async () => {
    const { receive, fetchCode } = await startFiles();
    const pictures = [report, { name: 'b.png', bytes: Buffer.from('b') }];
    const { content } = receive({ conversation: groupId, kind: 'richText', text: '看这两张', pictures });
    const parts = recordOf(content)['richText'];
    expect(parts).toMatchObject([{ text: '看这两张' }, { type: 'picture' }, { type: 'picture' }]);
    const codes = (Array.isArray(parts) ? parts : []).slice(1).map((part) => recordOf(part)['downloadCode']);
    expect(await Promise.all(codes.map((code) => fetchCode(code)))).toEqual([report.bytes, Buffer.from('b')]);
  });

  test('may be a voice message with what was understood', async () => {
    const { receive } = await startFiles();
    expect(receive({ kind: 'audio', recognition: '' })['content']).toMatchObject({ recognition: '' });
    const heard = receive({ kind: 'audio', file: report, recognition: '你好' })['content'];
    expect(heard).toMatchObject({ duration: 3200, recognition: '你好' });
  });

  test.each([
    ['picture', '\u0089PNG\r\n'],
    ['audio', '#!AMR\n'],
    ['video', '\0\0\0\u0014ftyp'],
    ['file', '%PDF-1.4'],
  ] as const)('is a real sample where nothing is said: %s', async (kind, start) => {
    const { receive, fetchCode } = await startFiles();
    const bytes = await fetchCode(recordOf(receive({ kind })['content'])['downloadCode']);
    expect(bytes.toString('latin1', 0, start.length)).toBe(start);
  });

  test('is a real sample in the text with a picture, too, by either code', async () => {
    const { receive, fetchCode } = await startFiles();
    receive({ kind: 'richText' });
    expect((await fetchCode('dlcode-rich-1')).toString('latin1', 1, 4)).toBe('PNG');
    expect((await fetchCode('pdl-rich-1')).toString('latin1', 1, 4)).toBe('PNG');
  });
});

describe('a quoted message', () => {
  test('is told with its text, in the reported shape', async () => {
    const { dingtalk, receive } = await startFiles();
    const body = receive({ text: '什么意思？', quote: { from: 'staff-0002', text: '年假五天' } });
    expect(body['text']).toMatchObject({
      content: '什么意思？',
      isReplyMsg: true,
      repliedMsg: { msgType: 'text', content: { text: '年假五天' } },
    });
    const { senderId } = dingtalk.callback({ from: 'staff-0002', text: 'x' }).body;
    const replied = recordOf(recordOf(body['text'])['repliedMsg']);
    expect(replied['senderId']).toBe(senderId);
    expect(body['originalMsgId']).toBe(replied['msgId']);
  });

  test.each([
    ['file', { fileName: report.name }],
    ['picture', {}],
  ] as const)('may be a %s with a code of its own', async (kind, more) => {
    const { receive, fetchCode } = await startFiles();
    const body = receive({ text: '总结一下', quote: { file: report, kind } });
    const { msgType, content } = recordOf(recordOf(body['text'])['repliedMsg']);
    const { downloadCode, ...rest } = recordOf(content);
    expect(msgType).toBe(kind);
    expect(rest).toEqual(more);
    expect(await fetchCode(downloadCode)).toEqual(report.bytes);
  });
});

describe('messageFiles/download refuses', () => {
  test.each([
    ['a foreign robot code', { robotCode: 'other', downloadCode: 'x' }, 'invalidParameter.robotCode.notExist', 1],
    ['a missing robot code', { robotCode: undefined, downloadCode: 'x' }, 'invalidParameter.robotCode.notExist', 1],
    ['a missing code', {}, 'invalidParameter.downloadCode.empty', 1],
    ['a code it does not know', { downloadCode: 'x' }, 'invalidParameter.robotCode.downloadCode', 0],
  ])('%s', async (_what, changes, code, violations) => {
    const { dingtalk, download } = await startFiles();
    expect(await download(changes)).toMatchObject({ status: 400, body: { code } });
    expect(dingtalk.violations).toHaveLength(violations);
  });

  test('an app without the permission', async () => {
    const { download } = await startFiles({ permissions: [] });
    expect((await download({ downloadCode: 'x' })).status).toBe(403);
  });
});

describe('the host of a file', () => {
  test('wants no credentials: whoever sends some gives them away', async () => {
    const { dingtalk, open } = await startFiles();
    await open({ headers: { 'x-acs-dingtalk-access-token': 'token' } });
    await open({ headers: { authorization: 'Bearer key' } });
    await open({ headers: { cookie: 'session=1' } });
    const violation = { api: 'fileHost', code: 'credentials-to-file-host' };
    expect(dingtalk.violations).toMatchObject([violation, violation, violation]);
  });

  test('refuses an address that was changed, and one that is too old', async () => {
    const manual = createManualClock();
    const { dingtalk, receive, addressOf } = await startFiles({ clock: manual.clock });
    const { downloadCode } = recordOf(receive({ kind: 'picture' })['content']);
    const address = await addressOf(downloadCode);
    manual.advance(601_000);
    expect((await fetch(address)).status).toBe(403);
    expect(dingtalk.violations).toEqual([]);
    expect((await fetch(`${address}0`)).status).toBe(403);
    expect(dingtalk.violations).toMatchObject([{ code: 'SignatureDoesNotMatch' }]);
  });

  test('can be disturbed like an API', async () => {
    const { dingtalk, open } = await startFiles();
    dingtalk.faults.inject({ api: 'fileHost', kind: 'reset' });
    await expect(open()).rejects.toThrow('fetch failed');
    expect((await open()).status).toBe(200);
  });
});

describe('a download that goes wrong', () => {
  const startTrouble = (download: DownloadTrouble) => startFiles({ download });

  test('leads elsewhere', async () => {
    const { open } = await startTrouble({ kind: 'redirect', to: 'http://169.254.169.254/latest' });
    const response = await open({ redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://169.254.169.254/latest']);
  });

  test('is refused', async () => {
    const { open } = await startTrouble({ kind: 'status', status: 503 });
    expect((await open()).status).toBe(503);
  });

  test('has another address', async () => {
    const { addressOf, receive } = await startTrouble({ kind: 'url', url: 'file:///etc/passwd' });
    expect(await addressOf(recordOf(receive({ kind: 'file' })['content'])['downloadCode'])).toBe('file:///etc/passwd');
  });

  test('falls silent half way', async () => {
    const { open } = await startTrouble({ kind: 'hang', afterBytes: 5 });
    const response = await open({ signal: AbortSignal.timeout(300) });
    expect(response.headers.get('content-length')).toBe(String(report.bytes.length));
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value).toEqual(new Uint8Array(report.bytes.subarray(0, 5)));
    await expect(reader?.read()).rejects.toThrow('timeout');
  });

  test('never ends', async () => {
    const { dingtalk, open } = await startTrouble({ kind: 'endless' });
    const hangUp = new AbortController();
    const response = await open({ signal: hangUp.signal });
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      if (length > 5_000_000) break;
    }
    hangUp.abort();
    expect(length).toBeGreaterThan(5_000_000);
    await expect.poll(() => dingtalk.calls.at(-1)?.outcome).toBe('answered');
  });

  test.each([10, 1_000_000])('is announced with a length of %i', async (declared) => {
    const { open } = await startTrouble({ kind: 'length', declared });
    const response = await open();
    expect(response.headers.get('content-length')).toBe(String(declared));
    const body = response.arrayBuffer().then(({ byteLength }) => byteLength);
    if (declared > report.bytes.length) await expect(body).rejects.toThrow('terminated');
    else expect(await body).toBe(declared);
  });

  test('only for as long as the setting stands', async () => {
    const { dingtalk, open } = await startTrouble({ kind: 'status', status: 500 });
    expect((await open()).status).toBe(500);
    delete dingtalk.settings.download;
    expect((await open()).status).toBe(200);
  });
});

test('files are forgotten with everything else, and the oldest first when they are many', async () => {
  const { dingtalk, receive, download } = await startFiles();
  const big = { name: 'big.bin', bytes: new Uint8Array(100 * 1024 * 1024) };
  const codes = Array.from(
    { length: 3 },
    () => recordOf(receive({ kind: 'file', file: big })['content'])['downloadCode'],
  );
  expect((await download({ downloadCode: codes[0] })).status).toBe(400);
  expect((await download({ downloadCode: codes[1] })).status).toBe(200);
  dingtalk.clear();
  expect((await download({ downloadCode: codes[1] })).status).toBe(400);
});

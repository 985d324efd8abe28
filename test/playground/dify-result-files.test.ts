import { describe, expect, test } from 'vitest';
import type { AppMode, Chunk, DifyOptions, FilePlace } from '../../playground/dify/types.ts';
import { recordOf, type Json } from '../../playground/http/shape.ts';
import { createManualClock, eventually, startDify, textOf } from './support.ts';

const bytes = new Uint8Array([137, 80, 78, 71, 0, 255]);
const made = (place: FilePlace, name = '图 1.png'): Chunk => ({ file: { name, bytes, ...place } });

async function play(mode: Exclude<AppMode, 'agent'>, chunks: Chunk[], options: Partial<DifyOptions> = {}) {
  const started = await startDify({ script: { chunks }, ...options });
  const reading = await started.ask(mode);
  const load = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(url, started.dify.origin), { headers });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.bytes() };
  };
  const urlOf = () => String(started.dify.runs[0]?.made[0]?.url);
  return { ...started, ...reading, load, urlOf, last: reading.events.at(-1) };
}

const filesOf = (event: Json | undefined) => event?.['files'] as Json[];

describe('a made file', () => {
  test('can be loaded by its signed link, without a key', async () => {
    const { dify, load, urlOf } = await play('chat', [made({ as: 'message_file' })]);
    expect(urlOf()).toMatch(/^\/files\/tools\/[\w-]+\.png\?timestamp=\d+&nonce=\w+&sign=.+$/u);
    expect(await load(urlOf())).toEqual({ status: 200, type: 'image/png', body: bytes });
    expect(dify.requests.at(-1)).toMatchObject({ api: 'file', key: null, status: 200, responseBytes: 6 });
    expect(dify.violations).toEqual([]);
  });

  test('is refused with a wrong or missing signature, for another file, and after 300 seconds', async () => {
    const manual = createManualClock();
    const { load, urlOf } = await play('chat', [made({ as: 'message_file' })], { clock: manual.clock });
    const url = urlOf();
    expect((await load(url.replace(/sign=.../u, 'sign=abc'))).status).toBe(403);
    expect((await load(url.replace(/&sign=.*/u, ''))).status).toBe(403);
    expect((await load(url.replace(/timestamp=\d/u, 'timestamp=9'))).status).toBe(403);
    expect((await load(url.replace('/tools/', '/tools/x'))).status).toBe(403);
    manual.advance(300_000);
    expect((await load(url)).status).toBe(200);
    manual.advance(1_000);
    expect((await load(url)).status).toBe(403);
  });

  test('asked for with a key is given, which is a violation', async () => {
    const { dify, load, urlOf } = await play('chat', [made({ as: 'message_file' })]);
    expect((await load(urlOf(), { authorization: 'Bearer app-chat' })).status).toBe(200);
    expect(dify.violations).toMatchObject([{ code: 'credentials-to-file-host' }]);
  });

  test.each([
    ['relative', /^\/files\//u],
    ['own', /^http:\/\/127\.0\.0\.1:\d+\/files\//u],
    ['internal', /^http:\/\/api:5001\/files\//u],
  ] as const)('has a link that is %s', async (filesUrl, pattern) => {
    const { urlOf, text } = await play('advanced-chat', [made({ as: 'markdown' })], { filesUrl }).then((played) => ({
      urlOf: played.urlOf,
      text: textOf(played.events),
    }));
    expect(urlOf()).toMatch(pattern);
    expect(text).toBe(`![图 1.png](${urlOf()})`);
  });

  test('can break off on its way', async () => {
    const { dify, load, urlOf } = await play('chat', [made({ as: 'message_file' })]);
    dify.faults.inject({ api: 'file', kind: 'cut', afterBytes: 3 });
    await expect(load(urlOf())).rejects.toThrow('terminated');
    dify.faults.inject({ api: 'file', kind: 'http', name: 'nginx-504' });
    expect((await load(urlOf())).status).toBe(504);
  });
});

describe('a file reaches the client', () => {
  test.each(['chat', 'agent-chat'] as const)('of a %s app by an event, its end and GET /messages', async (mode) => {
    const { dify, events, last, call } = await play(mode, [made({ as: 'message_file' })]);
    const [file] = dify.runs[0]?.made ?? [];
    expect(events.find(({ event }) => event === 'message_file')).toMatchObject({
      id: file?.id,
      type: 'image',
      belongs_to: 'assistant',
      url: file?.url,
    });
    expect(filesOf(last)).toMatchObject([
      {
        related_id: file?.id,
        filename: '图 1.png',
        extension: '.png',
        mime_type: 'image/png',
        size: 6,
        url: file?.url,
      },
    ]);
    const rows = await call(
      `app-${mode}`,
      'GET',
      `/messages?conversation_id=${dify.runs[0]?.conversationId}&user=staff-0001`,
    );
    expect(rows.body['data']).toMatchObject([{ message_files: [{ id: file?.id, belongs_to: 'assistant' }] }]);
  });

  test('as the user’s own, which only echoes', async () => {
    const { events, last } = await play('chat', [made({ as: 'message_file', belongsTo: 'user' })]);
    expect(events[0]).toMatchObject({ event: 'message_file', belongs_to: 'user' });
    expect(filesOf(last)).toBeNull();
  });

  test('of an agent with its thought', async () => {
    const { dify, events } = await play('agent-chat', [made({ as: 'message_file' }), { text: '好' }]);
    const thought = events.findLast(({ event }) => event === 'agent_thought');
    expect(thought?.['message_files']).toEqual([dify.runs[0]?.made[0]?.id]);
  });

  test('of a chatflow in the text, in both ends and in the outputs', async () => {
    const chunks: Chunk[] = [{ text: '看：' }, made({ as: 'markdown' }), made({ as: 'end' }, 'a.csv')];
    const { dify, events, call } = await play('advanced-chat', chunks);
    const names = [{ filename: '图 1.png' }, { filename: 'a.csv', type: 'document', mime_type: 'text/csv' }];
    expect(filesOf(events.find(({ event }) => event === 'message_end'))).toMatchObject(names);
    const finished = recordOf(events.at(-1)?.['data']);
    expect(finished['files']).toMatchObject(names);
    expect(recordOf(finished['outputs'])['files']).toMatchObject(names);
    expect(dify.runs[0]?.answer).toBe(`看：![图 1.png](${dify.runs[0]?.made[0]?.url})`);
    const detail = await call('app-advanced-chat', 'GET', `/workflows/run/${dify.runs[0]?.workflowRunId}`);
    expect(recordOf(detail.body['outputs'])['files']).toMatchObject(names);
  });

  test('of a completion app as a link', async () => {
    const { dify, events } = await play('completion', [made({ as: 'markdown' }, 'a.pdf')]);
    expect(textOf(events)).toBe(`[a.pdf](${dify.runs[0]?.made[0]?.url})`);
  });

  test('of a workflow in its outputs, under a key or anywhere', async () => {
    const { events } = await play('workflow', [made({ as: 'output', key: 'chart' })]);
    const finished = recordOf(events.at(-1)?.['data']);
    const object = { dify_model_identity: '__dify__file__', filename: '图 1.png', transfer_method: 'tool_file' };
    expect(finished['outputs']).toEqual({ chart: [expect.objectContaining(object)] });
    expect(finished['files']).toMatchObject([object]);

    const outputs = { report: { pages: [{ madeFile: { name: 'b.pdf', bytes } }] }, total: 1 };
    const { ask, dify } = await startDify({ script: { chunks: [], outputs } });
    const deep = recordOf((await ask('workflow')).events.at(-1)?.['data']);
    expect(deep['outputs']).toMatchObject({
      report: { pages: [{ dify_model_identity: '__dify__file__', filename: 'b.pdf', size: 6, type: 'document' }] },
      total: 1,
    });
    const page = (deep['files'] as Json[])[0];
    expect((await fetch(new URL(String(page?.['url']), dify.origin))).status).toBe(200);
  });

  test('not in ways that its mode does not have', async () => {
    const chunks = [made({ as: 'message_file' }), made({ as: 'end' })];
    expect((await play('workflow', chunks)).dify.runs[0]?.made).toEqual([]);
    expect((await play('chat', [made({ as: 'output' })])).dify.runs[0]?.made).toEqual([]);
  });
});

test('an upload can be looked at by the link that came back', async () => {
  const { dify, request } = await startDify();
  const data = new FormData();
  data.append('file', new Blob([bytes], { type: 'image/png' }), 'a.png');
  data.append('user', 'staff-0001');
  const headers = { authorization: 'Bearer app-chat' };
  const uploaded = recordOf(
    await (await fetch(`${dify.url}/files/upload`, { method: 'POST', headers, body: data })).json(),
  );
  const url = String(uploaded['source_url']);
  expect(url).toMatch(/^\/files\/[\w-]+\/file-preview\?timestamp=/u);
  expect(await (await fetch(`${dify.origin}${url}`)).bytes()).toEqual(bytes);
  expect((await fetch(`${dify.origin}${url}x`)).status).toBe(404);
  expect((await request('app-chat', 'GET', `/files/tools/x.png`)).status).toBe(404);
  await eventually(() => dify.violations.some(({ code }) => code === 'unknown-path'));
});

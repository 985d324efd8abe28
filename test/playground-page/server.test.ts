import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import { curlOf } from '../../playground/server/curl.ts';
import { createJournal } from '../../playground/server/journal.ts';
import { spawnPlayground, startPlayground } from './child.ts';
import { openPlayground, PIXEL, type Playground } from './playground.ts';

const FROM = 'staff-0001';

describe('npm start', () => {
  test('names everything that is wrong with the configuration, and ends', async () => {
    const { exit, output } = spawnPlayground({ STREAMING: 'fast', DIFY_API_URL: 'nowhere', DIFY_API_KEY: 'key' });
    expect(await exit).toBe(1);
    expect(output()).toMatch(/Malformed:\n {2}DIFY_API_URL: expected.*\n {2}STREAMING: expected/);
    expect(output()).not.toContain('nowhere');
  });

  test('says in one line what to do when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { exit, output } = spawnPlayground({ PORT: String(port) });
    expect(await exit).toBe(1);
    expect(output().trim()).toBe(
      `Port ${port} is in use. Stop what runs there, or choose another: PORT=${port + 1} npm start`,
    );
    server.close();
  });

  test('takes nothing of DingTalk and the store from the environment, and ends at once', async () => {
    const playground = await startPlayground({
      DINGTALK_CLIENT_ID: 'somebody-elses',
      DINGTALK_API_URL: 'http://127.0.0.1:1',
      UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
      BOTS: 'not even JSON',
      ALLOWED_USERS: 'nobody',
      CONVERSATION_SCOPE: 'chat',
    });
    const { chats } = await playground.snapshot();
    const id = await playground.ask({ chat: chats[0]?.id ?? '', from: FROM, text: '一句话' });
    const { items, calls } = await playground.snapshot();
    expect(items.find((item) => item.kind === 'card')).toMatchObject({ question: id, phase: 'finished' });
    expect(calls.find(({ name }) => name === '/chat-messages')?.request).toContain('"user":"chat-');
    const before = Date.now();
    playground.kill('SIGINT');
    expect(await playground.exit).toBe(0);
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  test('talks to a real Dify app when there is a key, and the samples stay', async () => {
    const dify = await createDifySimulator({ apps: { 'real-key': { mode: 'chat', name: 'mine' } } });
    const playground = await startPlayground({ DIFY_API_URL: dify.url, DIFY_API_KEY: 'real-key' });
    const { setup, chats } = await playground.until(({ setup: now }) => now.apps[0]?.name.en === 'mine');
    expect(setup.apps[0]).toMatchObject({ name: { zh: 'mine' }, type: 'chat', samples: [], problem: null });
    expect(playground.output()).toContain('“mine” (chat)');
    expect(setup.apps.map(({ id }) => id)).toEqual(['own', 'chat', 'agent', 'chatflow', 'workflow', 'completion']);
    await playground.ask({ chat: chats[0]?.id ?? '', from: FROM, text: '一句话' });
    expect(dify.runs).toMatchObject([{ key: 'real-key', query: '一句话' }]);
    await playground.post('config', { app: 'chat' });
    await playground.ask({ chat: chats[0]?.id ?? '', from: FROM, text: '一句话' });
    expect(dify.runs).toHaveLength(1);
    expect(JSON.stringify(await playground.snapshot())).not.toContain('real-key');
    await playground.close();
    await dify.close();
  });
});

describe('an app of one’s own that does not answer as configured', () => {
  test.each([
    [
      'a Dify that is not there',
      { DIFY_API_URL: 'http://127.0.0.1:1/v1', DIFY_API_KEY: 'real-key' },
      'cannot be reached',
    ],
    ['a key that Dify does not know', { DIFY_API_KEY: 'wrong-key' }, 'does not accept DIFY_API_KEY'],
    ['a type that it is not', { DIFY_API_KEY: 'real-key', DIFY_APP_TYPE: 'workflow' }, 'DIFY_APP_TYPE is workflow'],
    ['an address of something else', { DIFY_API_KEY: 'real-key', path: '/elsewhere' }, 'did not answer as Dify’s API'],
  ])('%s', async (_, given: Record<string, string>, sentence) => {
    const { path = '', ...env } = given;
    const dify = await createDifySimulator({ apps: { 'real-key': { mode: 'chat', name: 'mine' } } });
    const playground = await openPlayground({ DIFY_API_URL: `${dify.url}${path}`, ...env });
    const { setup } = await playground.until(({ setup: now }) => (now.apps[0]?.problem ?? null) !== null);
    expect(setup.apps[0]?.problem?.en).toContain(sentence);
    expect(JSON.stringify(setup)).not.toContain('-key');
    await playground.close();
    await dify.close();
  });
});

test('a frame is kept once, also of a card whose first frames were forgotten', () => {
  const journal = createJournal(() => 0);
  const frame = (card: string, index: number) => ({ card, index, at: 0, content: '', final: false, error: false });
  for (let number = 0; number <= 20; number += 1) journal.addFrame(frame(`card-${number}`, 0));
  // A card is told of again with each change beside its text.
  for (const index of [1, 1, 2]) journal.addFrame(frame('card-0', index));
  const { frames } = journal.contents();
  expect(frames.filter(({ card }) => card === 'card-0').map(({ index }) => index)).toEqual([1, 2]);
});

describe('the server of the playground', () => {
  let playground: Playground;
  let chat: string;
  beforeAll(async () => {
    playground = await openPlayground();
    chat = (await playground.snapshot()).chats[0]?.id ?? '';
  });
  beforeEach(() => playground.post('reset', {}));
  afterAll(() => playground.close());

  test.each([
    ['another origin', { origin: 'http://evil.test' }],
    ['another port of this machine', { origin: 'http://localhost:1' }],
    ['an origin without a name', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another page of this machine', { 'sec-fetch-site': 'same-site' }],
    ['a form', { 'content-type': 'text/plain' }],
  ])('refuses a request of %s', async (_, headers) => {
    const refused = await playground.post('send', { chat, from: FROM, text: 'hi' }, headers);
    expect(refused.status).toBe(403);
    expect((await playground.snapshot()).items).toEqual([]);
  });

  test.each(['chat', 'agent', 'chatflow', 'workflow', 'completion'])('answers as a %s app', async (app) => {
    await playground.post('config', { app });
    const id = await playground.ask({ chat, from: FROM, text: '差旅标准的表格' });
    const { items, calls } = await playground.snapshot();
    expect(items.find((item) => item.kind === 'card')).toMatchObject({ question: id, phase: 'finished' });
    expect(calls.filter(({ code }) => code !== 'ok' && code !== null)).toEqual([]);
    await playground.post('config', { app: 'chat' });
  });

  test('delivers the same callback again, and nothing changes', async () => {
    const id = await playground.ask({ chat, from: FROM, text: '一句话' });
    const before = (await playground.snapshot()).items.map(({ kind }) => kind);
    await playground.post('redeliver', { id });
    const { items } = await playground.until(({ items: now }) =>
      now.some((item) => item.kind === 'question' && item.deliveries[1]?.status === 200),
    );
    expect(items.map(({ kind }) => kind)).toEqual(before);
    // The message is the app's opening words.
    expect(before).toEqual(['question', 'message', 'card']);
  });

  test('a redelivery meets the troubles of now', async () => {
    await playground.post('trouble', { name: 'cardRefused', on: true });
    const id = await playground.ask({ chat, from: FROM, text: '一句话' });
    await playground.post('trouble', { name: 'cardRefused', on: false });
    // Another app has a store of its own, so that the message is new to it.
    await playground.post('config', { app: 'agent' });
    await playground.post('redeliver', { id });
    await playground.until(({ logs }) => logs.filter(({ fields }) => fields['event'] === 'turn_finished').length === 2);
    await playground.post('config', { app: 'chat' });
    expect((await playground.snapshot()).items.map(({ kind }) => kind)).toContain('card');
  });

  test('tells the answers of two people apart', async () => {
    const { chats } = await playground.snapshot();
    const other = chats[1]?.id ?? '';
    const ids = await Promise.all([
      playground.ask({ chat, from: FROM, text: '一句话' }),
      playground.ask({ chat: other, from: 'staff-0002', text: '年假怎么申请' }),
    ]);
    const { calls, items, frames } = await playground.snapshot();
    for (const id of ids) {
      const card = items.find((item) => item.kind === 'card' && item.question === id);
      const streaming = calls.filter((call) => call.question === id && call.name === 'streaming');
      expect(streaming).toHaveLength(frames.filter((frame) => frame.card === card?.id).length);
    }
    expect(calls.filter(({ question }) => question === null)).toEqual([]);
  });

  test('with a slow DingTalk there are fewer frames and the same text', async () => {
    await playground.post('trouble', { name: 'slowDingTalk', on: true });
    const id = await playground.ask({ chat, from: FROM, text: '压测' });
    await playground.post('trouble', { name: 'slowDingTalk', on: false });
    const { calls, items } = await playground.snapshot();
    const streaming = calls.filter((call) => call.question === id && call.name === 'streaming');
    expect(streaming.every(({ ms }) => (ms ?? 0) >= 1_490)).toBe(true);
    expect(streaming.length).toBeLessThanOrEqual(5);
    const card = items.find((item) => item.kind === 'card');
    expect(card).toMatchObject({ phase: 'finished' });
    expect(card?.kind === 'card' && card.content.length).toBe(600);
  });

  test('beyond the QPS limit frames are skipped, and the last one lands', async () => {
    await playground.post('trouble', { name: 'qpsLimit', on: true });
    const id = await playground.ask({ chat, from: FROM, text: '压测' });
    await playground.post('trouble', { name: 'qpsLimit', on: false });
    const { calls, items } = await playground.snapshot();
    const refused = calls.filter((call) => call.question === id && call.status === 403);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ counted }) => !counted)).toBe(true);
    const card = items.find((item) => item.kind === 'card');
    expect(card).toMatchObject({ phase: 'finished' });
    expect(card?.kind === 'card' && card.content.length).toBe(600);
  });

  test('keeps no secret in what it shows', async () => {
    await playground.ask({ chat, from: FROM, text: '一句话' });
    const shown = JSON.stringify(await playground.snapshot());
    expect(shown).toContain('accessToken');
    const curls = await Promise.all(
      (await playground.snapshot()).calls.map(async ({ id }) =>
        (await fetch(`${playground.url}/playground/curl?call=${id}`)).text(),
      ),
    );
    expect(curls.filter((text) => text.includes('curl -sS')).length).toBeGreaterThan(6);
    expect(curls.join('\n')).not.toMatch(/playground-client-secret|app-playground|session=(?!removed)|Bearer (?!\$)/);
    expect(shown).not.toMatch(/playground-client-secret|app-playground|appSecret|"accessToken\\"/);
  });

  test('copies no call whose body is not kept: an upload, or one that is old', async () => {
    const { id } = (await (
      await fetch(`${playground.url}/playground/upload?name=a.png`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array(PIXEL),
      })
    ).json()) as { id: string };
    await playground.post('send', { chat, from: FROM, files: [id] });
    await playground.ask({ chat, from: FROM, text: '看图' });
    const { calls } = await playground.snapshot();
    const upload = calls.find(({ name }) => name === '/files/upload');
    expect((await fetch(`${playground.url}/playground/curl?call=${upload?.id}`)).status).toBe(404);
    const question = calls.find(({ name }) => name === '/chat-messages');
    expect(question && curlOf(question)).toContain('--data-raw');
    expect(question && curlOf({ ...question, request: null })).toBeNull();
  });

  test('sends words, pictures and files as DingTalk would, and nothing that it would not', async () => {
    const give = async (name: string) => {
      const answer = await fetch(`${playground.url}/playground/upload?name=${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array([1, 2, 3]),
      });
      return ((await answer.json()) as { id: string }).id;
    };
    const [picture, other, file, video] = await Promise.all(['a.png', 'b.jpg', 'c.pdf', 'd.mp4'].map(give));
    const { chats } = await playground.snapshot();
    const group = chats.find(({ kind }) => kind === 'group')?.id ?? '';
    const status = async (where: string, body: object) =>
      (await playground.post('send', { chat: where, from: FROM, ...body })).status;
    expect(await status(chat, { files: [picture, other], text: 'hi' })).toBe(200);
    expect(await status(group, { files: [picture] })).toBe(200);
    expect(await status(chat, { files: [video] })).toBe(200);
    const refused = [
      await status(chat, {}),
      await status(chat, { files: [file], text: 'words' }),
      await status(chat, { files: [file, picture] }),
      await status(group, { files: [file] }),
      await status(group, { voice: 'zh' }),
      await status(chat, { voice: 'none' }),
    ];
    expect(refused).toEqual(refused.map(() => 404));
    const { items } = await playground.snapshot();
    const sent = items.flatMap((item) => (item.kind === 'question' ? [item.files.map(({ kind }) => kind)] : []));
    expect(sent).toEqual([['picture', 'picture'], ['picture'], ['video']]);
  });

  test.each([
    ['send', { chat: 'nowhere', from: FROM, text: 'hi' }, 404],
    ['send', { chat: 'nowhere' }, 400],
    ['trouble', { name: 'rain', on: true }, 400],
    ['config', { app: 'none' }, 404],
    ['redeliver', { id: 'gone' }, 404],
    ['send', { chat: 'nowhere', from: FROM, files: ['gone'] }, 404],
    ['tap', { card: 'gone', from: FROM, actionId: 'like', params: {}, label: '' }, 404],
    ['tap', { card: 'gone' }, 400],
    ['link', { chat: 'nowhere', from: FROM, url: 'https://example.com' }, 404],
    ['nothing', {}, 404],
  ])('answers a wrong %s with %o', async (action, body, status) => {
    expect((await playground.post(action, body)).status).toBe(status);
  });

  test('serves its page and nothing beside it', async () => {
    const page = await fetch(playground.url);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const documents = [
      '/docs/operations.md',
      '/docs/operations.zh-CN.md',
      '/README.md',
      '/docs/images/playground.en.png',
    ];
    const shown = await Promise.all(documents.map(async (path) => (await fetch(`${playground.url}${path}`)).status));
    expect(shown).toEqual([200, 200, 200, 200]);
    const paths = [
      '/docs/%2e%2e/package.json',
      '/docs/%',
      '/page/%2e%2e/server/cast.ts',
      '/page/tsconfig.json',
      '/index.html',
      '/package.json',
    ];
    const statuses = await Promise.all(paths.map(async (path) => (await fetch(`${playground.url}${path}`)).status));
    expect(statuses).toEqual(paths.map(() => 404));
  });
});

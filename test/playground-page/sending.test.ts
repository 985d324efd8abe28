import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatItem, FileInfo, GalleryEntry, QuestionItem } from '../../playground/server/protocol.ts';
import { openPlayground, PIXEL, type Playground } from './playground.ts';

const FROM = 'staff-0001';
const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;

describe('what people send in the playground', () => {
  let playground: Playground;
  let single: string;
  let group: string;
  beforeAll(async () => {
    playground = await openPlayground();
    const { chats } = await playground.snapshot();
    single = chats.find(({ kind }) => kind === 'single')?.id ?? '';
    group = chats.find(({ kind }) => kind === 'group')?.id ?? '';
  });
  beforeEach(() => playground.post('reset', {}));
  afterAll(() => playground.close());

  const upload = (name: string, bytes: Buffer, headers: Record<string, string> = {}) =>
    fetch(`${playground.url}/playground/upload?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body: new Uint8Array(bytes),
    });
  const uploaded = async (name: string, bytes = PIXEL) =>
    (await (await upload(name, bytes)).json()) as { id: string; file: FileInfo };
  const send = (message: object) => playground.post('send', { chat: single, from: FROM, ...message });
  /** The question as everybody in the chat sees it, once it is delivered. */
  const sent = async (message: object): Promise<QuestionItem> => {
    const { id } = (await (await send(message)).json()) as { id: string };
    const isIt = (item: { kind: string; id: string }): item is QuestionItem => item.id === id;
    const { items } = await playground.until(({ items: now }) => now.find(isIt)?.deliveries[0]?.status === 200);
    const question = items.find(isIt);
    if (!question) throw new Error('the question is gone');
    return question;
  };

  test('a file is kept as it is, and never runs', async () => {
    const page = Buffer.from('<script>alert(1)</script>');
    const { file } = await uploaded('../报表:<b>.html', page);
    expect(file).toMatchObject({ kind: 'file', name: '.._报表__b_.html', size: page.length });
    const response = await fetch(new URL(file.url, playground.url));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(page);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''\.\._%E6%8A%A5/);
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('a long name loses its beginning, and no half of a character is left', async () => {
    const { file } = await uploaded(`${'📄'.repeat(200)}x.pdf`);
    expect(file.name).toMatch(/^📄{115}x\.pdf$/u);
    expect((await fetch(new URL(file.url, playground.url))).status).toBe(200);
  });

  test('a file that is too large is refused', async () => {
    expect((await upload('a.bin', Buffer.alloc(MAX_UPLOAD_BYTES))).status).toBe(200);
    expect((await upload('a.bin', Buffer.alloc(MAX_UPLOAD_BYTES + 1))).status).toBe(413);
  });

  test('another site cannot upload', async () => {
    expect((await upload('a.png', PIXEL, { origin: 'http://evil.test' })).status).toBe(403);
    expect((await upload('a.png', PIXEL, { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(403);
  });

  test.each([
    ['a picture', 'a.PNG', 'picture'],
    ['a video', 'a.mp4', 'video'],
    ['any other file', 'a.xlsx', 'file'],
  ])('%s alone is shown as what it is', async (_, name, kind) => {
    const { id } = await uploaded(name);
    const question = await sent({ files: [id] });
    expect(question).toMatchObject({ text: '', files: [{ kind, name, size: PIXEL.length }], recognition: null });
  });

  test('pictures go with words, also in a group', async () => {
    const ids = [(await uploaded('a.png')).id, (await uploaded('b.jpg')).id];
    const question = await sent({ chat: group, text: '这是什么', files: ids });
    expect(question).toMatchObject({ text: '这是什么', files: [{ name: 'a.png' }, { name: 'b.jpg' }] });
  });

  test('a voice message is shown with what DingTalk understood of it', async () => {
    const { voices } = await playground.snapshot();
    expect(voices.map(({ recognition }) => recognition !== '')).toContain(false);
    for (const { id, recognition } of voices) {
      const question = await sent({ voice: id });
      expect(question).toMatchObject({ files: [{ kind: 'voice' }], recognition });
      const sound = await fetch(new URL(question.files[0]?.url ?? '', playground.url));
      expect((await sound.text()).slice(0, 4)).toBe('RIFF');
    }
  });

  test('a group takes no voice, video or file', async () => {
    const { voices } = await playground.snapshot();
    const [file, video] = [await uploaded('a.xlsx'), await uploaded('a.mp4')];
    const statuses = await Promise.all(
      [{ voice: voices[0]?.id }, { files: [file.id] }, { files: [video.id] }].map(
        async (message) => (await send({ chat: group, ...message })).status,
      ),
    );
    expect(statuses).toEqual([404, 404, 404]);
  });

  test.each([
    ['nothing', {}],
    ['blanks', { text: '  ' }],
    ['a file that is gone', { files: ['gone'] }],
    ['a voice that nobody has', { voice: 'gone' }],
  ])('%s cannot be sent', async (_, message) => {
    expect((await send(message)).status).toBe(404);
    expect((await playground.snapshot()).items).toEqual([]);
  });

  test('a message can refer to an earlier one', async () => {
    const first = await sent({ text: '一句话' });
    const question = await sent({ text: '为什么', quote: first.id });
    expect(question).toMatchObject({ text: '为什么', quote: { from: FROM, text: '一句话' } });
    await playground.until(({ items }) => items.some((item) => item.kind === 'card' && item.phase === 'finished'));
    const card = (await playground.snapshot()).items.find(({ kind }) => kind === 'card');
    expect(await sent({ text: '再说一遍', quote: card?.id })).toMatchObject({ quote: { from: null } });
  });

  test('pictures can be a reply, too, and the app gets what it replies to', async () => {
    const first = await sent({ text: '一句话' });
    const picture = await uploaded('a.png');
    const question = await sent({ text: '是这张图片吗', files: [picture.id], quote: first.id });
    expect(question).toMatchObject({ quote: { from: FROM, text: '一句话' }, files: [{ name: 'a.png' }] });
    await asked(/^> 一句话\n\n是这张图片吗$/);
  });

  /** Waits until the sample app has got such a question. Answers of earlier tests may still come. */
  const asked = (query: RegExp) =>
    playground.until(({ calls }) =>
      calls
        .filter(({ service, name }) => service === 'dify' && name.includes('chat-messages'))
        .some(({ request }) => query.test((JSON.parse(request ?? '{}') as { query?: string }).query ?? '')),
    );
  test('a card of the robot is quoted by its ids, and its answer is found', async () => {
    const first = await sent({ text: '一句话' });
    const isAnswer = (item: ChatItem) =>
      item.kind === 'card' && item.question === first.id && item.phase === 'finished';
    const { items } = await playground.until(({ items: now }) => now.some(isAnswer));
    await sent({ text: '再说一遍', quote: items.find(isAnswer)?.id });
    expect((await asked(/^> .+\n\n再说一遍$/s)).items).not.toEqual([]);
  });

  test('a voice message is quoted by its words', async () => {
    const { voices } = await playground.snapshot();
    const voice = voices.find(({ recognition }) => recognition !== '');
    const spoken = await sent({ voice: voice?.id });
    await sent({ text: '什么意思', quote: spoken.id });
    const { items } = await asked(new RegExp(`^> ${voice?.recognition}\n\n什么意思$`));
    expect(items).toContainEqual(expect.objectContaining({ quote: { from: FROM, text: voice?.recognition } }));
  });

  test('what was said can be forwarded, and that can be quoted', async () => {
    expect((await send({ record: true })).status).toBe(404);
    expect((await send({ chat: group, record: true })).status).toBe(404);
    await sent({ text: '一句话' });
    const forwarded = await sent({ record: true });
    expect(forwarded.record?.map(({ text }) => text)).toContain('一句话');
    await asked(/^> .+: 一句话\n(?:.*\n)?\n请看这段聊天记录。$/s);
    await sent({ text: '谁先说的', quote: forwarded.id });
    expect((await asked(/^> .+: 一句话\n.*谁先说的$/s)).items).not.toEqual([]);
  });

  test('a link that speaks for people does so in single chats only', async () => {
    const url = `dtmd://dingtalkclient/sendMessage?content=${encodeURIComponent('一句话 (100%)')}`;
    const follow = (link: object) => playground.post('link', { chat: single, from: FROM, url, ...link });
    expect((await follow({})).status).toBe(200);
    const { items } = await playground.until(({ items: now }) => now.length > 0);
    expect(items[0]).toMatchObject({ kind: 'question', from: FROM, text: '一句话 (100%)' });
    expect((await follow({ chat: group })).status).toBe(404);
    expect((await follow({ url: 'https://example.com/' })).status).toBe(404);
    expect((await follow({ from: 'staff-0002' })).status).toBe(404);
  });

  test('only who sees a card can tap it', async () => {
    await playground.ask({ chat: single, from: FROM, text: '一句话' });
    const card = (await playground.snapshot()).items.find(({ kind }) => kind === 'card');
    const tap = (from: string, id = card?.id) =>
      playground.post('tap', { card: id, from, actionId: 'new', params: { action: 'new' }, label: '新会话' });
    expect((await tap(FROM, 'gone')).status).toBe(404);
    expect((await tap('staff-0002')).status).toBe(404);
    expect((await tap('nobody')).status).toBe(404);
    expect((await tap(FROM)).status).toBe(200);
  });

  test('the gallery holds nothing that could run or speak for the reader', async () => {
    const response = await fetch(`${playground.url}/playground/gallery`);
    const entries = (await response.json()) as GalleryEntry[];
    expect(entries.length).toBeGreaterThan(15);
    expect(entries.map(({ source }) => source).join('\n')).toContain('](javascript:');
    expect(entries.filter(({ card, message }) => card === '' || message === '').map(({ id }) => id)).toEqual([]);
    const rendered = entries.map(({ card, message }) => `${card}\n${message}`).join('\n');
    expect(rendered).not.toMatch(/\]\((?:javascript|data|dingtalk):|<script|onerror|href=|atId/i);
  });

  test('everything is gone after a reset', async () => {
    const { file } = await uploaded('a.png');
    await playground.post('reset', {});
    expect((await fetch(new URL(file.url, playground.url))).status).toBe(404);
  });
});

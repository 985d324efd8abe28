// What becomes of the files and the words of a message before Dify is asked.
import { describe, expect, test } from 'vitest';
import { readVersion } from '../../lib/dify/version.ts';
import { prepareQuestion } from '../../lib/ask/question.ts';
import { BridgeError } from '../../lib/errors.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import type { OutgoingFile } from '../../lib/dify/files.ts';
import type { Content, Quoted, SentFile } from '../../lib/dingtalk/message-kinds.ts';
import { amr, pdf, png } from '../support/files.ts';
import { messageOf } from './message.ts';

const uploads = (allowed_file_types: readonly string[], more: object = {}) => ({
  file_upload: { enabled: true, allowed_file_types, ...more },
});
const speech = { speech_to_text: { enabled: true } };

interface Scene {
  parameters?: object;
  quoted?: Quoted | null;
  question?: string;
  /** The words that Dify hears. */
  heard?: string;
  /** Files that came before. */
  held?: readonly SentFile[];
  heldIsOver?: boolean;
  /** Why DingTalk gives no address for a file. */
  cause?: string;
}

/** Prepares a message for an app. A download code is the kind of the file behind it. */
async function prepare(
  content: Content,
  { parameters, quoted = null, question = '这是什么？', heard = '', held, heldIsOver, cause }: Scene = {},
) {
  const sent: { name: string; user: string; bytes: number }[] = [];
  const asked: string[] = [];
  async function take({ name, user, bytes }: OutgoingFile): Promise<void> {
    let count = 0;
    for await (const chunk of bytes) count += chunk.byteLength;
    sent.push({ name, user, bytes: count });
  }
  const prepared = await prepareQuestion(
    { message: messageOf(content, quoted), question, user: 'user-1', held, heldIsOver },
    {
      quotedAnswer: async () => null,
      dify: {
        async facts() {
          asked.push('facts');
          return { type: 'chat', isTypeKnown: true, ...readVersion(null, undefined), ...readParameters(parameters) };
        },
      },
      sentFiles: {
        async addressOf(code) {
          if (cause !== undefined) throw new BridgeError('file_unavailable', 'on purpose', { cause });
          return code;
        },
        async download(code) {
          const bytes = code.startsWith('picture') ? png() : code.startsWith('audio') ? amr() : pdf();
          return {
            size: bytes.length,
            contentType: null,
            bytes: (async function* () {
              yield bytes;
            })(),
            discard: () => {},
          };
        },
        dify: {
          async upload(file) {
            await take(file);
            return { id: `upload-${sent.length}` };
          },
          async transcribe(file) {
            await take(file);
            return heard;
          },
        },
      },
    },
    new AbortController().signal,
  );
  return { prepared, sent, asked };
}

const picture: Content = { kind: 'picture', downloadCode: 'picture' };
const document: Content = { kind: 'file', downloadCode: 'pdf', fileName: '报告.PDF' };
const recording: Content = { kind: 'audio', downloadCode: 'audio', recognition: '' };
const words: Content = { kind: 'text', text: '这是什么？' };
const pictures = (count: number, text = ''): Content => ({
  kind: 'rich-text',
  text,
  pictures: Array.from({ length: count }, (_, index) => `picture-${index}`),
});
const quote = (text: string, file: Quoted['file'] = null): Quoted => ({ text, file });

describe('words', () => {
  test('are the question; the app is not looked up for them', async () => {
    const { prepared, asked } = await prepare(words);
    expect(prepared).toEqual({ query: '这是什么？', files: [], refused: null });
    expect(asked).toEqual([]);
  });

  test('that are quoted stand before them, each line marked, up to a length', async () => {
    const { prepared } = await prepare(words, { quoted: quote('第一行\n第二行') });
    expect(prepared.query).toBe('> 第一行\n> 第二行\n\n这是什么？');
    const long = await prepare(words, { quoted: quote('x'.repeat(5_000)) });
    expect(long.prepared.query).toBe(`> ${'x'.repeat(4_000)}\n\n这是什么？`);
  });
});

describe('files that came before the words', () => {
  const before = (kind: SentFile['kind'], downloadCode: string, name: string | null = null) => ({
    kind,
    downloadCode,
    name,
  });
  const held = [before('picture', 'picture-before'), before('file', 'pdf', 'a.pdf')];
  const parameters = uploads(['image', 'document'], { number_limits: 3 });

  test('go before those of the message, the quoted one after them', async () => {
    const { prepared } = await prepare(pictures(1, '看图'), { parameters, held: held.slice(0, 1) });
    expect(prepared.files.map((file) => file.extension)).toEqual(['png', 'png']);
    const quoted = quote('', before('picture', 'picture-quoted'));
    const both = await prepare(words, { parameters, held: held.slice(1), quoted });
    expect(both.prepared.files.map((file) => file.extension)).toEqual(['pdf', 'png']);
  });

  test('are sent once when the person quotes one of them', async () => {
    const { prepared } = await prepare(words, { parameters, held, quoted: quote('', held[0]) });
    expect(prepared.files.map((file) => file.extension)).toEqual(['png', 'pdf']);
  });

  test('go with the words that Dify hears', async () => {
    const { prepared } = await prepare(recording, {
      parameters: { ...parameters, ...speech },
      heard: '说说这张图',
      held,
    });
    expect(prepared.query).toBe('说说这张图');
    expect(prepared.files.map((file) => file.extension)).toEqual(['png', 'pdf']);
  });

  test('are left out where the app does not take them, or not so many; the reason is kept', async () => {
    const none = await prepare(words, { parameters: uploads(['document']), held });
    expect(none.prepared).toMatchObject({ files: [{ extension: 'pdf' }], refused: { code: 'file_not_accepted' } });
    const one = uploads(['image', 'document'], { number_limits: 1 });
    const first = await prepare(words, { parameters: one, held });
    expect(first.prepared).toMatchObject({ files: [{ extension: 'png' }], refused: { facts: { most: 1 } } });
    await expect(prepare(pictures(1, '看图'), { parameters: one, held })).rejects.toMatchObject({ facts: { most: 1 } });
  });

  test('that waited for too long are left out, without a look at the app', async () => {
    const { prepared, asked } = await prepare(words, { heldIsOver: true });
    expect(prepared).toMatchObject({ query: '这是什么？', files: [], refused: { code: 'file_expired' } });
    expect(asked).toEqual([]);
  });

  test('that DingTalk refuses have expired; another failure of DingTalk is what it is', async () => {
    const failing = (cause: string) => prepare(words, { parameters, held, cause });
    await expect(failing('dingtalk_refused')).rejects.toMatchObject({ code: 'file_expired' });
    await expect(failing('dingtalk_permission_missing')).rejects.toMatchObject({ code: 'file_unavailable' });
  });
});

describe('a file', () => {
  test.each<[string, Content, string, object]>([
    ['picture', picture, 'image', { class: 'image', extension: 'png' }],
    ['document', document, 'document', { class: 'document', extension: 'pdf' }],
    ['recording', recording, 'audio', { class: 'audio', extension: 'amr' }],
  ])('of an app that takes it goes to Dify: a %s', async (_what, content, kind, file) => {
    const { prepared, sent } = await prepare(content, { parameters: uploads([kind]) });
    expect(prepared.files).toEqual([{ ...file, uploadId: 'upload-1' }]);
    expect(prepared).toMatchObject({ query: '这是什么？', refused: null });
    expect(sent).toMatchObject([{ user: 'user-1' }]);
  });

  test('that the app does not take is refused with what it takes, before it is fetched', async () => {
    const parameters = uploads(['image', 'custom'], { allowed_file_extensions: ['.dwg'] });
    await expect(prepare(document, { parameters })).rejects.toMatchObject({
      code: 'file_not_accepted',
      facts: { kinds: 'image custom' },
      named: { extensions: ['dwg'] },
    });
    await expect(prepare({ kind: 'video', downloadCode: 'video' }, { parameters })).rejects.toMatchObject({
      code: 'file_not_accepted',
    });
    await expect(prepare(picture)).rejects.toMatchObject({ code: 'file_not_accepted', facts: { kinds: '' } });
  });

  test('beside words may be left out; the reason is kept', async () => {
    const { prepared, sent } = await prepare(pictures(1, '看图'), { parameters: uploads(['document']) });
    expect(prepared).toMatchObject({ files: [], refused: { code: 'file_not_accepted' } });
    expect(sent).toEqual([]);
    await expect(prepare(pictures(1), { parameters: uploads(['document']) })).rejects.toMatchObject({
      code: 'file_not_accepted',
    });
  });

  test('too many are refused with how many the app takes', async () => {
    const parameters = uploads(['image'], { number_limits: 2 });
    expect((await prepare(pictures(2), { parameters })).prepared.files).toHaveLength(2);
    await expect(prepare(pictures(3), { parameters })).rejects.toMatchObject({
      code: 'file_not_accepted',
      facts: { most: 2 },
    });
    const many = uploads(['image'], { number_limits: 50 });
    await expect(prepare(pictures(11), { parameters: many })).rejects.toMatchObject({ facts: { most: 10 } });
  });

  test('that is quoted goes first, if the app takes it', async () => {
    const quoted = quote('', { kind: 'file', downloadCode: 'pdf', name: 'a.pdf' });
    const parameters = uploads(['image', 'document']);
    const both = await prepare(picture, { quoted, parameters });
    expect(both.prepared.files.map((file) => file.class)).toEqual(['document', 'image']);
    expect((await prepare(words, { quoted, parameters })).prepared.files).toHaveLength(1);
    expect((await prepare(words, { quoted, parameters: uploads(['image']) })).prepared).toEqual({
      query: '这是什么？',
      files: [],
      refused: null,
    });
    const nameless = quote('', { kind: 'file', downloadCode: 'pdf', name: null });
    expect((await prepare(words, { quoted: nameless, parameters })).prepared.files).toEqual([]);
  });
});

describe('a recording', () => {
  test('whose words DingTalk recognised is those words', async () => {
    const { prepared, asked } = await prepare({ ...recording, recognition: '年假几天' }, { question: '年假几天' });
    expect(prepared).toEqual({ query: '年假几天', files: [], refused: null });
    expect(asked).toEqual([]);
  });

  test('about a quoted picture takes the picture along', async () => {
    const parameters = { ...speech, ...uploads(['image']) };
    const quoted = quote('', { kind: 'picture', downloadCode: 'picture', name: null });
    const { prepared } = await prepare(recording, { parameters, heard: '这是谁？', quoted });
    expect(prepared).toMatchObject({ query: '这是谁？', files: [{ class: 'image' }] });
  });

  test('is heard by Dify, where the app recognises speech', async () => {
    const { prepared, sent } = await prepare(recording, {
      parameters: speech,
      heard: '年假几天',
      quoted: quote('规定'),
    });
    expect(prepared).toEqual({ query: '> 规定\n\n年假几天', files: [], refused: null });
    expect(sent).toHaveLength(1);
    await expect(prepare(recording, { parameters: speech, heard: '' })).rejects.toMatchObject({
      code: 'speech_unclear',
    });
  });

  test('that can be neither heard nor sent was not understood', async () => {
    await expect(prepare(recording)).rejects.toMatchObject({ code: 'speech_unclear' });
    await expect(prepare(recording, { parameters: uploads(['image']) })).rejects.toMatchObject({
      code: 'file_not_accepted',
    });
  });
});

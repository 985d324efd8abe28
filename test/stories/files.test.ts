// What people send, and what apps send back.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { CallbackInput } from '../../playground/dingtalk/types.ts';
import { GROUP } from '../support/bridge.ts';
import { amr, csv, pdf, png, taking } from '../support/files.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const script = words('seen');
const from = 'staff-1';
/** A file without words is asked about at once. */
const env = { FILE_ALONE: 'ask' };
const picture: CallbackInput = { from, kind: 'picture', file: { name: 'a.png', bytes: png() } };
const runs = () => bridge().dify.runs;
const uploads = () => [...bridge().dify.uploads.values()];
const messages = () => bridge().dingtalk.messages;

describe('what people send', () => {
  test('a picture reaches the app, with a question where it has none', async () => {
    await start({ app: { script, parameters: taking('image') }, dify: { version: '1.14' }, env });
    await bridge().ask(picture);
    expect(runs()).toMatchObject([{ query: '请看这张图片。', files: [{ type: 'image' }], user: 'staff-1' }]);
    expect(uploads()).toMatchObject([{ user: 'staff-1', mimeType: 'image/png' }]);
    expect(Buffer.from(uploads()[0]?.bytes ?? [])).toEqual(Buffer.from(png()));
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: 'seen' });
    // Dify lists the picture at the end of the answer. It does not come back.
    expect(messages()).toEqual([]);
  });

  test('costs a call of the month, as does a message of the robot: every call of an answer is counted', async () => {
    await start({ app: { script, parameters: taking('image') }, env: { ...env, DINGTALK_CARD_TEMPLATE_ID: '' } });
    const { dingtalk, logs } = bridge();
    await bridge().ask(picture, { sessionWebhookExpiredTime: 1 });
    expect(messages()).toMatchObject([{ channel: 'robot', text: 'seen' }]);
    expect(dingtalk.countedCalls()).toBe(2);
    expect(logs.find(({ event }) => event === 'turn_finished')).toMatchObject({ calls: 2 });
  });

  test('words and pictures of a group message go together', async () => {
    await start({ app: { script, parameters: taking('image') } });
    const pictures = [png(), png()].map((bytes, index) => ({ name: `${index}.png`, bytes }));
    await bridge().ask({ from, conversation: GROUP, kind: 'richText', text: '有什么不同？', pictures });
    expect(runs()).toMatchObject([{ query: '有什么不同？', files: [{ type: 'image' }, { type: 'image' }] }]);
  });

  test('a file goes into the file input of a workflow', async () => {
    await start({
      app: {
        mode: 'workflow',
        script,
        parameters: {
          user_input_form: [
            { 'text-input': { variable: 'query', label: 'query', required: true } },
            { file: { variable: 'paper', label: 'paper', required: true, allowed_file_types: ['document'] } },
          ],
        },
      },
    });
    await bridge().ask({ from, kind: 'file', file: { name: '报告.pdf', bytes: pdf() } });
    await bridge().ask('总结一下');
    expect(runs()[0]?.files).toMatchObject([{ variable: 'paper', type: 'document' }]);
    expect(uploads()[0]?.name).toBe('报告.pdf');
  });

  test.each([
    ['video', { name: 'v.mp4', bytes: Buffer.from('\0\0\0\u0018ftypmp42\0\0\0\0mp42isom', 'latin1') }],
    ['audio', { name: 'a.amr', bytes: amr() }],
  ] as const)('%s goes to an app that takes it', async (kind, file) => {
    await start({ app: { script, parameters: taking('video', 'audio') }, env });
    await bridge().ask({ from, kind, file, recognition: '' });
    expect(runs()[0]?.files).toMatchObject([{ type: kind }]);
  });

  test('speech that DingTalk has understood is a question in words, and costs no download', async () => {
    await start({ app: { script, parameters: taking('audio') } });
    await bridge().ask({ from, kind: 'audio', recognition: '几点下班' });
    expect(runs()).toMatchObject([{ query: '几点下班', files: [] }]);
    expect(bridge().dingtalk.calls.map(({ api }) => api)).not.toContain('downloadFile');
  });

  test("speech that it has not goes to the app's own recognition", async () => {
    await start({
      app: { script, parameters: { speech_to_text: { enabled: true } }, transcribe: () => '明天上海天气怎么样' },
    });
    await bridge().ask({ from, kind: 'audio', file: { name: 'a.amr', bytes: amr() }, recognition: '' });
    expect(runs()).toMatchObject([{ query: '明天上海天气怎么样' }]);
  });

  test('speech that nobody understands is said to be so', async () => {
    await start({ app: { script } });
    await bridge().ask({ from, kind: 'audio', recognition: '' });
    expect(runs()).toEqual([]);
    expect(bridge().card().content).toContain('没有识别出文字');
  });

  test('what the app does not take is refused with what it does', async () => {
    await start({ app: { script, parameters: taking('image', 'document') } });
    await bridge().ask({ from, kind: 'video' });
    expect(bridge().card()).toMatchObject({ phase: 'failed' });
    expect(bridge().card().content).toContain('可以发送：图片、文档');
    expect([runs(), uploads()]).toEqual([[], []]);
  });

  test('more than the app takes at once is refused with how many it takes, before anything is fetched', async () => {
    await start({ app: { script, parameters: { file_upload: { ...taking('image').file_upload, number_limits: 2 } } } });
    const pictures = [1, 2, 3].map((index) => ({ name: `${index}.png`, bytes: png() }));
    await bridge().ask({ from, conversation: GROUP, kind: 'richText', text: '比较', pictures });
    expect(bridge().card().content).toContain('一次最多接受 2 个文件');
    expect([runs(), uploads()]).toEqual([[], []]);
  });

  test('a file that the app requires is asked for', async () => {
    const paper = { file: { variable: 'paper', label: '合同', required: true, allowed_file_types: ['document'] } };
    await start({ app: { mode: 'workflow', script, parameters: { user_input_form: [paper] } } });
    await bridge().ask('看看');
    expect(bridge().card().content).toContain('需要文件：合同');
    expect(runs()).toEqual([]);
  });

  test('a quoted text and a quoted picture go with the question', async () => {
    await start({ app: { script, parameters: taking('image') } });
    await bridge().ask({ from, text: '这句是什么意思？', quote: { text: '差旅住宿\n按城市分三档' } });
    expect(runs()[0]?.query).toBe('> 差旅住宿\n> 按城市分三档\n\n这句是什么意思？');
    await bridge().ask({
      from,
      text: '图里是什么？',
      quote: { kind: 'picture', file: { name: 'q.png', bytes: png() } },
    });
    expect(runs()[1]).toMatchObject({ query: '图里是什么？', files: [{ type: 'image' }] });
  });

  test('a file that was refused can be asked about again in words', async () => {
    await start({ app: { script } });
    await bridge().ask(picture);
    await bridge().ask('then in words');
    expect(runs()).toMatchObject([{ query: 'then in words' }]);
  });
});

describe('what is not what it says', () => {
  /** What the card says, with what reached the app. */
  const failing = async (input: CallbackInput) => {
    await bridge().ask(input);
    await bridge().ask('what is it?');
    const { phase, content } = bridge().card();
    return { phase, content, runs: runs(), uploads: uploads() };
  };
  const failed = (sentence: string) => ({
    phase: 'failed',
    content: expect.stringContaining(sentence) as string,
    runs: [],
    uploads: [],
  });

  test('a page that calls itself a picture', async () => {
    await start({ app: { script, parameters: taking('image', 'document') } });
    expect(await failing({ from, kind: 'picture', file: { name: 'a.png', bytes: Buffer.from('<html>') } })).toEqual(
      failed('类型不符'),
    );
  });

  test('a program that calls itself a document', async () => {
    await start({ app: { script, parameters: taking('document') } });
    const bytes = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]);
    expect(await failing({ from, kind: 'file', file: { name: 'a.pdf', bytes } })).toEqual(failed('类型不符'));
  });

  test('a file beyond the limit of the app', async () => {
    const parameters = { ...taking('image'), system_parameters: { image_file_size_limit: 1 } };
    await start({ app: { script, parameters } });
    const bytes = Buffer.concat([png(), Buffer.alloc(1_100_000)]);
    expect(await failing({ from, kind: 'picture', file: { name: 'a.png', bytes } })).toEqual(failed('文件超过 1 MB'));
  });

  test('a download that redirects is not followed', async () => {
    let isCalled = false;
    const server = createServer((_request, response) => {
      isCalled = true;
      response.end();
    });
    const to = `http://127.0.0.1:${await listenOnLoopback(server)}/file`;
    await start({ app: { script, parameters: taking('image') }, dingtalk: { download: { kind: 'redirect', to } } });
    expect(await failing(picture)).toEqual(failed('没能取到这个文件'));
    expect(isCalled).toBe(false);
    server.close();
  });

  test.each(['http://127.0.0.1:1/a', 'http://169.254.169.254/latest', 'http://[::1]/a', 'http://localhost:1/a'])(
    'a download from %s is refused',
    async (url) => {
      await start({ app: { script, parameters: taking('image') }, dingtalk: { download: { kind: 'url', url } } });
      expect(await failing(picture)).toEqual(failed('没能取到这个文件'));
      expect(bridge().logs).toContainEqual(expect.objectContaining({ code: 'file_address_refused' }));
    },
  );

  test('a download that never ends is cut at the limit', async () => {
    const parameters = {
      ...taking('image'),
      system_parameters: {
        image_file_size_limit: 1,
        file_size_limit: 1,
        audio_file_size_limit: 1,
        video_file_size_limit: 1,
      },
    };
    await start({ app: { script, parameters }, dingtalk: { download: { kind: 'endless' } } });
    await bridge().ask(picture);
    await bridge().ask('what is it?');
    expect(bridge().card()).toMatchObject({ phase: 'failed' });
    expect(runs()).toEqual([]);
  });

  test('a permission that is missing is in the log', async () => {
    await start({
      app: { script, parameters: taking('image') },
      dingtalk: { permissions: ['Card.Instance.Write', 'Card.Streaming.Write'] },
    });
    expect(await failing(picture)).toEqual(failed('没能从钉钉取到'));
    expect(JSON.stringify(bridge().logs)).toContain('dingtalk_permission_missing');
  });
});

describe('what apps send back', () => {
  const made = (as: 'message_file' | 'markdown' | 'end') => ({
    chunks: [
      { text: '给你：' },
      { afterMs: 5, file: { name: '图.png', bytes: png(), type: 'image' as const, as } },
      { afterMs: 5, file: { name: '表.pdf', bytes: pdf(), type: 'document' as const, as } },
    ],
  });
  const sent = () => messages().map(({ kind, image, file }) => (image ? 'image' : (file?.name ?? kind)));

  test.each([
    ['chat', 'message_file', 'relative'],
    ['chat', 'markdown', 'own'],
    ['advanced-chat', 'end', 'internal'],
    ['advanced-chat', 'markdown', 'internal'],
  ] as const)('%s, as %s with %s links, is sent below the card', async (mode, as, filesUrl) => {
    await start({ app: { mode, script: made(as) }, dify: { filesUrl } });
    await bridge().ask('make');
    // The event `message_file` has no name.
    expect(sent()).toEqual(['image', as === 'message_file' ? 'file.pdf' : '表.pdf']);
    expect([...bridge().dingtalk.media.values()].map(({ bytes }) => Buffer.from(bytes))).toEqual(
      [png(), pdf()].map((bytes) => Buffer.from(bytes)),
    );
    const shown = JSON.stringify([bridge().card().frames, messages().map(({ text }) => text)]);
    expect(shown).not.toMatch(/sign=|\/files\//u);
    expect(shown).toContain('给你：');
  });

  test('the outputs of a workflow, at any depth; what DingTalk takes no file of comes as an archive', async () => {
    const outputs = {
      report: { parts: [{ madeFile: { name: '明细.csv', bytes: csv(), type: 'document' } }] },
      picture: { madeFile: { name: 'p.png', bytes: png(), type: 'image' } },
    };
    await start({ app: { mode: 'workflow', script: { chunks: [], outputs } } });
    await bridge().ask('make');
    expect(sent().toSorted()).toEqual(['image', '明细.zip']);
  });

  test.each([
    ['chat', 'chat-picture', []],
    ['agent-chat', 'agent-file', []],
    // Its author answers with the asker's own picture on purpose, beside one that a tool made.
    ['advanced-chat', 'pictures', ['image', 'image']],
  ] as const)('%s as recorded (%s): own files do not come back', async (mode, file, expected) => {
    const bytes = readFileSync(new URL(`../fixtures/dify-real/${file}.sse`, import.meta.url));
    const addresses: string[] = [];
    const files = createServer(({ url }, response) => {
      addresses.push(url ?? '');
      response.end(png());
    });
    const DIFY_FILES_URL = `http://127.0.0.1:${await listenOnLoopback(files)}`;
    try {
      await start({ app: { mode, script: { bytes }, parameters: taking('image') }, env: { ...env, DIFY_FILES_URL } });
      await bridge().ask(picture);
      expect(bridge().card()).toMatchObject({ phase: 'finished' });
      expect(sent()).toEqual(expected);
      expect(addresses).toHaveLength(expected.length);
    } finally {
      files.closeAllConnections();
      files.close();
    }
  });

  test('goes into the group that asked', async () => {
    await start({ app: { script: made('message_file') } });
    await bridge().ask({ from, text: 'make', conversation: GROUP });
    expect(messages().map(({ conversationId }) => conversationId)).toEqual([GROUP, GROUP]);
  });

  test('without the permission for robot messages an image comes as text, a file is named', async () => {
    await start({
      ...fast(),
      app: { script: made('message_file') },
      dingtalk: { permissions: ['Card.Instance.Write', 'Card.Streaming.Write', 'qyapi_base'] },
    });
    await bridge().ask('make');
    expect(messages()[0]?.text).toMatch(/!\[.*\]\(@/u);
    expect(messages().at(-1)?.text).toContain('file.pdf');
  });

  test('a file that is gone at Dify is named', async () => {
    await start({ ...fast(), app: { script: made('message_file') } });
    bridge().dify.faults.inject({ api: 'file', kind: 'reset', times: Infinity });
    await bridge().ask('make');
    expect(bridge().card()).toMatchObject({ phase: 'finished' });
    expect(messages().at(-1)?.text).toContain('没能发出来');
  });

  test('a hundred images are not a hundred calls', async () => {
    const chunks = Array.from({ length: 100 }, (_, index) => ({
      file: { name: `${index}.png`, bytes: png(), type: 'image' as const, as: 'message_file' as const },
    }));
    await start({ ...fast(), app: { script: { chunks: [{ text: 'many' }, ...chunks] } } });
    await bridge().ask('make');
    expect(messages().filter(({ image }) => image)).toHaveLength(9);
    expect(messages().at(-1)?.text).toContain('个文件没有发出');
  });

  test('a link of the model to a private address is not fetched, and a public picture stays in the card', async () => {
    await start({
      ...fast(),
      app: {
        script: {
          chunks: [
            {
              event: 'message_file',
              data: { id: 'x', type: 'image', belongs_to: 'assistant', url: 'http://127.0.0.1:1/a.png' },
            },
            { text: '![图](https://example.com/a.png)' },
          ],
        },
      },
    });
    await bridge().ask('make');
    expect(bridge().card().content).toContain('https://example.com/a.png');
    expect(bridge().logs).toContainEqual(
      expect.objectContaining({ event: 'file_not_fetched', code: 'file_address_refused' }),
    );
  });
});

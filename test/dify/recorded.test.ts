// Streams of real Difys, folded to what the chat sees at the end.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answerText, emptyAnswer, endAnswer, foldEvent, type Answer } from '../../lib/answer/answer.ts';
import { finalView, typingView } from '../../lib/answer/view.ts';
import { readEvents } from '../../lib/dify/stream.ts';
import { filesOfAnswer } from '../../lib/files/answer-files.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { zhCN } from '../../lib/texts/zh-CN.ts';
import { noConnection } from './support.ts';

interface Entry {
  file: string;
  expect: { contains?: string[]; inOrder?: string[]; excludes?: string[]; filesSent?: number };
}

const folder = new URL('../fixtures/dify-real/', import.meta.url);
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Entry[];
const view = { texts: zhCN, showThinking: false, cardMaxChars: 3_000 };

/** The answer after each event, and at the end. */
async function fold(file: string): Promise<Answer[]> {
  const body = new Response(readFileSync(new URL(file, folder))).body;
  if (!body) throw new Error('no body');
  const steps = [emptyAnswer];
  for await (const event of readEvents(body, noConnection, { clock: systemClock, idleMs: 5_000 })) {
    steps.push(foldEvent(steps.at(-1) ?? emptyAnswer, event));
  }
  return [...steps, endAnswer(steps.at(-1) ?? emptyAnswer)];
}

const ended = async (file: string) => (await fold(file)).at(-1) ?? emptyAnswer;
const cardOf = (answer: Answer) => finalView(answer, [], true, view).card ?? '';

const mine = [
  'workflow-outputs',
  'workflow-many-outputs',
  'chat-picture',
  'agent-file',
  'pictures',
  'chatflow-think',
  'chatflow-retry-default-value',
  'chatflow-retry-then-default',
  'branches-class',
  'branches-loop',
  'chatflow-output-moderation',
].map((name) => `${name}.sse`);

describe.each(index.filter(({ file }) => mine.includes(file)))('$file', ({ file, expect: expected }) => {
  test('ends as its index says', async () => {
    const answer = await ended(file);
    const card = cardOf(answer);
    for (const part of expected.contains ?? []) expect(card).toContain(part);
    for (const part of expected.excludes ?? []) expect(card).not.toContain(part);
    let from = 0;
    for (const part of expected.inOrder ?? []) {
      const at = card.indexOf(part, from);
      expect({ part, at }).not.toEqual({ part, at: -1 });
      from = at + part.length;
    }
    if (expected.filesSent !== undefined) expect(filesOfAnswer(answer)).toHaveLength(expected.filesSent);
    expect(answer.ending).toEqual({ kind: 'complete' });
  });
});

test('the own upload that a chatflow answers with is a result, beside the file of its tool', async () => {
  expect(filesOfAnswer(await ended('pictures.sse')).map(({ name }) => name)).toEqual([
    'picture.png',
    'd6decac1c7824069b464bfb46dfb3d92.png',
  ]);
});

test('several outputs stand below their names, and empty ones are left out', async () => {
  const { text } = answerText(await ended('workflow-many-outputs.sse'));
  expect(text).toContain('**text**: 字1 字2 字3');
  expect(text).toContain('**number**: 4\n\n**flag**: true\n\n**object**\n\n```json\n{\n  "prompt_tokens": 21,\n');
  expect(text).toContain('**given**\n\n```json\n{\n  "a": 1\n}\n```');
  expect(text).toContain('**array**: ["2026-11-27 01:24:39"]');
  expect(text).not.toMatch(/\*\*files?\*\*|\{'data'/);
  expect(text.match(/字1/g)).toHaveLength(1);
});

test('a version that streams the text only shows its other outputs at the end, and sends the file once', async () => {
  const answer = await ended('0.15.3/workflow-makes-picture.sse');
  const { text } = answerText(answer);
  expect(text).toMatch(
    /^\*\*text\*\*: 你好.*「hello」。\n\n\*\*files\*\*\n\n- 📎 .*\.png\n\n\*\*count\*\*\n\n```json\n/,
  );
  expect(filesOfAnswer(answer)).toHaveLength(1);
});

test('the text of a failed try is taken back when the next one begins, and when the default value takes its place', async () => {
  const steps = await fold('chatflow-retry-then-default.sse');
  const shown = steps.map((answer) => typingView(answer, view));
  expect(shown.every((text) => (text.match(/字1/g) ?? []).length <= 1)).toBe(true);
  // The second of three tries, in the middle, and the moment before the default value.
  expect(shown.filter((text) => text.endsWith('字8'))).not.toHaveLength(0);
  const beforeDefault = steps.findLast((answer) => !answerText(answer).text.includes('默认'));
  expect(answerText(beforeDefault ?? emptyAnswer).text).toBe('前 ');
  expect(answerText(steps.at(-1) ?? emptyAnswer).text).toBe('前 （默认的回答） 后');
});

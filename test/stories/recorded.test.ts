// Each recorded stream of a real Dify, through the running function to what the chat shows at its end.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import type { BytesScript } from '../../playground/dify/types.ts';
import { GROUP } from '../support/bridge.ts';
import { png, taking } from '../support/files.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { fast, stage } from '../support/stage.ts';

interface Entry {
  file: string;
  mode: 'chat' | 'agent-chat' | 'completion' | 'advanced-chat' | 'workflow';
  asked: string;
  uploads: string[];
  expect: {
    contains?: string[];
    containsAnyOf?: string[];
    inOrder?: string[];
    excludes?: string[];
    /** What the asker gets for the question: the card is one, each message another. */
    outcomes?: number;
    filesSent?: number;
    failed?: boolean;
  };
  note: string;
}

const { start, bridge } = stage();
const folder = new URL('../fixtures/dify-real/', import.meta.url);
const entries = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Entry[];

/** The stream; before its last event a while of nothing, in which it is stopped. */
function scriptOf(file: string, isStopped: boolean): BytesScript {
  const bytes = readFileSync(new URL(file, folder));
  return isStopped ? { bytes, split: [bytes.lastIndexOf('data: ')], gapMs: 3_000 } : { bytes };
}

/** Dify's file addresses, as this process serves them. */
async function startFiles() {
  const server = createServer((_, response) => response.end(png()));
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, close };
}

test.each(entries)('$file: $note', async ({ file, mode, asked, uploads, expect: expected }) => {
  const isStopped = file.includes('stopped');
  const files = await startFiles();
  try {
    await start({
      ...fast(),
      app: { mode, script: scriptOf(file, isStopped), ...(mode === 'workflow' ? {} : { parameters: taking('image') }) },
      env: { DIFY_FILES_URL: files.url },
    });
    // One question came with a picture that its entry does not list.
    const hasFile = uploads.length > 0 || file === 'pictures.sse';
    const pictures = [{ name: 'mine.png', bytes: png() }];
    const withPicture = { from: 'staff-1', conversation: GROUP, kind: 'richText', text: asked, pictures } as const;
    await bridge().send(hasFile ? withPicture : asked);
    if (isStopped) {
      await expect.poll(() => bridge().cards()[0]?.content).toContain('字2');
      await bridge().send('/stop');
    }
    await bridge().idle();
  } finally {
    files.close();
  }
  const { messages, cards } = bridge().dingtalk;
  const { phase, content } = bridge().card();
  expect(phase).toBe(expected.failed ? 'failed' : 'finished');
  if (!expected.failed) expect(content).not.toContain('⚠️');
  for (const part of expected.contains ?? []) expect(content).toContain(part);
  const { containsAnyOf = [''], inOrder = [], outcomes, filesSent } = expected;
  expect(containsAnyOf.some((part) => content.includes(part))).toBe(true);
  const places = inOrder.map((part) => content.indexOf(part));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
  const said = messages.map(({ text }) => text ?? '');
  for (const part of expected.excludes ?? []) expect([content, ...said].join('\n')).not.toContain(part);
  const answers = isStopped ? said.filter((text) => !text.includes('停止')) : said;
  if (outcomes !== undefined) expect(cards.size + answers.length).toBe(outcomes);
  if (filesSent !== undefined) expect(messages).toHaveLength(filesSent);
  // Nothing of a provider's words in the log.
  expect(JSON.stringify(bridge().logs)).not.toMatch(/桩模型|stub_error|API request failed/);
});

test.each([
  ['agent-tool', 'agent-chat'],
  ['agent-makes-picture', 'agent-chat'],
  ['chat-think', 'chat'],
  ['chatflow-plain', 'advanced-chat'],
  ['workflow-plain', 'workflow'],
  ['workflow-makes-picture', 'workflow'],
] as const)('0.15.3, %s ends well', async (name, mode) => {
  const files = await startFiles();
  try {
    const script = scriptOf(`0.15.3/${name}.sse`, false);
    await start({ ...fast(), app: { mode, script }, dify: { version: '0.15' }, env: { DIFY_FILES_URL: files.url } });
    await bridge().ask('question');
  } finally {
    files.close();
  }
  const { phase, content } = bridge().card();
  expect(phase).toBe('finished');
  expect(content).not.toMatch(/^$|⚠️|<think>|<details|没有生成/);
});

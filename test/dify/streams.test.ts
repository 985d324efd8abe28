// Every recorded stream ends in exactly the text or failure that its index says, however the network cuts it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answerText, emptyAnswer, endAnswer, foldEvent, type Answer } from '../../lib/answer/answer.ts';
import { readEvents } from '../../lib/dify/stream.ts';
import { renderOutputs } from '../../lib/answer/outputs.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { noConnection } from './support.ts';

interface Entry {
  file: string;
  text?: string;
  textStreamedOnly?: string;
  textSha256?: string;
  reasoning?: string;
  ids: { conversationId?: string; messageId?: string; taskId?: string; workflowRunId?: string };
  end: string;
  status?: string;
  error?: { code?: string; status?: number };
  outputs?: Record<string, unknown>;
  citations?: number;
  files?: number;
  splits?: Record<string, number[] | string>;
}

const folder = new URL('../fixtures/dify/', import.meta.url);
const { fixtures } = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as { fixtures: Entry[] };

async function foldChunks(chunks: Iterable<Uint8Array>): Promise<Answer> {
  async function* body() {
    yield* chunks;
  }
  let answer = emptyAnswer;
  for await (const event of readEvents(body(), noConnection, { clock: systemClock, idleMs: 5_000 })) {
    answer = foldEvent(answer, event);
  }
  return endAnswer(answer);
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const endKind = (entry: Entry): string => {
  if (entry.end === 'error' || entry.status === 'failed') return 'failed';
  if (entry.end === 'workflow_paused') return 'paused';
  return entry.end === 'eof' ? 'cut' : 'complete';
};

function expectAsIndexed(answer: Answer, entry: Entry): void {
  const { text, reasoning } = answerText(answer);
  if (entry.textSha256) expect(createHash('sha256').update(text).digest('hex')).toBe(entry.textSha256);
  else if (entry.text === '' && entry.outputs && Object.keys(entry.outputs).length > 0) {
    expect(text).toBe(renderOutputs(entry.outputs));
  } else expect([entry.text, entry.textStreamedOnly]).toContain(text);
  if (entry.reasoning !== undefined) expect(reasoning).toBe(entry.reasoning);
  expect(answer.ending?.kind).toBe(endKind(entry));
  if (entry.error?.code && answer.ending?.kind === 'failed') expect(answer.ending.upstreamCode).toBe(entry.error.code);
  expect(answer.ids).toEqual({
    ...(entry.ids.conversationId ? { conversationId: entry.ids.conversationId } : {}),
    ...(entry.ids.messageId ? { messageId: entry.ids.messageId } : {}),
    ...(entry.ids.taskId ? { taskId: entry.ids.taskId } : {}),
    ...(entry.ids.workflowRunId ? { runId: entry.ids.workflowRunId } : {}),
  });
  if (entry.citations !== undefined) expect(answer.citations).toHaveLength(entry.citations);
}

describe.each(fixtures)('$file', (entry) => {
  const bytes = readFileSync(new URL(entry.file, folder));

  test('whole', async () => {
    expectAsIndexed(await foldChunks([bytes]), entry);
  });

  // The long one has four fifths of all bytes, and nothing in its lines that the others have not.
  test.each(bytes.length > 100_000 ? [97] : [1, 3])('in pieces of %i', async (size) => {
    expectAsIndexed(await foldChunks(pieces(bytes, size)), entry);
  });

  const offsets = Object.values(entry.splits ?? {}).flatMap((split) => (Array.isArray(split) ? split : []));
  if (offsets.length > 0) {
    test('cut at each listed offset', async () => {
      for (const offset of offsets) {
        expectAsIndexed(await foldChunks([bytes.subarray(0, offset), bytes.subarray(offset)]), entry);
      }
    });
  }

  test('without its last blank line', async () => {
    expectAsIndexed(await foldChunks([bytes.subarray(0, bytes.length - 1)]), entry);
  });
});

test('outputs without a text of their own are rendered readably', async () => {
  const bytes = readFileSync(new URL('workflow-outputs-only.sse', folder));
  const { text } = answerText(await foldChunks([bytes]));
  expect(text).toContain('Two issues found.');
  expect(text).toContain('report.pdf');
  expect(text).toContain('| id | title |');
  expect(text).not.toContain('__dify__file__');
  expect(text).not.toContain('sign=');
});

test('a line without an end is a broken stream', async () => {
  const megabyte = new Uint8Array(1024 * 1024).fill(0x78);
  const chunks = [new TextEncoder().encode('data: '), ...Array.from({ length: 20 }, () => megabyte)];
  await expect(foldChunks(chunks)).rejects.toMatchObject({ code: 'dify_cut' });
});

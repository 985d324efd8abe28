// What a real Dify was recorded to keep of a run, read by the real recovery.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AppType } from '../../lib/config/robot.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { configOf, json, startServer } from '../dify/support.ts';
import { newClock, recoverFrom } from './support.ts';

const folder = new URL('../fixtures/dify-real/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');
const answers = JSON.parse(read('answers.json')) as Record<string, object>;

interface Recorded {
  event: string;
  answer?: string;
  workflow_run_id?: string;
  conversation_id?: string;
  message_id?: string;
  data: Record<string, unknown> & { error: string | null };
}

const parse = (stream: string) =>
  stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Recorded);

const eventsOf = (file: string) => parse(read(file));

/** What Dify keeps of a run that was recorded live: the events of the finished run, its detail and its message. */
interface Kept {
  type: AppType;
  /** Null where this Dify does not show the runs of a chatflow. */
  detail: object | null;
  /** Null where the version has no route for events. */
  events?: string | null;
  /** The text of its message. */
  row?: string | object;
}

async function recover({ type, detail, events = null, row }: Kept) {
  const [end] = events === null ? [] : parse(events);
  const messageId = end?.message_id ?? 'message-1';
  const runId = end?.workflow_run_id ?? 'run-1';
  const message = typeof row === 'string' ? { answer: row, status: 'normal' } : row;
  const rows = message ? [{ id: messageId, query: 'hello', created_at: 1, ...message }] : [];
  const { url } = await startServer((path, response) => {
    if (path.startsWith('/messages')) json(response, { data: rows });
    else if (detail === null) json(response, { code: 'not_workflow_app', message: 'x', status: 400 }, 400);
    else if (!path.endsWith('/events')) json(response, detail);
    else if (events === null) json(response, { code: 'not_found', message: 'gone', status: 404 }, 404);
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events);
  });
  const clock = newClock();
  return recoverFrom(configOf(url), clock, {
    reference: '3f9a1c07',
    type,
    isTypeKnown: true,
    user: 'staff-0001',
    question: 'hello',
    askedAtMs: clock.now(),
    lastEventAtMs: clock.now(),
    ids: { runId, conversationId: end?.conversation_id ?? 'conversation-1', messageId, taskId: 'task-1' },
    version: readVersion('1.14.2', undefined),
  });
}

/** The last event of a run, and the record that Dify makes of it. */
function endOf(file: string) {
  const end = eventsOf(file).find(({ event }) => event === 'workflow_finished');
  if (!end) throw new Error(`${file} has no end`);
  return { detail: end.data, events: `data: ${JSON.stringify(end)}\n\n`, error: end.data.error ?? '' };
}

const textOf = (file: string) =>
  eventsOf(file)
    .flatMap(({ event, answer }) => (event === 'message' ? (answer ?? '') : []))
    .join('');

test('the events of a finished chatflow are its last one, and its detail has the text', async () => {
  const detail = answers['run chatflow'] ?? {};
  const events = read('events-of-a-finished-chatflow.sse');
  const { outcome, text } = await recover({ type: 'chatflow', detail, events });
  expect(text).toBe('BEFORE: 你好，这是桩模型的回答。你问的是「hello」。\n\n-- AFTER (you asked: hello)');
  expect(outcome).toMatchObject({ answer: { ending: { kind: 'complete' }, ids: { taskId: 'task-1' } } });
});

test('the detail of a workflow has its outputs', async () => {
  const { text } = await recover({ type: 'workflow', detail: answers['run workflow'] ?? {} });
  expect(text).toBe('你好，这是桩模型的回答。你问的是「hello」。');
});

describe('a chatflow with a node that failed and was tried again', () => {
  const file = 'chatflow-retry-then-default.sse';
  const row = textOf(file);

  test('has the text of each try in its message', () => {
    expect(row.match(/字1 /g)?.length).toBeGreaterThan(1);
    expect(row).toMatch(/^前 .*后$/s);
  });

  test.each([
    ['whose end tells it', endOf(file)],
    ['whose detail tells it', { ...endOf(file), events: null }],
    ['that succeeded in the end', { ...endOf(file), detail: { ...endOf(file).detail, status: 'succeeded' } }],
  ])('is read from its outputs: one %s', async (_, kept) => {
    expect((await recover({ type: 'chatflow', row, ...kept })).text).toBe('前 （默认的回答） 后');
  });

  test('is read from its message where moderation replaced the text', async () => {
    const { text, outcome } = await recover({ type: 'chatflow', row: 'OUTPUT BLOCKED', ...endOf(file) });
    expect(text).toBe('OUTPUT BLOCKED');
    expect(JSON.stringify(outcome)).not.toContain('默认');
  });
});

test('the recorded moderation of a chatflow goes before the outputs', async () => {
  const kept = endOf('chatflow-output-moderation.sse');
  const { text, outcome } = await recover({ type: 'chatflow', row: 'OUTPUT BLOCKED', ...kept });
  expect(text).toBe('OUTPUT BLOCKED');
  expect(JSON.stringify(outcome)).not.toContain('桩模型');
});

describe('a run that failed', () => {
  test.each([
    ['workflow-model-429.sse', 'workflow', 'dify_model_busy'],
    ['chatflow-model-500.sse', 'chatflow', 'dify_model_failed'],
    ['0.15.3/chatflow-error.sse', 'chatflow', 'dify_model_failed'],
  ] as const)('is named by its cause: %s', async (file, type, code) => {
    const { outcome, log } = await recover({ type, ...endOf(file) });
    expect(outcome).toMatchObject({ answer: { ending: { kind: 'failed', cause: 'run', reason: { code } } } });
    // Nothing of the provider's text.
    expect(JSON.stringify(outcome) + log).not.toMatch(/桩模型|stub|API request|请求太多/);
  });

  test('is named by its cause in the message of a chatflow as well', async () => {
    const { error } = endOf('chatflow-model-500.sse');
    const row = { answer: '', status: 'error', error: `Run failed: ${error}` };
    const { outcome } = await recover({ type: 'chatflow', detail: null, row });
    expect(outcome).toMatchObject({ answer: { ending: { kind: 'failed', reason: { code: 'dify_model_failed' } } } });
  });

  test('without a word of a model is one that failed', async () => {
    const detail = { status: 'failed', error: 'HTTP node: status code 429', outputs: {} };
    const { outcome } = await recover({ type: 'workflow', detail });
    expect(outcome).toMatchObject({ answer: { ending: { kind: 'failed', reason: null } } });
  });
});

describe('the end of a run', () => {
  test.each([
    ['failed', 'Aborted: User requested stop', 'stopped'],
    ['stopped', 'Stopped by user.', 'stopped'],
    ['stopped', 'Stopped by output moderation.', 'complete'],
    ['failed', 'Aborted: Maximum execution time exceeded', 'failed'],
  ])('%s, %s is one that is %s', async (status, error, kind) => {
    const detail = { status, error, outputs: {} };
    const { outcome } = await recover({ type: 'chatflow', detail, row: 'OUTPUT BLOCKED' });
    expect(outcome).toMatchObject({ answer: { ending: { kind } } });
  });
});

import { describe, expect, test } from 'vitest';
import { readFixture } from '../../playground/dify/fixtures.ts';
import type { Chunk, DifyVersion } from '../../playground/dify/types.ts';
import { isRecord, parseJson, recordOf } from '../../playground/http/shape.ts';
import { createFastClock } from '../support/virtual-clock.ts';
import { eventually, startDify, textOf } from './support.ts';

const two: Chunk[] = [{ text: '你好，' }, { text: '小明' }];
const nodes = ['node_started', 'node_finished'];

/** The events of a whole answer in two deltas, by mode. */
const sequences = {
  chat: ['message', 'message', 'message_end'],
  completion: ['message', 'message', 'message_end'],
  'agent-chat': ['agent_thought', 'agent_message', 'agent_message', 'agent_thought', 'message_end'],
  agent: ['agent_thought', 'agent_message', 'agent_message', 'agent_thought', 'message', 'message_end'],
  'advanced-chat': [
    'workflow_started',
    ...nodes,
    'node_started',
    'message',
    'message',
    'node_finished',
    ...nodes,
    'message_end',
    'workflow_finished',
  ],
  workflow: [
    'workflow_started',
    ...nodes,
    'node_started',
    'text_chunk',
    'text_chunk',
    'node_finished',
    ...nodes,
    'workflow_finished',
  ],
} as const;

describe('a streamed answer has the events of its mode', () => {
  const modes = ['chat', 'completion', 'agent-chat', 'agent', 'advanced-chat', 'workflow'] as const;
  test.each(modes)('%s', async (mode) => {
    const { dify, ask } = await startDify({ script: { chunks: two } });
    const { names, raw, broke } = await ask(mode);
    expect(names).toEqual(sequences[mode]);
    expect(broke).toBeNull();
    expect(raw.startsWith('event: ping\n\n')).toBe(mode === 'advanced-chat' || mode === 'workflow');
    expect(dify.runs).toMatchObject([{ answer: '你好，小明', status: 'succeeded', saved: true }]);
    await eventually(() => dify.openStreams.length === 0);
  });

  test.each([
    ['chat', 'chat-basic', 'message'],
    ['chat', 'chat-basic', 'message_end'],
    ['completion', 'completion-basic', 'message'],
    ['agent-chat', 'agent-tools', 'agent_thought'],
    ['agent-chat', 'agent-tools', 'agent_message'],
    ['advanced-chat', 'chatflow-basic', 'workflow_started'],
    ['advanced-chat', 'chatflow-basic', 'message'],
    ['advanced-chat', 'chatflow-basic', 'message_end'],
    ['advanced-chat', 'chatflow-basic', 'workflow_finished'],
    ['workflow', 'workflow-text-chunks', 'text_chunk'],
    ['workflow', 'workflow-text-chunks', 'workflow_finished'],
  ] as const)('%s: with the fields, in the order, of %s’s %s', async (mode, file, name) => {
    const { ask } = await startDify({ script: { chunks: two } });
    const mine = (await ask(mode)).events.find(({ event }) => event === name);
    const recorded = readFixture(file)
      .toString('utf8')
      .split('\n\n')
      .map((block) => parseJson(block.slice('data: '.length)))
      .find((event) => isRecord(event) && event['event'] === name);
    expect(Object.keys(mine ?? {})).toEqual(Object.keys(recordOf(recorded)));
    expect(Object.keys(recordOf(mine?.['data']))).toEqual(Object.keys(recordOf(recordOf(recorded)['data'])));
  });
});

describe('the end of a chatflow depends on the version', () => {
  test.each([
    ['legacy', ['workflow_finished', 'message_end']],
    ['1.13.0', ['workflow_finished']],
    ['1.14', ['message_end', 'workflow_finished']],
  ] as [DifyVersion, string[]][])('%s', async (version, ends) => {
    const { ask } = await startDify({ version, script: { chunks: two } });
    const { names, raw } = await ask('advanced-chat');
    expect(names.filter((name) => name === 'message_end' || name === 'workflow_finished')).toEqual(ends);
    expect(raw.includes('"event": "message"')).toBe(version === 'legacy');
    expect(raw.includes('\\u4f60')).toBe(version === 'legacy');
  });
});

test('an agent’s steps: the thought grows with the same id, the stored answer joins the steps', async () => {
  const tool = { tool: 'calendar', input: { day: 1 }, observation: 'free' };
  const { dify, ask } = await startDify({ script: { chunks: [{ text: '我看看。' }, tool, { text: '有空。' }] } });
  const { events } = await ask('agent-chat');
  const thoughts = events.filter(({ event }) => event === 'agent_thought');
  expect(
    thoughts.map(({ position, thought, tool: used, observation }) => [position, thought, used, observation]),
  ).toEqual([
    [1, '', '', ''],
    [1, '我看看。', 'calendar', ''],
    [1, '我看看。', 'calendar', '{"calendar":"free"}'],
    [2, '', '', ''],
    [2, '有空。', '', ''],
  ]);
  expect(new Set(thoughts.map(({ id }) => id)).size).toBe(2);
  expect(textOf(events)).toBe('我看看。有空。');
  expect(dify.runs[0]?.answer).toBe('我看看。\n有空。');
  const flow = await ask('advanced-chat');
  expect(flow.names.filter((name) => name === 'agent_log')).toHaveLength(2);
});

describe('an answer can end otherwise', () => {
  test('failed: an error event in an easy app, a failed run in a workflow', async () => {
    const { dify, ask } = await startDify({ script: { chunks: two, ending: { kind: 'failed', message: 'boom' } } });
    expect((await ask('chat')).events.at(-1)).toMatchObject({
      event: 'error',
      code: 'completion_request_error',
      message: 'boom',
    });
    const chatflow = await ask('advanced-chat');
    expect(chatflow.names).not.toContain('error');
    expect(recordOf(chatflow.events.at(-1)?.['data'])).toMatchObject({ status: 'failed', error: 'boom' });
    expect(dify.runs.map(({ status }) => status)).toEqual(['failed', 'failed']);
  });

  test('failed in a chatflow up to 1.12: an error follows', async () => {
    const script = { chunks: two, ending: { kind: 'failed', message: 'boom' } } as const;
    const { ask } = await startDify({ version: 'legacy', script });
    expect((await ask('advanced-chat')).events.at(-1)).toMatchObject({ event: 'error', message: 'Run failed: boom' });
  });

  test('error: without a task id, and nameless if so wished', async () => {
    const named = await startDify({
      script: { chunks: [], ending: { kind: 'error', code: 'rate_limit_error', status: 429, message: 'x' } },
    });
    const { events } = await named.ask('chat');
    expect(Object.keys(events[0] ?? {})).toEqual([
      'event',
      'conversation_id',
      'message_id',
      'created_at',
      'code',
      'status',
      'message',
    ]);
    const nameless = await startDify({
      script: { chunks: [], ending: { kind: 'error', nameless: true, status: 500, message: '' } },
    });
    expect((await nameless.ask('chat')).events).toEqual([{ event: 'error', message: '', status: 500 }]);
  });

  test('eof: complete, but without an end event', async () => {
    const { ask } = await startDify({ script: { chunks: two, ending: { kind: 'eof' } } });
    expect(await ask('chat')).toMatchObject({ names: ['message', 'message'], broke: null });
  });

  test('cut: everything sent arrives, then the connection breaks', async () => {
    const { ask } = await startDify({ script: { chunks: two, ending: { kind: 'cut' } } });
    expect(await ask('chat')).toMatchObject({ names: ['message', 'message'], broke: 'terminated' });
  });

  test('silence: not another byte, the connection stays', async () => {
    const script = { chunks: two, ending: { kind: 'silence' } } as const;
    const { dify, ask } = await startDify({ script, behaviour: { pingMs: 20 } });
    const reading = ask('chat', {}, () => Date.now() > endsAt);
    const endsAt = Date.now() + 60_000;
    await eventually(() => dify.runs[0]?.status === 'succeeded');
    const before = dify.openStreams[0]?.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(dify.openStreams[0]?.bytes).toBe(before);
    await dify.close();
    await reading;
  });

  test('paused: a form, then workflow_paused closes the stream', async () => {
    const ending = { kind: 'paused', formContent: '同意吗？', formToken: 'token-1' } as const;
    const { dify, ask, call } = await startDify({ script: { chunks: two, ending } });
    const { names, events, broke } = await ask('advanced-chat');
    expect(names.slice(-2)).toEqual(['human_input_required', 'workflow_paused']);
    expect(recordOf(events.at(-2)?.['data'])).toMatchObject({ form_token: 'token-1', form_content: '同意吗？' });
    expect(broke).toBeNull();
    const detail = await call('app-advanced-chat', 'GET', `/workflows/run/${dify.runs[0]?.workflowRunId}`);
    expect(detail.body).toMatchObject({ status: 'paused', outputs: {}, finished_at: null });
  });
});

test('a replacement takes the place of the text so far', async () => {
  const { dify, ask } = await startDify({ script: { chunks: [...two, { replace: '不能回答' }, { text: '。' }] } });
  expect(textOf((await ask('chat')).events)).toBe('不能回答。');
  expect(dify.runs[0]?.answer).toBe('不能回答。');
});

test('reasoning, other events and raw bytes can be sent, too', async () => {
  const { ask } = await startDify({
    script: {
      chunks: [
        { reasoning: '想' },
        { event: 'node_retry', data: { retry_index: 1 } },
        { raw: ': comment\n\n' },
        { text: 'x' },
      ],
    },
  });
  const { events, raw } = await ask('workflow');
  expect(events.find(({ event }) => event === 'reasoning_chunk')?.['data']).toMatchObject({ reasoning: '想' });
  expect(events.find(({ event }) => event === 'node_retry')).toMatchObject({ data: { retry_index: 1 } });
  expect(raw).toContain(': comment\n\n');
});

test('outputs are what the script says, with or without streamed text', async () => {
  const { ask } = await startDify({ script: { chunks: [{ pause: true }], outputs: { score: 0.8 } } });
  const { names, events } = await ask('workflow');
  expect(names).toContain('text_chunk');
  expect(recordOf(events.at(-1)?.['data'])).toMatchObject({ outputs: { score: 0.8 } });
  const older = await startDify({ version: '1.13.0', script: { chunks: [{ pause: true }], outputs: { score: 0.8 } } });
  expect((await older.ask('workflow')).names).not.toContain('text_chunk');
});

test('pings come at their interval, whatever else is sent, as exactly 13 bytes', async () => {
  const { ask } = await startDify({
    clock: createFastClock(100),
    script: { chunks: [{ text: '一' }, { afterMs: 25_000, text: '二' }] },
  });
  const { raw } = await ask('chat');
  expect(raw.split('event: ping\n\n')).toHaveLength(3);
});

test('deltas keep to their times without adding up their delays', async () => {
  const chunks = Array.from({ length: 100 }, () => ({ afterMs: 3, text: '字' }));
  const { dify, ask } = await startDify({ script: { chunks } });
  await ask('chat');
  const [run] = dify.runs;
  expect((run?.finishedAt ?? 0) - (run?.startedAt ?? 0)).toBeLessThan(450);
});

test('a blocking answer is one JSON body, also for a run that failed', async () => {
  const { call, question } = await startDify({ script: { chunks: [{ afterMs: 20, pause: true }, ...two] } });
  const body = { ...question, inputs: { query: 'x' }, response_mode: 'blocking' };
  expect((await call('app-chat', 'POST', '/chat-messages', body)).body).toMatchObject({
    event: 'message',
    answer: '你好，小明',
  });
  expect((await call('app-workflow', 'POST', '/workflows/run', body)).body).toMatchObject({
    data: { status: 'succeeded', outputs: { result: '你好，小明' } },
  });
  const failing = await startDify({ script: { chunks: [], ending: { kind: 'failed', message: 'boom' } } });
  expect(await failing.call('app-workflow', 'POST', '/workflows/run', body)).toMatchObject({
    status: 200,
    body: { data: { status: 'failed' } },
  });
  expect((await failing.call('app-chat', 'POST', '/chat-messages', body)).status).toBe(400);
});

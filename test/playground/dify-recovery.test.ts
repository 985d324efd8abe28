import { describe, expect, test } from 'vitest';
import { recordOf } from '../../playground/http/shape.ts';
import { eventually, startDify, textOf } from './support.ts';

/** The second half comes when it is told to. */
const inHalves = () => {
  const { promise: when, resolve: goOn } = Promise.withResolvers<void>();
  return { script: { chunks: [{ text: '前半' }, { when, text: '后半' }] }, goOn };
};
const seenFirst = (raw: string) => raw.includes('前半');

async function rowsOf(started: Awaited<ReturnType<typeof startDify>>, mode: string, user = 'staff-0001') {
  const id = started.dify.runs[0]?.conversationId;
  const { body } = await started.call(`app-${mode}`, 'GET', `/messages?conversation_id=${id}&user=${user}`);
  return body['data'];
}

describe('when the client goes away', () => {
  test('a chatflow run goes on and can be read by run detail and messages', async () => {
    const { script, goOn } = inHalves();
    const started = await startDify({ script });
    const { dify, call, ask } = started;
    await ask('advanced-chat', {}, seenFirst);
    const [run] = dify.runs;
    const path = `/workflows/run/${run?.workflowRunId}`;
    expect((await call('app-advanced-chat', 'GET', path)).body).toMatchObject({ status: 'running', outputs: {} });
    goOn();
    await eventually(() => run?.status === 'succeeded');
    expect(run?.disconnectedAt).not.toBeNull();
    expect((await call('app-advanced-chat', 'GET', path)).body).toMatchObject({
      status: 'succeeded',
      outputs: { answer: '前半后半' },
    });
    expect(await rowsOf(started, 'advanced-chat')).toMatchObject([
      { id: run?.messageId, answer: '前半后半', status: 'normal' },
    ]);
  });

  test('up to 1.12 a chatflow’s message stays empty while the run’s outputs are kept, as text', async () => {
    const { script, goOn } = inHalves();
    const started = await startDify({ script, version: 'legacy' });
    await started.ask('advanced-chat', {}, (raw) => raw.includes('\\u524d'));
    await eventually(() => started.dify.openStreams.length === 0);
    goOn();
    const [run] = started.dify.runs;
    await eventually(() => run?.status === 'succeeded');
    expect(await rowsOf(started, 'advanced-chat')).toMatchObject([{ answer: '' }]);
    const { body } = await started.call('app-advanced-chat', 'GET', `/workflows/run/${run?.workflowRunId}`);
    expect(body['outputs']).toBe('{"answer":"前半后半","files":[]}');
  });

  test.each([
    ['lost', 'succeeded', ''],
    ['saved', 'succeeded', '前半后半'],
    ['aborted', 'stopped', ''],
  ] as const)('an easy app’s answer is %s', async (easyAnswers, status, answer) => {
    const { script, goOn } = inHalves();
    const started = await startDify({ script, behaviour: { easyAnswers } });
    await started.ask('chat', {}, seenFirst);
    await eventually(() => started.dify.openStreams.length === 0);
    goOn();
    await eventually(() => started.dify.runs[0]?.status === status);
    expect(await rowsOf(started, 'chat')).toMatchObject([{ answer }]);
    await eventually(() => started.dify.openStreams.length === 0);
  });
});

describe('GET /messages', () => {
  test('is for chats only, for the owner only, newest rows ascending', async () => {
    const started = await startDify({ script: ({ text }) => ({ chunks: [{ text: `答 ${text}` }] }) });
    const { ask, call, dify } = started;
    const conversation_id = (await ask('chat', { query: '一' })).events[0]?.['conversation_id'];
    await ask('chat', { query: '二', conversation_id });
    await ask('chat', { query: '三', conversation_id });
    const path = `/messages?conversation_id=${String(conversation_id)}`;
    const page = await call('app-chat', 'GET', `${path}&user=staff-0001&limit=2`);
    expect(page.body).toMatchObject({ has_more: true, data: [{ query: '二', answer: '答 二' }, { query: '三' }] });
    expect((await call('app-chat', 'GET', `${path}&user=staff-0002`)).status).toBe(404);
    expect((await call('app-workflow', 'GET', path)).body['code']).toBe('not_chat_app');
    expect((await call('app-chat', 'GET', '/messages?user=staff-0001')).status).toBe(400);
    expect(dify.violations).toEqual([]);
  });

  test('marks a failed answer', async () => {
    const started = await startDify({
      script: { chunks: [{ text: '半' }], ending: { kind: 'failed', message: 'boom' } },
    });
    await started.ask('chat');
    expect(await rowsOf(started, 'chat')).toMatchObject([{ status: 'error', error: 'boom' }]);
  });
});

describe('run detail', () => {
  test('is for workflow-based apps, and 404 for a run nobody knows', async () => {
    const { call } = await startDify();
    expect((await call('app-chat', 'GET', '/workflows/run/x')).body['code']).toBe('not_workflow_app');
    expect(await call('app-workflow', 'GET', `/workflows/run/${crypto.randomUUID()}`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});

describe('GET /workflow/:id/events', () => {
  test('of a finished run is one frame in spaced JSON, without chat ids', async () => {
    const { dify, ask, read } = await startDify({ script: { chunks: [{ text: '好' }] } });
    await ask('advanced-chat');
    const id = dify.runs[0]?.workflowRunId;
    const { raw, events } = await read('app-advanced-chat', `/workflow/${id}/events?user=staff-0001`);
    expect(raw.startsWith('data: {"event": "workflow_finished", ')).toBe(true);
    expect(events).toMatchObject([{ event: 'workflow_finished', task_id: id, data: { outputs: { answer: '好' } } }]);
    expect(events[0]).not.toHaveProperty('conversation_id');
  });

  test('of a running run pings and goes on live, without what was sent before', async () => {
    const { script, goOn } = inHalves();
    const { dify, ask, read } = await startDify({ script });
    await ask('workflow', {}, seenFirst);
    await eventually(() => dify.openStreams.length === 0);
    const reading = read('app-workflow', `/workflow/${dify.runs[0]?.workflowRunId}/events?user=staff-0001`);
    await eventually(() => dify.openStreams.length === 1);
    goOn();
    const { raw, events, names } = await reading;
    expect(raw.startsWith('event: ping\n\n')).toBe(true);
    expect(textOf(events)).toBe('后半');
    expect(names.at(-1)).toBe('workflow_finished');
  });

  test('with a snapshot begins with the start and, in a chatflow, an empty replacement', async () => {
    const { script, goOn } = inHalves();
    const { dify, ask, read } = await startDify({ script });
    await ask('advanced-chat', {}, seenFirst);
    await eventually(() => dify.openStreams.length === 0);
    const query = 'user=staff-0001&include_state_snapshot=true';
    const reading = read('app-advanced-chat', `/workflow/${dify.runs[0]?.workflowRunId}/events?${query}`);
    await eventually(() => dify.openStreams.length === 1);
    goOn();
    const { names, events } = await reading;
    expect(names.slice(0, 4)).toEqual(['workflow_started', 'message_replace', 'node_started', 'node_finished']);
    expect(events[1]).toMatchObject({ answer: '', reason: '' });
    expect(names.at(-1)).toBe('workflow_finished');
  });

  test('with continue_on_pause and no snapshot the server does not close at the end', async () => {
    const { script, goOn } = inHalves();
    const { dify, ask, read } = await startDify({ script });
    await ask('workflow', {}, seenFirst);
    await eventually(() => dify.openStreams.length === 0);
    const path = `/workflow/${dify.runs[0]?.workflowRunId}/events?user=staff-0001&continue_on_pause=true`;
    let endedAt = 0;
    const reading = read('app-workflow', path, undefined, (raw) => {
      if (raw.includes('workflow_finished')) endedAt = Date.now();
      return false;
    });
    await eventually(() => dify.openStreams.length === 1);
    goOn();
    await eventually(() => endedAt > 0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(dify.openStreams).toHaveLength(1);
    await dify.close();
    await reading;
  });

  test('is 404 for another user, another app and an older version', async () => {
    const { dify, ask, call } = await startDify({ script: { chunks: [{ text: '好' }] } });
    await ask('workflow');
    const path = `/workflow/${dify.runs[0]?.workflowRunId}/events`;
    expect((await call('app-workflow', 'GET', `${path}?user=staff-0002`)).status).toBe(404);
    expect((await call('app-advanced-chat', 'GET', `${path}?user=staff-0001`)).status).toBe(404);
    const old = await startDify({ version: '1.13.0', script: { chunks: [{ text: '好' }] } });
    await old.ask('workflow');
    const oldPath = `/workflow/${old.dify.runs[0]?.workflowRunId}/events?user=staff-0001`;
    expect((await old.call('app-workflow', 'GET', oldPath)).status).toBe(404);
  });
});

describe('stop', () => {
  const endless = { chunks: [{ text: '前半' }, { afterMs: 60_000, text: '后半' }] };

  test.each([
    ['chat', 'chat-messages', 'message_end', undefined],
    ['completion', 'completion-messages', 'message_end', undefined],
    ['advanced-chat', 'chat-messages', 'workflow_finished', 'stopped'],
    ['workflow', 'workflows/tasks', 'workflow_finished', 'stopped'],
  ] as const)('ends a %s run as that mode does', async (mode, path, event, status) => {
    const { dify, ask, call } = await startDify({ script: endless, behaviour: { stopNoticeMs: 30 } });
    const reading = ask(mode);
    await eventually(() => dify.runs[0]?.answer === '前半');
    const user = 'staff-0001';
    const reply = await call(`app-${mode}`, 'POST', `/${path}/${dify.runs[0]?.taskId}/stop`, { user });
    expect(reply).toEqual({ status: 200, body: { result: 'success' } });
    const last = (await reading).events.at(-1);
    expect([last?.['event'], recordOf(last?.['data'])['status']]).toEqual([event, status]);
    expect(dify.runs[0]).toMatchObject({ status: 'stopped', answer: '前半' });
  });

  test('by another user, or of an unknown task, is a success that changes nothing', async () => {
    const { script, goOn } = inHalves();
    const { dify, ask, call } = await startDify({ script, behaviour: { stopNoticeMs: 1 } });
    const reading = ask('chat');
    await eventually(() => dify.runs.length === 1);
    const task = dify.runs[0]?.taskId;
    expect((await call('app-chat', 'POST', `/chat-messages/${task}/stop`, { user: 'staff-0002' })).status).toBe(200);
    expect((await call('app-chat', 'POST', '/chat-messages/none/stop', { user: 'staff-0001' })).status).toBe(200);
    expect((await call('app-chat', 'POST', `/chat-messages/${task}/stop`, {})).status).toBe(400);
    goOn();
    expect(textOf((await reading).events)).toBe('前半后半');
  });
});

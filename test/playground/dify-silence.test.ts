// What a real Dify does without a word: runs that wait, die, go on or are stopped (recorded, or as told in
// docs/wire-dify.md).
import { describe, expect, test } from 'vitest';
import { atMoment, cutAt, type Place } from '../../playground/dify/trouble.ts';
import { modelFailures } from '../../playground/dify/model-failures.ts';
import type { AppMode, Behaviour, DifyVersion, SampleApp } from '../../playground/dify/types.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { eventually, startDify, textOf } from './support.ts';

const user = 'staff-0001';
const unknownId = '00000000-0000-4000-8000-000000000000';
const PING = 'event: ping\n\n';
const slow = { chunks: [{ text: '前半' }, { afterMs: 100, text: '后半' }] };
const endless = { chunks: [{ text: '前半' }, { afterMs: 60_000, text: '后半' }] };
const quick: Partial<Behaviour> = { silenceAfterErrorMs: 60, closeMs: 0, stopNoticeMs: 1 };
/** Where a test does something in the silence, however busy the machine is. */
const patient: Partial<Behaviour> = { silenceAfterErrorMs: 30_000 };
const begin = (version: DifyVersion, script: SampleApp['script'], behaviour: Partial<Behaviour> = {}) =>
  startDify({ version, behaviour: { ...quick, ...behaviour }, ...(script ? { script } : {}) });
const lastData = (events: readonly Json[]) => recordOf(events.at(-1)?.['data']);

describe('a run that cannot start', () => {
  test.each([
    ['a dead conversation', 'advanced-chat', { conversation_id: unknownId }],
    ['an empty question', 'advanced-chat', { query: '' }],
    ['a missing input', 'workflow', { inputs: {} }],
    ['an input that is too long', 'workflow', { inputs: { query: 'x'.repeat(4_001) } }],
  ] as const)('because of %s is one ping and the end on 1.14.2', async (_what, mode, changes) => {
    const { dify, ask } = await begin('1.14', slow);
    const { status, raw, broke } = await ask(mode, changes);
    expect([status, raw, broke]).toEqual([200, PING, null]);
    expect(dify.runs).toEqual([]);
  });

  test('says why on main, without a code', async () => {
    const { ask } = await begin('main', slow);
    expect((await ask('workflow', { inputs: {} })).events).toEqual([
      { event: 'error', message: 'query is required in input form', status: 500 },
    ]);
  });

  test('because its conversation is gone begins a new one on main', async () => {
    const { dify, ask } = await begin('main', slow);
    const { events } = await ask('advanced-chat', { conversation_id: unknownId });
    expect(events[0]?.['conversation_id']).toBe(dify.runs[0]?.conversationId);
    expect(dify.runs[0]?.conversationId).not.toBe(unknownId);
  });

  test.each(['0.15', '1.12'] as const)('is refused at once on %s', async (version) => {
    const { ask } = await begin(version, slow);
    expect((await ask('workflow', { inputs: {} })).status).toBe(400);
    expect((await ask('advanced-chat', { conversation_id: unknownId })).status).toBe(404);
  });
});

describe('the workers', () => {
  test('take so many runs at a time, the others wait behind one ping', async () => {
    const { dify, ask } = await begin('1.14', endless, { ...patient, workers: 1, pingMs: 20 });
    void ask('workflow');
    await eventually(() => dify.runs[0]?.answer === '前半');
    let heard = '';
    const waiting = ask('advanced-chat', {}, (raw) => {
      heard = raw;
      return raw.includes('前半');
    });
    await eventually(() => dify.queued === 1);
    await eventually(() => dify.openStreams[0] !== undefined && dify.openStreams[0].bytes > 1_000);
    await eventually(() => heard !== '');
    expect(heard).toBe(PING);
    // Chats and agents do not wait: they have no workers.
    expect((await ask('chat', {}, (raw) => raw.includes('前半'))).names).toContain('message');
    const first = dify.runs[0];
    await fetch(`${dify.url}/workflows/tasks/${first?.taskId}/stop`, {
      method: 'POST',
      headers: { authorization: 'Bearer app-workflow', 'content-type': 'application/json' },
      body: JSON.stringify({ user }),
    });
    expect((await waiting).names).toContain('message');
  });

  test('can all be busy for so long, or for ever', async () => {
    const { ask } = await begin('1.14', { ...slow, queuedMs: 30 }, { silenceAfterErrorMs: 1_000 });
    expect(textOf((await ask('advanced-chat')).events)).toBe('前半后半');
    const never = await begin('1.14', { ...slow, queuedMs: Infinity });
    expect((await never.ask('advanced-chat')).raw).toBe(PING);
    expect(never.dify.runs[0]?.record).toBe('running');
  });

  test('can die: the record stays running, and only its followers hear pings', async () => {
    const script: SampleApp['script'] = { chunks: [{ text: '前半' }], ending: { kind: 'worker-lost' } };
    const app = { mode: 'workflow', name: 'x', script } as const;
    const { dify, read, call, question } = await startDify({
      version: '1.14',
      behaviour: { ...quick, pingMs: 20 },
      apps: { key: app },
    });
    const { events, broke } = await read('key', '/workflows/run', { ...question, inputs: { query: 'x' } });
    expect([textOf(events), broke]).toEqual(['前半', null]);
    const id = dify.runs[0]?.workflowRunId;
    expect((await call('key', 'GET', `/workflows/run/${id}`)).body['status']).toBe('running');
    const { raw } = await read('key', `/workflow/${id}/events?user=${user}`, undefined, (heard) => heard.length > 40);
    expect(raw).toBe(PING.repeat(4));
  });
});

describe('a client that leaves', () => {
  test.each<[DifyVersion, AppMode, record: string, row: string | null]>([
    ['0.15', 'workflow', 'running', null],
    ['0.15', 'advanced-chat', 'running', ''],
    ['1.12', 'workflow', 'succeeded', null],
    ['1.12', 'advanced-chat', 'succeeded', ''],
    ['1.14', 'workflow', 'succeeded', null],
    ['1.14', 'advanced-chat', 'succeeded', '前半后半'],
    ['1.14', 'chat', 'succeeded', ''],
    ['1.14', 'agent-chat', 'succeeded', ''],
  ])('%s, %s: the record ends %s, the message holds "%s"', async (version, mode, record, row) => {
    const { dify, ask, call } = await begin(version, cutAt(slow, 'middle'));
    expect((await ask(mode)).broke).not.toBeNull();
    const [run] = dify.runs;
    await eventually(() => run?.finishedAt !== null);
    expect(run?.record).toBe(record);
    if (row === null) return;
    const rows = await call(`app-${mode}`, 'GET', `/messages?user=${user}&conversation_id=${run?.conversationId}`);
    expect(rows.body['data']).toMatchObject([{ answer: row, status: 'normal' }]);
  });

  test('finds a workflow again whose id it has not heard', async () => {
    const { dify, ask, call } = await begin('1.14', endless);
    await ask('workflow', {}, (raw) => raw.includes('前半'));
    const path = '/workflows/logs?created_by_end_user_session_id=';
    expect((await call('app-workflow', 'GET', path + user)).body).toMatchObject({
      total: 1,
      data: [{ workflow_run: { id: dify.runs[0]?.workflowRunId, status: 'running' } }],
    });
    expect((await call('app-workflow', 'GET', `${path}staff-0002`)).body['data']).toEqual([]);
    expect((await call('app-advanced-chat', 'GET', path + user)).body['code']).toBe('not_workflow_app');
  });

  test('asks 0.15 for a run that it does not know: every field is null', async () => {
    const { call } = await begin('0.15', slow);
    const { status, body } = await call('app-workflow', 'GET', `/workflows/run/${unknownId}`);
    expect([status, body['id'], body['status']]).toEqual([200, null, null]);
    expect((await call('app-advanced-chat', 'GET', `/workflows/run/${unknownId}`)).body['code']).toBe(
      'not_workflow_app',
    );
  });
});

describe('a stop', () => {
  test.each([
    ['stopped', 'stopped', 'Stopped by user.', 'running'],
    ['aborted', 'failed', 'Aborted: User requested stop', 'stopped'],
  ] as const)('that ends %s', async (stopEnding, status, error, record) => {
    const { dify, ask, call } = await begin('1.14', endless, { ...patient, stopEnding });
    const reading = ask('advanced-chat');
    await eventually(() => dify.runs[0]?.answer === '前半');
    await call('app-advanced-chat', 'POST', `/chat-messages/${dify.runs[0]?.taskId}/stop`, { user });
    const { events, names } = await reading;
    expect(lastData(events)).toMatchObject({ status, error, outputs: {} });
    expect(names).not.toContain('message_end');
    const detail = await call('app-advanced-chat', 'GET', `/workflows/run/${dify.runs[0]?.workflowRunId}`);
    expect(detail.body['status']).toBe(record);
  });

  test('of an easy app knows no such difference', async () => {
    const { dify, ask, call } = await begin('1.14', endless, { stopEnding: 'aborted' });
    const reading = ask('chat');
    await eventually(() => dify.runs[0]?.answer === '前半');
    await call('app-chat', 'POST', `/chat-messages/${dify.runs[0]?.taskId}/stop`, { user });
    const { events } = await reading;
    expect(events.at(-1)).toMatchObject({ event: 'message_end', metadata: { usage: { total_price: '0E-7' } } });
  });

  test('by another user aborts a chatflow and empties its message', async () => {
    const { dify, ask, call } = await begin('1.14', endless, patient);
    const reading = ask('advanced-chat');
    await eventually(() => dify.runs[0]?.answer === '前半');
    await call('app-advanced-chat', 'POST', `/chat-messages/${dify.runs[0]?.taskId}/stop`, { user: 'staff-0002' });
    expect(lastData((await reading).events)).toMatchObject({ status: 'failed', error: 'Aborted: User requested stop' });
    const path = `/messages?user=${user}&conversation_id=${dify.runs[0]?.conversationId}`;
    expect((await call('app-advanced-chat', 'GET', path)).body['data']).toMatchObject([
      { answer: '', status: 'error' },
    ]);
  });
});

describe('moderation', () => {
  test('of a whole answer leaves the model’s words in the outputs, and takes them out of the message', async () => {
    const script: SampleApp['script'] = { chunks: [{ text: '原文' }], ending: { kind: 'moderated', text: '不便回答' } };
    const { dify, ask, call } = await begin('1.14', script);
    expect(textOf((await ask('advanced-chat')).events)).toBe('不便回答');
    const [run] = dify.runs;
    const detail = await call('app-advanced-chat', 'GET', `/workflows/run/${run?.workflowRunId}`);
    expect(detail.body['outputs']).toMatchObject({ answer: '原文' });
    const rows = await call(
      'app-advanced-chat',
      'GET',
      `/messages?user=${user}&conversation_id=${run?.conversationId}`,
    );
    expect(rows.body['data']).toMatchObject([{ answer: '不便回答' }]);
  });

  test('in the middle of a long answer stops it, and its record stays running', async () => {
    const script: SampleApp['script'] = { chunks: [{ text: '原文' }], ending: { kind: 'blocked', text: '不便回答' } };
    const { dify, ask } = await begin('1.14', script);
    const { events, names } = await ask('advanced-chat');
    expect(names.slice(-2)).toEqual(['message_replace', 'workflow_finished']);
    expect(lastData(events)).toMatchObject({ status: 'stopped', error: 'Stopped by output moderation.', outputs: {} });
    expect(dify.runs[0]?.record).toBe('running');
  });
});

test.each([
  ['absent', 'chat', 500, 'internal_server_error'],
  ['absent', 'agent', 400, 'invalid_param'],
  ['gone', 'chat', 400, 'provider_not_initialize'],
] as const)('an app whose model is %s (%s) refuses each question', async (model, mode, status, code) => {
  const { call, question } = await startDify({ version: '1.14', apps: { key: { mode, name: 'x', model } } });
  expect(await call('key', 'POST', '/chat-messages', question)).toMatchObject({ status, body: { code } });
});

test.each([
  [1, 400],
  [2, 200],
] as const)('max_active_requests %i: a streamed chatflow is answered with %i on 1.14.2', async (limit, status) => {
  const app = { mode: 'advanced-chat', name: 'x', script: endless, maxActiveRequests: limit } as const;
  const { request, question } = await startDify({ version: '1.14', apps: { key: app } });
  const responses = [];
  for (let asked = 0; asked < 3; asked += 1) responses.push(await request('key', 'POST', '/chat-messages', question));
  expect(responses.map((response) => response.status)).toEqual([status, status, status]);
});

describe('the headers', () => {
  test('of an easy app come with its first event, those of the others at once', async () => {
    const { request, question } = await begin('1.14', { chunks: [{ afterMs: 60_000, text: '好' }] });
    const signal = AbortSignal.timeout(150);
    await expect(request('app-chat', 'POST', '/chat-messages', question, signal)).rejects.toThrow('timeout');
    expect((await request('app-advanced-chat', 'POST', '/chat-messages', question)).status).toBe(200);
  });
});

describe('a story', () => {
  test.each<[Place, string]>([
    ['before-first-word', ''],
    ['first-word', '一'],
    ['middle', '一二'],
    ['last-word', '一二三四'],
  ])('can act at the moment "%s", and the run waits for it', async (place, said) => {
    const seen: string[] = [];
    const script = { chunks: [{ pause: true as const }, ...Array.from('一二三四', (text) => ({ text }))] };
    const { ask } = await begin(
      '1.14',
      atMoment(script, place, async ({ answer }) => {
        await Promise.resolve();
        seen.push(answer);
      }),
    );
    expect(textOf((await ask('chat')).events)).toBe('一二三四');
    expect(seen).toEqual([said]);
  });

  test.each(modelFailures)('can have the model fail by %s', async (cause) => {
    const { ask } = await begin('1.14', { chunks: [], ending: { kind: 'model-failed', cause } });
    const [error] = (await ask('chat')).events;
    expect(error).toMatchObject({ event: 'error', code: 'invalid_param', status: 400 });
    expect(parseJson(String(error?.['message']))).toHaveProperty('error_type');
    expect(lastData((await ask('workflow')).events)['error']).toMatch(/^req_id: \S+ PluginInvokeError: \{"args":/u);
  });
});

import { describe, expect, test } from 'vitest';
import type { ChunkScript, Pause } from '../../playground/dify/types.ts';
import { recordOf, type Json } from '../../playground/http/shape.ts';
import { createManualClock, eventually, startDify, textOf } from './support.ts';

const user = 'staff-0001';
const pause: Pause = {
  kind: 'paused',
  title: '采购审批',
  formContent: '同意吗？{{#$output.comment#}}',
  formToken: 'token-1',
  inputs: [
    { type: 'paragraph', name: 'comment' },
    { type: 'select', name: 'size', options: ['S', 'M'] },
  ],
  defaults: { comment: '好' },
  onSubmit: ({ action, inputs }) => ({ chunks: [{ text: `${action}:${String(inputs['comment'])}` }] }),
};
const asking = (ending: Pause): ChunkScript => ({ chunks: [{ text: '请批。' }], ending });
const filled = { user, action: 'approve', inputs: { comment: '行', size: 'M' } };
const path = '/form/human_input/token-1';

async function startPaused(ending: Pause = pause, mode: 'advanced-chat' | 'workflow' = 'advanced-chat') {
  const started = await startDify({ script: asking(ending) });
  const key = `app-${mode}`;
  const { events } = await started.ask(mode);
  const events_path = `/workflow/${started.dify.runs[0]?.workflowRunId}/events?user=${user}`;
  return {
    ...started,
    events,
    form: () => started.call(key, 'GET', path),
    submit: (body: Json = filled) => started.call(key, 'POST', path, body),
    follow: (query = '') => started.read(key, `${events_path}${query}`),
    detail: () => started.call(key, 'GET', `/workflows/run/${started.dify.runs[0]?.workflowRunId}`),
  };
}

describe('a form', () => {
  test('is shown with its fields, defaults and actions', async () => {
    const { form, events, dify } = await startPaused();
    const { status, body } = await form();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      form_content: '同意吗？{{#$output.comment#}}',
      inputs: [
        { type: 'paragraph', output_variable_name: 'comment' },
        { type: 'select', option_source: { value: ['S', 'M'] } },
      ],
      resolved_default_values: { comment: '好' },
      user_actions: [{ id: 'approve', title: 'Approve', button_style: 'primary' }, { id: 'reject' }],
    });
    const required = recordOf(events.at(-2)?.['data']);
    expect(required).toMatchObject({ form_token: 'token-1', node_title: '采购审批' });
    expect(required['expiration_time']).toBe(body['expiration_time']);
    expect(dify.runs[0]?.forms).toMatchObject([{ token: 'token-1', status: 'waiting' }]);
  });

  test('is unknown to another app, by another token, to older versions and when it has none', async () => {
    const { call } = await startPaused();
    expect((await call('app-workflow', 'GET', path)).status).toBe(404);
    expect(await call('app-advanced-chat', 'GET', `${path}x`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    const old = await startDify({ version: '1.13.0', script: asking(pause) });
    await old.ask('workflow');
    expect((await old.call('app-workflow', 'GET', path)).status).toBe(404);
    const hidden = await startPaused({ ...pause, formToken: null });
    expect(recordOf(hidden.events.at(-2)?.['data'])['form_token']).toBeNull();
    expect((await hidden.call('app-advanced-chat', 'GET', '/form/human_input/null')).status).toBe(404);
  });

  test.each<[what: string, changes: Json, status: number, code: string]>([
    ['an unknown action', { action: 'maybe' }, 400, 'invalid_form_data'],
    ['a missing field', { inputs: { comment: '行' } }, 400, 'invalid_form_data'],
    ['an option there is not', { inputs: { comment: '行', size: 'XL' } }, 400, 'invalid_form_data'],
    ['a field that is not text', { inputs: { comment: 1, size: 'S' } }, 400, 'invalid_form_data'],
    ['no inputs', { inputs: undefined }, 400, 'invalid_param'],
    ['no user', { user: undefined }, 400, 'invalid_param'],
  ])('refused for %s stays usable', async (_what, changes, status, code) => {
    const { submit, dify } = await startPaused();
    expect(await submit({ ...filled, ...changes })).toMatchObject({ status, body: { code } });
    expect(dify.runs[0]?.status).toBe('paused');
    expect(await submit()).toEqual({ status: 200, body: {} });
  });

  test('names the fields that are missing', async () => {
    const { submit } = await startPaused();
    expect((await submit({ ...filled, inputs: {} })).body['message']).toBe('Missing required inputs: comment, size');
  });

  test('takes files of whoever submits it', async () => {
    const files: Pause = { ...pause, inputs: [{ type: 'file', name: 'scan', allowedTypes: ['image'] }] };
    const { submit, dify } = await startPaused(files);
    const data = new FormData();
    data.append('file', new Blob(['x'], { type: 'image/png' }), 'a.png');
    data.append('user', user);
    const headers = { authorization: 'Bearer app-advanced-chat' };
    await fetch(`${dify.url}/files/upload`, { method: 'POST', headers, body: data });
    const scan = { type: 'image', transfer_method: 'local_file', upload_file_id: [...dify.uploads.keys()][0] };
    expect((await submit({ ...filled, inputs: { scan: 'a.png' } })).status).toBe(400);
    expect((await submit({ ...filled, user: 'staff-0002', inputs: { scan } })).status).toBe(400);
    expect((await submit({ ...filled, inputs: { scan } })).status).toBe(200);
  });

  test('can be submitted once, by anybody', async () => {
    const { form, submit, dify } = await startPaused();
    expect((await submit({ ...filled, user: 'staff-0002' })).status).toBe(200);
    const refused = { status: 412, body: { code: 'human_input_form_submitted' } };
    expect(await submit()).toMatchObject(refused);
    expect(await form()).toMatchObject(refused);
    expect(dify.runs[0]?.forms).toMatchObject([
      { status: 'submitted', user: 'staff-0002', submitted: { action: 'approve', inputs: { size: 'M' } } },
    ]);
  });
});

describe('after the submission the run goes on', () => {
  test.each(['advanced-chat', 'workflow'] as const)('live for whoever follows a %s', async (mode) => {
    const { submit, follow, dify, detail } = await startPaused(pause, mode);
    const following = follow();
    await eventually(() => dify.openStreams.length === 1);
    await submit();
    const { raw, names, events } = await following;
    expect(raw.startsWith('event: ping\n\n')).toBe(true);
    expect(names.slice(0, 3)).toEqual(['workflow_started', 'node_started', 'human_input_form_filled']);
    expect(names.at(-1)).toBe('workflow_finished');
    expect(recordOf(events[0]?.['data'])['reason']).toBe('resumption');
    expect(recordOf(events[2]?.['data'])).toMatchObject({
      node_title: '采购审批',
      rendered_content: '同意吗？行',
      action_id: 'approve',
      action_text: 'Approve',
      submitted_data: { comment: '行' },
    });
    expect(textOf(events)).toBe('approve:行');
    const second = events.find(({ event, data }) => event === 'node_finished' && recordOf(data)['node_id'] === 'llm2');
    expect(recordOf(second?.['data'])['outputs']).toMatchObject({ text: 'approve:行' });
    const text = '请批。approve:行';
    expect((await detail()).body).toMatchObject({
      status: 'succeeded',
      outputs: mode === 'workflow' ? { result: text } : { answer: text },
    });
    expect(dify.runs[0]).toMatchObject({ status: 'succeeded', answer: text, saved: true });
  });

  test('also when nobody listens; the end can be read afterwards', async () => {
    const { submit, follow, dify } = await startPaused();
    await submit();
    await eventually(() => dify.runs[0]?.status === 'succeeded');
    expect((await follow()).names).toEqual(['workflow_finished']);
  });

  test('and may pause again, which closes a stream unless it continues on pause', async () => {
    const again: Pause = { ...pause, onSubmit: () => asking({ ...pause, formToken: 'token-2' }) };
    const { submit, follow, dify, call } = await startPaused(again);
    const short = follow();
    const long = follow('&include_state_snapshot=true&continue_on_pause=true');
    await eventually(() => dify.openStreams.length === 2);
    await submit();
    expect((await short).names.at(-1)).toBe('workflow_paused');
    expect(dify.runs[0]).toMatchObject({ status: 'paused', forms: [{ token: 'token-1' }, { token: 'token-2' }] });
    expect(dify.openStreams).toHaveLength(1);
    await call('app-advanced-chat', 'POST', '/form/human_input/token-2', filled);
    const { names } = await long;
    expect(names.filter((name) => name === 'human_input_form_filled')).toHaveLength(2);
    expect(names.at(-1)).toBe('workflow_finished');
  });
});

test('a snapshot of a paused run has its text and the pause, and ends there', async () => {
  const { follow } = await startPaused();
  const { names, events, broke } = await follow('&include_state_snapshot=true');
  expect(textOf(events)).toBe('请批。');
  expect(names.slice(-2)).toEqual(['human_input_required', 'workflow_paused']);
  expect(broke).toBeNull();
});

test('clear keeps a paused run, whose form can still be submitted', async () => {
  const { dify, submit } = await startPaused();
  dify.clear();
  await submit();
  await eventually(() => dify.runs[0]?.status === 'succeeded');
  expect(dify.runs[0]?.answer).toBe('请批。approve:行');
});

test('clear may keep the newest runs and requests', async () => {
  const { dify, ask } = await startDify({ script: { chunks: [{ text: '好' }] } });
  for (const query of ['一', '二', '三']) await ask('chat', { query });
  dify.clear(2);
  expect(dify.runs.map(({ query }) => query)).toEqual(['二', '三']);
  expect(dify.requests.map(({ body }) => body['query'])).toEqual(['二', '三']);
});

describe('a form that nobody answers', () => {
  test('expires: the run fails, and says so to whoever follows', async () => {
    const manual = createManualClock();
    const { dify, ask, call, read } = await startDify({
      clock: manual.clock,
      script: asking({ ...pause, expiresInS: 60 }),
    });
    await ask('workflow');
    const following = read('app-workflow', `/workflow/${dify.runs[0]?.workflowRunId}/events?user=${user}`);
    await eventually(() => dify.openStreams.length === 1);
    expect((await call('app-workflow', 'GET', path)).status).toBe(200);
    manual.advance(60_000);
    const { names, events } = await following;
    expect(names).toContain('human_input_form_timeout');
    expect(recordOf(events.at(-1)?.['data'])['status']).toBe('failed');
    const refused = { status: 412, body: { code: 'human_input_form_expired' } };
    expect(await call('app-workflow', 'GET', path)).toMatchObject(refused);
    expect(await call('app-workflow', 'POST', path, filled)).toMatchObject(refused);
    expect(dify.runs[0]?.forms).toMatchObject([{ status: 'expired' }]);
  });

  test('can lead to another branch', async () => {
    const script = asking({ ...pause, expiresInS: 0.02, onTimeout: { chunks: [{ text: '没人批。' }] } });
    const { dify, ask } = await startDify({ script });
    await ask('advanced-chat');
    await eventually(() => dify.runs[0]?.status === 'succeeded');
    expect(dify.runs[0]?.answer).toBe('请批。没人批。');
  });
});

test('a blocking answer of a paused run says so', async () => {
  const { call, question } = await startDify({ script: asking(pause) });
  const body = { ...question, inputs: { query: 'x' }, response_mode: 'blocking' };
  expect((await call('app-advanced-chat', 'POST', '/chat-messages', body)).body).toMatchObject({
    event: 'workflow_paused',
    data: { status: 'paused', paused_nodes: ['approval'] },
  });
  expect((await call('app-workflow', 'POST', '/workflows/run', body)).body).toMatchObject({
    data: { status: 'paused', paused_nodes: ['approval'], reasons: [{ form_token: 'token-1' }] },
  });
});

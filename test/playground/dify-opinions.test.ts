import { describe, expect, test } from 'vitest';
import type { SampleApp } from '../../playground/dify/types.ts';
import { parseJson, recordOf } from '../../playground/http/shape.ts';
import { eventually, startDify } from './support.ts';

const user = 'staff-0001';
const script = { chunks: [{ text: '好' }] };

async function startApp(changes: Partial<SampleApp> = {}) {
  const app = { mode: 'chat', name: 'x', script, ...changes } as const;
  return startDify({ apps: { key: app, other: app } });
}

describe('POST /messages/:id/feedbacks', () => {
  test('keeps the rating, which can be taken back', async () => {
    const { dify, ask, call } = await startDify({ script });
    await ask('chat');
    const [run] = dify.runs;
    const rate = (rating: unknown, changes = {}, key = 'app-chat', id = run?.messageId) =>
      call(key, 'POST', `/messages/${id}/feedbacks`, { rating, user, ...changes });
    expect(await rate('like')).toEqual({ status: 200, body: { result: 'success' } });
    expect(run?.rating).toBe('like');
    await rate('dislike');
    const rows = await call('app-chat', 'GET', `/messages?conversation_id=${run?.conversationId}&user=${user}`);
    expect(rows.body['data']).toMatchObject([{ feedback: { rating: 'dislike' } }]);
    const unknown = { status: 404, body: { code: 'not_found', message: 'Message Not Exists.' } };
    expect(await rate('like', { user: 'staff-0002' })).toMatchObject(unknown);
    expect(await rate('like', {}, 'app-agent-chat')).toMatchObject(unknown);
    expect(await rate('like', {}, 'app-chat', crypto.randomUUID())).toMatchObject(unknown);
    expect(await rate('like', {}, 'app-chat', 'none')).toEqual({ status: 404, body: {} });
    expect(run?.rating).toBe('dislike');
    expect((await rate(null)).status).toBe(200);
    expect(run?.rating).toBeNull();
    expect(await rate(null)).toMatchObject({ status: 400, body: { code: 'invalid_param' } });
    await rate('like');
    expect((await rate(undefined)).status).toBe(200);
    expect(run?.rating).toBeNull();
    expect(dify.violations).toEqual([]);
  });

  test('refuses any other rating and a missing user', async () => {
    const { dify, ask, call } = await startDify({ script });
    await ask('chat');
    const path = `/messages/${dify.runs[0]?.messageId}/feedbacks`;
    expect((await call('app-chat', 'POST', path, { rating: 'good', user })).status).toBe(400);
    expect((await call('app-chat', 'POST', path, { user })).status).toBe(400);
    expect((await call('app-chat', 'POST', path, { rating: 'like' })).status).toBe(400);
    expect(dify.violations.map(({ code }) => code)).toEqual(['invalid-body', 'missing-user']);
  });
});

describe('GET /messages/:id/suggested', () => {
  const parameters = { suggested_questions_after_answer: { enabled: true } };

  test('gives what the app suggests, after its delay', async () => {
    const suggest: SampleApp['suggest'] = ({ text, turn }) => [`${text}？`, `${turn}`];
    const { dify, call, read, question } = await startApp({ parameters, suggest, suggestDelayMs: 60 });
    await read('key', '/chat-messages', question);
    const startedAt = Date.now();
    const path = `/messages/${dify.runs[0]?.messageId}/suggested`;
    expect(await call('key', 'GET', `${path}?user=${user}`)).toEqual({
      status: 200,
      body: { result: 'success', data: ['你好？', '1'] },
    });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(58);
    expect((await call('key', 'GET', `${path}?user=staff-0002`)).status).toBe(404);
    expect((await call('other', 'GET', `${path}?user=${user}`)).status).toBe(404);
    expect((await call('key', 'GET', path)).status).toBe(400);
    expect(dify.violations).toMatchObject([{ code: 'missing-user' }]);
  });

  test('is refused when the app does not suggest, and for apps without chats', async () => {
    const { dify, call, read, question } = await startApp();
    await read('key', '/chat-messages', question);
    expect(await call('key', 'GET', `/messages/${dify.runs[0]?.messageId}/suggested?user=${user}`)).toMatchObject({
      status: 400,
      body: { code: 'bad_request', message: 'Suggested Questions Is Disabled.' },
    });
    const flows = await startDify();
    expect((await flows.call('app-workflow', 'GET', `/messages/x/suggested?user=${user}`)).body['code']).toBe(
      'not_chat_app',
    );
  });
});

describe('POST /audio-to-text', () => {
  const parameters = { speech_to_text: { enabled: true } };

  const speak = async (changes: Partial<SampleApp>, type: string, bytes = new Uint8Array([1, 2]), field = 'file') => {
    const { dify } = await startApp(changes);
    const body = new FormData();
    body.append(field, new Blob([bytes], { type }), 'voice.mp3');
    body.append('user', user);
    const headers = { authorization: 'Bearer key' };
    const response = await fetch(`${dify.url}/audio-to-text`, { method: 'POST', headers, body });
    expect(dify.violations).toEqual([]);
    return { status: response.status, body: recordOf(parseJson(await response.text())) };
  };

  test.each(['mp3', 'm4a', 'wav', 'amr', 'mpga'])('understands audio/%s', async (extension) => {
    const transcribe: SampleApp['transcribe'] = (bytes, { mimeType }) => `${bytes.length} ${mimeType}`;
    expect(await speak({ parameters, transcribe }, `audio/${extension}`)).toEqual({
      status: 200,
      body: { text: `2 audio/${extension}` },
    });
  });

  test('refuses what is no such audio, too large, missing, or not wanted', async () => {
    const mpeg = await speak({ parameters }, 'audio/mpeg');
    expect(mpeg).toMatchObject({ status: 415, body: { code: 'unsupported_audio_type' } });
    const limit = 30 * 1024 * 1024;
    const large = new Uint8Array(limit + 1);
    expect(await speak({ parameters }, 'audio/mp3', large)).toMatchObject({
      status: 413,
      body: { code: 'audio_too_large' },
    });
    expect((await speak({ parameters }, 'audio/mp3', large.subarray(1))).status).toBe(200);
    const missing = await speak({ parameters }, 'audio/mp3', undefined, 'audio');
    expect(missing).toMatchObject({ status: 400, body: { code: 'bad_request_key_error' } });
    expect(await speak({}, 'audio/mp3')).toMatchObject({ status: 400, body: { code: 'invalid_param' } });
  });
});

test('a stop is on record with its user and task; another user’s does nothing', async () => {
  const { dify, ask, call } = await startDify({
    script: { chunks: [{ text: '前' }, { afterMs: 80, text: '后' }] },
    behaviour: { stopNoticeMs: 1 },
  });
  const reading = ask('chat');
  await eventually(() => dify.runs.length === 1);
  const task = dify.runs[0]?.taskId;
  await call('app-chat', 'POST', `/chat-messages/${task}/stop`, { user: 'staff-0002' });
  await reading;
  expect(dify.requests.at(-1)).toMatchObject({ api: 'stop', user: 'staff-0002', taskId: task, status: 200 });
  expect(dify.requests[0]?.taskId).toBeNull();
  expect(dify.runs[0]).toMatchObject({ status: 'succeeded', answer: '前后' });
});

test('a node of its own begins, takes its time and ends', async () => {
  const node = { node: { title: '查库存', type: 'tool' }, forMs: 60 };
  const { ask, dify } = await startDify({ script: { chunks: [node, { text: '有' }] } });
  const { events, names } = await ask('workflow');
  const own = events.filter(({ data }) => recordOf(data)['title'] === '查库存');
  expect(own.map(({ event }) => event)).toEqual(['node_started', 'node_finished']);
  expect(recordOf(own[1]?.['data'])).toMatchObject({ node_type: 'tool', status: 'succeeded' });
  expect(names.indexOf('text_chunk')).toBeGreaterThan(events.indexOf(own[1] ?? {}));
  expect((dify.runs[0]?.finishedAt ?? 0) - (dify.runs[0]?.startedAt ?? 0)).toBeGreaterThanOrEqual(58);
  expect((await ask('chat')).names).toEqual(['message', 'message_end']);
});

test('a stop ends the wait of a node', async () => {
  const endless = { chunks: [{ node: { title: 'x', type: 'tool' }, forMs: 60_000 }] };
  const { dify, ask, call } = await startDify({ script: endless, behaviour: { stopNoticeMs: 1 } });
  const reading = ask('workflow');
  await eventually(() => dify.runs.length === 1);
  await call('app-workflow', 'POST', `/workflows/tasks/${dify.runs[0]?.taskId}/stop`, { user });
  expect(recordOf((await reading).events.at(-1)?.['data'])['status']).toBe('stopped');
});

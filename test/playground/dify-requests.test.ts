import { describe, expect, test } from 'vitest';
import type { Json } from '../../playground/http/shape.ts';
import { startDify } from './support.ts';

const short = { chunks: [{ text: '好' }] };
const foreign = '11111111-1111-4111-8111-111111111111';

test('GET /info names the mode, GET /parameters the form', async () => {
  const { call } = await startDify();
  expect((await call('app-agent-chat', 'GET', '/info')).body).toMatchObject({ name: 'agent-chat', mode: 'agent-chat' });
  expect((await call('app-workflow', 'GET', '/parameters')).body).toMatchObject({
    user_input_form: [{ paragraph: { variable: 'query', required: true } }],
  });
  expect((await call('app-chat', 'GET', '/parameters')).body['user_input_form']).toEqual([]);
});

test('a wrong key and a missing header are 401', async () => {
  const { dify, call } = await startDify();
  expect(await call('app-none', 'GET', '/info')).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  expect((await fetch(`${dify.url}/info`)).status).toBe(401);
});

describe('a question is refused', () => {
  const cases: [what: string, key: string, path: string, changes: Json, status: number, code: string][] = [
    ['without a user', 'app-chat', '/chat-messages', { user: undefined }, 400, 'invalid_param'],
    ['with a user that is not text', 'app-chat', '/chat-messages', { user: 1 }, 400, 'invalid_param'],
    ['without inputs', 'app-chat', '/chat-messages', { inputs: undefined }, 400, 'invalid_param'],
    ['without a query', 'app-chat', '/chat-messages', { query: '' }, 400, 'invalid_param'],
    ['with an unknown response mode', 'app-chat', '/chat-messages', { response_mode: 'sse' }, 400, 'invalid_param'],
    [
      'that blocks on an agent',
      'app-agent-chat',
      '/chat-messages',
      { response_mode: 'blocking' },
      400,
      'invalid_param',
    ],
    ['that blocks on a new agent', 'app-agent', '/chat-messages', { response_mode: 'blocking' }, 400, 'bad_request'],
    ['at the chat endpoint of a workflow', 'app-workflow', '/chat-messages', {}, 400, 'not_chat_app'],
    ['at the workflow endpoint of a chat', 'app-chat', '/workflows/run', {}, 400, 'not_workflow_app'],
    ['at the completion endpoint of a chat', 'app-chat', '/completion-messages', {}, 400, 'app_unavailable'],
    ['without a required input', 'app-workflow', '/workflows/run', {}, 400, 'invalid_param'],
    [
      'with an input of the wrong type',
      'app-workflow',
      '/workflows/run',
      { inputs: { query: 1 } },
      400,
      'invalid_param',
    ],
    ['with a malformed conversation', 'app-chat', '/chat-messages', { conversation_id: 'abc' }, 400, 'invalid_param'],
    ['in an unknown conversation', 'app-chat', '/chat-messages', { conversation_id: foreign }, 404, 'not_found'],
  ];
  test.each(cases)('%s', async (_what, key, path, changes, status, code) => {
    const { dify, call, question } = await startDify({ script: short });
    const body = Object.fromEntries(
      Object.entries({ ...question, ...changes }).filter(([, value]) => value !== undefined),
    );
    expect(await call(key, 'POST', path, body)).toMatchObject({ status, body: { code, status } });
    expect(dify.runs).toEqual([]);
  });

  test('when its JSON is malformed', async () => {
    const { call } = await startDify();
    expect(await call('app-chat', 'POST', '/chat-messages', '{')).toMatchObject({
      status: 400,
      body: { code: 'bad_request' },
    });
  });

  test('and the form’s rules for length and choice are kept', async () => {
    const user_input_form = [
      { 'text-input': { variable: 'city', required: false, max_length: 3 } },
      { select: { variable: 'size', required: true, options: ['S', 'M'] } },
    ];
    const apps = { key: { mode: 'chat' as const, name: 'x', parameters: { user_input_form }, script: short } };
    const { call, question } = await startDify({ apps });
    const say = async (inputs: Json) =>
      (await call('key', 'POST', '/chat-messages', { ...question, response_mode: 'blocking', inputs })).status;
    expect(await say({ size: 'S', city: '上海' })).toBe(200);
    expect(await say({ size: 'S', city: '乌鲁木齐' })).toBe(400);
    expect(await say({ size: 'L' })).toBe(400);
    expect(await say({})).toBe(400);
  });
});

describe('a conversation', () => {
  test('counts its turns and belongs to its user', async () => {
    const { dify, ask, call, question } = await startDify({
      script: ({ turn }) => ({ chunks: [{ text: `${turn}` }] }),
    });
    const first = await ask('chat');
    const conversation_id = first.events[0]?.['conversation_id'];
    await ask('chat', { conversation_id });
    expect(dify.runs.map(({ answer }) => answer)).toEqual(['1', '2']);
    const other = { ...question, conversation_id, user: 'staff-0002' };
    expect((await call('app-chat', 'POST', '/chat-messages', other)).status).toBe(404);
    expect((await call('app-agent-chat', 'POST', '/chat-messages', { ...question, conversation_id })).status).toBe(404);
  });

  test('that was forgotten is 404', async () => {
    const { dify, ask } = await startDify({ script: short });
    const conversation_id = (await ask('chat')).events[0]?.['conversation_id'];
    dify.forgetConversation(String(conversation_id));
    expect((await ask('chat', { conversation_id })).status).toBe(404);
  });

  test('unknown to a chatflow of 1.13 gives one nameless error frame and then silence', async () => {
    const { ask } = await startDify({ version: '1.13.0', script: short });
    const { status, events, broke } = await ask('advanced-chat', { conversation_id: foreign }, (raw) =>
      raw.endsWith('}\n\n'),
    );
    expect(status).toBe(200);
    expect(events).toEqual([{ event: 'error', message: '', status: 500 }]);
    expect(broke).toBe('enough');
  });

  test('unknown to a chatflow can silently become a new one', async () => {
    const { dify, ask } = await startDify({ behaviour: { staleConversation: 'new-conversation' }, script: short });
    const { status, events } = await ask('advanced-chat', { conversation_id: foreign });
    expect(status).toBe(200);
    expect(events[0]?.['conversation_id']).toBe(dify.runs[0]?.conversationId);
    expect(dify.runs[0]).toMatchObject({ status: 'succeeded', turn: 1 });
    expect(dify.runs[0]?.conversationId).not.toBe(foreign);
  });

  test('with two runs at once is a violation that is not refused', async () => {
    const { dify, ask } = await startDify({ script: { chunks: [{ afterMs: 60, text: '好' }] } });
    const conversation_id = (await ask('chat')).events[0]?.['conversation_id'];
    const both = await Promise.all([ask('chat', { conversation_id }), ask('chat', { conversation_id })]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(dify.violations).toMatchObject([{ code: 'concurrent-run' }]);
  });
});

test('asking again while an abandoned run goes on is told apart', async () => {
  const scripts = [{ chunks: [{ text: '前' }, { when: new Promise<void>(() => {}), text: '后' }] }];
  const { dify, ask } = await startDify({ script: () => scripts.shift() ?? { chunks: [{ text: '好' }] } });
  await ask('advanced-chat', {}, (raw) => raw.includes('前'));
  await expect.poll(() => dify.runs[0]?.disconnectedAt).not.toBeNull();
  await ask('advanced-chat', { conversation_id: dify.runs[0]?.conversationId });
  expect(dify.violations).toMatchObject([{ code: 'concurrent-with-orphan' }]);
});

describe('too many runs at once', () => {
  test.each([
    ['as it was seen', {}, 400, 'invalid_param'],
    ['as it is documented', { tooManyRequests: 429 }, 429, 'too_many_requests'],
  ] as const)('are refused %s, until one has ended', async (_, behaviour, status, code) => {
    const script = { chunks: [{ afterMs: 80, text: '好' }] };
    const apps = { key: { mode: 'chat' as const, name: 'x', maxActiveRequests: 1, script } };
    const { dify, call, read, question } = await startDify({ behaviour, apps });
    const running = read('key', '/chat-messages', question);
    await expect.poll(() => dify.openStreams.length).toBe(1);
    const refused = await call('key', 'POST', '/chat-messages', question);
    expect(refused).toMatchObject({ status, body: { code } });
    expect(refused.body['message']).toMatch(/^Too many requests/u);
    await running;
    await expect.poll(() => dify.openStreams.length).toBe(0);
    expect((await read('key', '/chat-messages', question)).status).toBe(200);
  });
});

test('every request is on record', async () => {
  const { dify, ask, call } = await startDify({ script: short });
  const conversation_id = (await ask('chat')).events[0]?.['conversation_id'];
  await call('app-chat', 'GET', `/messages?conversation_id=${String(conversation_id)}&user=staff-0001`);
  await call('app-chat', 'GET', '/nothing');
  expect(dify.requests).toMatchObject([
    {
      api: 'chat',
      path: '/v1/chat-messages',
      key: 'app-chat',
      user: 'staff-0001',
      status: 200,
      conversationId: conversation_id,
    },
    { api: 'messages', user: 'staff-0001', conversationId: conversation_id, status: 200 },
    { api: 'unknown', status: 404 },
  ]);
  expect(dify.violations).toMatchObject([{ code: 'unknown-path' }]);
});

// Every recorded refusal of a real Dify 1.14.2, asked of the sample Dify again.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifySimulator, SampleApp } from '../../playground/dify/types.ts';
import { isRecord, parseJson, recordOf, type Json } from '../../playground/http/shape.ts';

const ME = 'user-1';
const methods = ['local_file', 'remote_url'];
const upload = {
  enabled: true,
  allowed_file_types: ['image', 'document'],
  allowed_file_extensions: [],
  allowed_file_upload_methods: methods,
  number_limits: 3,
  image: { enabled: true, detail: 'high', number_limits: 3, transfer_methods: methods },
};
const field = (type: string, variable: string, more: Json = {}) => ({
  [type]: { label: variable, variable, required: false, default: '', ...more },
});
const query = (type: string, limit: number) => field(type, 'query', { required: true, max_length: limit });
const chatForm = [field('text-input', 'name', { max_length: 48 })];
const workflowForm = [
  query('text-input', 256),
  field('paragraph', 'details'),
  field('select', 'style', { options: ['short', 'long', '诗'] }),
  field('number', 'count'),
  field('file', 'file', { allowed_file_types: ['image', 'document'], allowed_file_upload_methods: methods }),
];
const completionForm = [query('paragraph', 4000), field('select', 'style', { options: ['plain', 'poem'] })];
const script: SampleApp['script'] = ({ text }) => ({
  chunks: [{ text: '好' }, ...(text === 'slowly' ? [{ afterMs: 60_000, text: '的' }] : [])],
});
const chat: SampleApp = {
  mode: 'chat',
  name: 'chat',
  script,
  parameters: {
    user_input_form: chatForm,
    file_upload: upload,
    suggested_questions_after_answer: { enabled: true },
  },
};
const form: SampleApp = {
  mode: 'advanced-chat',
  name: 'form',
  script: {
    chunks: [],
    ending: {
      kind: 'paused',
      formContent: '{{#$output.comment#}}{{#$output.choice#}}',
      inputs: [
        { type: 'paragraph', name: 'comment' },
        { type: 'select', name: 'choice', options: ['A', 'B'] },
      ],
    },
  },
};
const apps: Record<string, SampleApp> = {
  chat,
  other: { ...chat, name: 'other' },
  off: { mode: 'chat', name: 'off', script },
  full: { ...chat, name: '8f415aef-7717-4312-ae35-6f3e2d5b63ca', maxActiveRequests: 2 },
  agent: { mode: 'agent-chat', name: 'agent', script },
  chatflow: { mode: 'advanced-chat', name: 'chatflow', script, parameters: { file_upload: upload } },
  workflow: { mode: 'workflow', name: 'workflow', script, parameters: { user_input_form: workflowForm } },
  completion: { mode: 'completion', name: 'completion', script, parameters: { user_input_form: completionForm } },
  form,
};

const unknownId = '00000000-0000-4000-8000-000000000000';
let dify: DifySimulator;

const send = (key: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${dify.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });

const asked = { inputs: {}, query: 'hi', user: ME, response_mode: 'streaming' };
const without = (body: Json, name: string) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
const chatting = (changes: Json = {}, key = 'chat') => send(key, 'POST', '/chat-messages', { ...asked, ...changes });
const blocking = { response_mode: 'blocking' };
const running = (inputs: Json) => ({ ...asked, ...blocking, inputs: { query: 'hi', ...inputs } });
const working = (inputs: Json) => send('workflow', 'POST', '/workflows/run', running(inputs));
const completing = (inputs: Json) => send('completion', 'POST', '/completion-messages', { ...asked, inputs });
const get = (key: string, path: string) => send(key, 'GET', path);
const stopping = (key: string, path: string, body: unknown = { user: ME }) => send(key, 'POST', path, body);

/** Uploads one file and answers the response. */
const uploading = (
  parts: readonly [name: string, filename: string, type?: string][],
  size = 4,
  user: string | null = ME,
) => {
  const mark = 'mark';
  const lines = parts.flatMap(([name, filename, type]) => [
    `--${mark}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\n`,
    type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`,
    `${'x'.repeat(size)}\r\n`,
  ]);
  const own = user === null ? [] : [`--${mark}\r\nContent-Disposition: form-data; name="user"\r\n\r\n${user}\r\n`];
  return (key: string, path = '/files/upload') =>
    send(key, 'POST', path, [...lines, ...own, `--${mark}--\r\n`].join(''), {
      'content-type': `multipart/form-data; boundary=${mark}`,
    });
};
const megabytes = (count: number) => count * 1024 * 1024;
const idOf = async (response: Promise<Response>) => String(recordOf(await (await response).json())['id']);
const fileId = (name: string, type: string, user: string | null = ME, key = 'chat') =>
  idOf(uploading([['file', name, type]], 4, user)(key));
const file = (id: string, changes: Json = {}) => ({
  type: 'image',
  transfer_method: 'local_file',
  upload_file_id: id,
  ...changes,
});
const photo = async (changes: Json = {}, user: string | null = ME, key = 'chat') =>
  file(await fileId('photo.png', 'image/png', user, key), changes);
const withFiles = async (...files: Promise<Json>[]) => chatting({ files: await Promise.all(files) });

/** Asks once and answers the run that came of it. */
const runOf = async (key: string, path: string, changes: Json = {}) => {
  await (await send(key, 'POST', path, { ...asked, ...blocking, ...changes })).text();
  const run = dify.runs.at(-1);
  if (!run) throw new Error('nothing was run');
  return run;
};
const messageOf = async (key = 'chat', user = ME) => (await runOf(key, '/chat-messages', { user })).messageId;
const rating = (id: unknown, body: Json, key = 'chat') => send(key, 'POST', `/messages/${String(id)}/feedbacks`, body);
const foreignConversation = async (key: string, user: string) =>
  (await runOf(key, '/chat-messages', { user })).conversationId;
const formToken = async () => (await runOf('form', '/chat-messages')).forms[0]?.token;
const submitting = (token: unknown, body: Json) => send('form', 'POST', `/form/human_input/${String(token)}`, body);
const filled = { inputs: { comment: 'fine', choice: 'A' }, action: 'approve', user: ME };

const cases: Record<string, () => Promise<Response>> = {
  'auth: no header': () => fetch(`${dify.url}/info`),
  'auth: unknown key': () => get('nobody', '/info'),
  'auth: Basic scheme': () => fetch(`${dify.url}/info`, { headers: { authorization: 'Basic eDp5' } }),
  'auth: key without Bearer': () => fetch(`${dify.url}/info`, { headers: { authorization: 'chat' } }),
  'auth: unknown key on POST chat': () => chatting({}, 'nobody'),
  'HEAD chat-messages': () => send('chat', 'HEAD', '/chat-messages'),
  'GET chat-messages': () => get('chat', '/chat-messages'),
  'PUT chat-messages': () => send('chat', 'PUT', '/chat-messages', asked),
  'unknown route': () => get('chat', '/nothing'),
  'route with trailing slash': () => get('chat', '/info/'),
  'GET /v1 root': () => get('chat', ''),
  'mode: workflow app at /chat-messages': () => chatting({}, 'workflow'),
  'mode: completion app at /chat-messages': () => chatting({}, 'completion'),
  'mode: chat app at /workflows/run': () => send('chat', 'POST', '/workflows/run', asked),
  'mode: chatflow app at /workflows/run': () => send('chatflow', 'POST', '/workflows/run', asked),
  'mode: completion app at /workflows/run': () => send('completion', 'POST', '/workflows/run', asked),
  'mode: chat app at /completion-messages': () => send('chat', 'POST', '/completion-messages', asked),
  'mode: workflow app at /completion-messages': () => send('workflow', 'POST', '/completion-messages', asked),
  'mode: workflow app, chat stop': () => stopping('workflow', `/chat-messages/${unknownId}/stop`),
  'mode: chat app, workflow stop': () => stopping('chat', `/workflows/tasks/${unknownId}/stop`),
  'mode: chat app, completion stop': () => stopping('chat', `/completion-messages/${unknownId}/stop`),
  'mode: workflow app, GET messages': () => get('workflow', `/messages?user=${ME}&conversation_id=${unknownId}`),
  'mode: workflow app, GET conversations': () => get('workflow', `/conversations?user=${ME}`),
  'mode: completion app, suggested': () => get('completion', `/messages/${unknownId}/suggested?user=${ME}`),
  'mode: chat app, run detail': () => get('chat', `/workflows/run/${unknownId}`),
  'mode: chat app, run events': () => get('chat', `/workflow/${unknownId}/events?user=${ME}`),
  'chat: no user': () => send('chat', 'POST', '/chat-messages', without(asked, 'user')),
  'chat: user empty': () => chatting({ user: '' }),
  'chat: user null': () => chatting({ user: null }),
  'chat: user 256 chars': () => chatting({ user: 'u'.repeat(256) }),
  'chat: no query': () => send('chat', 'POST', '/chat-messages', without(asked, 'query')),
  'chat: query empty': () => chatting({ query: '' }),
  'chat: query a number': () => chatting({ query: 5 }),
  'chat: query null': () => chatting({ query: null }),
  'chat: no inputs': () => send('chat', 'POST', '/chat-messages', without(asked, 'inputs')),
  'chat: inputs null': () => chatting({ inputs: null }),
  'chat: inputs a list': () => chatting({ inputs: [] }),
  'chat: response_mode wrong': () => chatting({ response_mode: 'stream' }),
  'chat: files a string': () => chatting({ files: 'x' }),
  'chat: body not JSON': () => send('chat', 'POST', '/chat-messages', '{nothing'),
  'chat: body empty': () => send('chat', 'POST', '/chat-messages', ''),
  'chat: body a list': () => send('chat', 'POST', '/chat-messages', []),
  'chat: no content type': () => send('chat', 'POST', '/chat-messages', asked, { 'content-type': 'text/plain' }),
  'chat: conversation_id malformed': () => chatting({ conversation_id: 'abc' }),
  'chat: conversation_id unknown': () => chatting({ conversation_id: unknownId }),
  'chat: conversation_id foreign': async () =>
    chatting({ conversation_id: await foreignConversation('chat', 'user-2') }),
  'chat: conversation_id of another app': async () =>
    chatting({ conversation_id: await foreignConversation('other', ME) }),
  'agent: conversation_id unknown': () => chatting({ conversation_id: unknownId }, 'agent'),
  'agent: blocking': () => chatting(blocking, 'agent'),
  'agent: response_mode missing': () => send('agent', 'POST', '/chat-messages', without(asked, 'response_mode')),
  'chatflow blocking: conversation unknown': () => chatting({ ...blocking, conversation_id: unknownId }, 'chatflow'),
  'chatflow: conversation malformed': () => chatting({ conversation_id: 'zz' }, 'chatflow'),
  'chatflow: workflow_id malformed': () => chatting({ workflow_id: 'zz' }, 'chatflow'),
  'chatflow: workflow_id unknown': () => chatting({ workflow_id: unknownId }, 'chatflow'),
  'chat: input too long': () => chatting({ inputs: { name: 'n'.repeat(49) } }),
  'chat: input wrong type': () => chatting({ inputs: { name: 5 } }),
  'completion: required missing': () => completing({}),
  'completion: required null': () => completing({ query: null }),
  'completion: select outside options': () => completing({ query: 'hi', style: 'x' }),
  'completion: select empty': () => completing({ query: 'hi', style: '' }),
  'workflow blocking: required missing': () => working({ query: undefined }),
  'workflow blocking: required null': () => working({ query: null }),
  'workflow blocking: too long': () => working({ query: 'q'.repeat(257) }),
  'workflow blocking: wrong type': () => working({ query: 5 }),
  'workflow blocking: select outside': () => working({ style: 'x' }),
  'workflow blocking: select empty text': () => working({ style: '' }),
  'workflow blocking: number bad': () => working({ count: 'many' }),
  'workflow blocking: number as list': () => working({ count: [1] }),
  'workflow blocking: file not object': () => working({ file: 'x' }),
  'workflow blocking: file unknown id': () => working({ file: file(unknownId) }),
  'workflow blocking: file malformed id': () => working({ file: file('zz') }),
  'workflow blocking: file of another user': async () => working({ file: await photo({}, 'user-2', 'workflow') }),
  'workflow blocking: file empty object': () => working({ file: {} }),
  'workflow blocking: file list for single': async () => working({ file: [await photo({}, ME, 'workflow')] }),
  'workflow blocking: file wrong type': async () =>
    working({ file: await photo({ type: 'document' }, ME, 'workflow') }),
  'chat files: unknown id': () => chatting({ files: [file(unknownId)] }),
  'chat files: malformed id': () => chatting({ files: [file('zz')] }),
  'chat files: of another user': () => withFiles(photo({}, 'user-2')),
  'chat files: uploaded with another app key': () => withFiles(photo({}, ME, 'other')),
  'chat files: uploaded without user': () => withFiles(photo({}, null)),
  'chat files: type unknown': () => withFiles(photo({ type: 'picture' })),
  'chat files: type missing': () => withFiles(photo({ type: undefined })),
  'chat files: class not allowed (audio)': () => withFiles(photo({ type: 'audio' })),
  'chat files: .xyz as custom': async () =>
    chatting({ files: [file(await fileId('a.xyz', 'application/octet-stream'), { type: 'custom' })] }),
  'chat files: same file 4 times (limit 3)': async () => chatting({ files: Array(4).fill(await photo()) }),
  'chat files: transfer_method wrong': () => withFiles(photo({ transfer_method: 'pigeon' })),
  'upload: no file': () => uploading([])('chat'),
  'upload: other field name': () => uploading([['data', 'a.png', 'image/png']])('chat'),
  'upload: two files two fields': () =>
    uploading([
      ['file', 'a.png', 'image/png'],
      ['more', 'b.png', 'image/png'],
    ])('chat'),
  'upload: name with slash': () => uploading([['file', 'a/b.png', 'image/png']])('chat'),
  'upload: name with backslash': () => uploading([['file', 'a\\b.png', 'image/png']])('chat'),
  'upload: image of 11 MB': () => uploading([['file', 'a.png', 'image/png']], megabytes(11))('chat'),
  'upload: document of 16 MB': () => uploading([['file', 'a.txt', 'text/plain']], megabytes(16))('chat'),
  'upload: unknown class of 16 MB': () => uploading([['file', 'a.xyz', 'x/y']], megabytes(16))('chat'),
  'upload: key unknown': () => uploading([['file', 'a.png', 'image/png']])('nobody'),
  'upload: body JSON': () => send('chat', 'POST', '/files/upload', { user: ME }),
  'upload: part without content type': () => uploading([['file', 'a.png']])('chat'),
  'upload: filename empty': () => uploading([['file', '', 'image/png']])('chat'),
  'messages: no conversation_id': () => get('chat', `/messages?user=${ME}`),
  'messages: malformed id': () => get('chat', `/messages?user=${ME}&conversation_id=zz`),
  'messages: unknown': () => get('chat', `/messages?user=${ME}&conversation_id=${unknownId}`),
  'messages: foreign': async () =>
    get('chat', `/messages?user=${ME}&conversation_id=${await foreignConversation('chat', 'user-2')}`),
  'messages: no user': async () => get('chat', `/messages?conversation_id=${await foreignConversation('chat', ME)}`),
  'messages: limit 0': () => get('chat', `/messages?user=${ME}&conversation_id=${unknownId}&limit=0`),
  'messages: limit 101': () => get('chat', `/messages?user=${ME}&conversation_id=${unknownId}&limit=101`),
  'conversations: limit 0': () => get('chat', `/conversations?user=${ME}&limit=0`),
  'conversation delete foreign': async () =>
    send('chat', 'DELETE', `/conversations/${await foreignConversation('chat', 'user-2')}`, { user: ME }),
  'feedback: null again': async () => {
    const id = await messageOf();
    await rating(id, { rating: 'like', user: ME });
    await rating(id, { rating: null, user: ME });
    return rating(id, { rating: null, user: ME });
  },
  'feedback: rating missing, none before': async () => rating(await messageOf(), { user: ME }),
  'feedback: wrong word': async () => rating(await messageOf(), { rating: 'love', user: ME }),
  'feedback: foreign user': async () => rating(await messageOf(), { rating: 'like', user: 'user-2' }),
  'feedback: unknown message': () => rating(unknownId, { rating: 'like', user: ME }),
  'feedback: malformed id': () => rating('zz', { rating: 'like', user: ME }),
  'feedback: no user': async () => rating(await messageOf(), { rating: 'like' }),
  'feedback: another app key': async () => rating(await messageOf(), { rating: 'like', user: ME }, 'other'),
  'feedback: workflow app': () => rating(unknownId, { rating: 'like', user: ME }, 'workflow'),
  'suggested: foreign user': async () => get('chat', `/messages/${await messageOf()}/suggested?user=user-2`),
  'suggested: no user': async () => get('chat', `/messages/${await messageOf()}/suggested`),
  'suggested: unknown': () => get('chat', `/messages/${unknownId}/suggested?user=${ME}`),
  'suggested: malformed': () => get('chat', `/messages/zz/suggested?user=${ME}`),
  'stop: no user': () => stopping('chat', `/chat-messages/${unknownId}/stop`, {}),
  'stop: workflow no user': () => stopping('workflow', `/workflows/tasks/${unknownId}/stop`, {}),
  'stop: body missing': () =>
    fetch(`${dify.url}/chat-messages/${unknownId}/stop`, { method: 'POST', headers: { authorization: 'Bearer chat' } }),
  'run: unknown': () => get('workflow', `/workflows/run/${unknownId}`),
  'run: malformed': () => get('workflow', '/workflows/run/zz'),
  'run: of another app': async () =>
    get('workflow', `/workflows/run/${(await runOf('chatflow', '/chat-messages')).workflowRunId}`),
  'events: foreign user': async () =>
    get('chatflow', `/workflow/${(await runOf('chatflow', '/chat-messages')).workflowRunId}/events?user=user-2`),
  'events: no user': () => get('chatflow', `/workflow/${unknownId}/events`),
  'events: unknown': () => get('chatflow', `/workflow/${unknownId}/events?user=${ME}`),
  'events: malformed': () => get('chatflow', `/workflow/zz/events?user=${ME}`),
  'form: GET unknown': () => get('form', '/form/human_input/nope'),
  'form: POST unknown': () => submitting('nope', filled),
  'form: POST no user': async () => submitting(await formToken(), without(filled, 'user')),
  'form: POST no action': async () => submitting(await formToken(), without(filled, 'action')),
  'audio: off': () => uploading([['file', 'a.mp3', 'audio/mp3']])('off', '/audio-to-text'),
  'audio: no file': () => uploading([])('speech', '/audio-to-text'),
  'over max_active_requests': async () => {
    await chatting({ query: 'slowly' }, 'full');
    await chatting({ query: 'slowly' }, 'full');
    return chatting({}, 'full');
  },
  'suggestions off': async () => get('off', `/messages/${await messageOf('off')}/suggested?user=${ME}`),
  'form: missing fields': async () => submitting(await formToken(), { ...filled, inputs: { comment: 'fine' } }),
  'form: unknown action': async () => submitting(await formToken(), { ...filled, action: 'zzz' }),
  'form: answered before': async () => {
    const token = await formToken();
    await submitting(token, filled);
    return submitting(token, filled);
  },
};

/** Recorded, but not to be had from the sample Dify. */
const impossible: Record<string, string> = {
  'chat files: remote_url unreachable': 'the sample Dify asks no address outside of it, so none is unreachable',
  'preview: unknown': 'nothing asks for previews of files, so the route is missing',
  'preview: malformed': 'nothing asks for previews of files, so the route is missing',
};

interface Refused {
  status: number;
  contentType: string;
  headers: Json;
  body: unknown;
}

const recordings = parseJson(
  readFileSync(new URL('../fixtures/dify-real/refusals.json', import.meta.url), 'utf8'),
) as (Refused & { case: string })[];

/** What is another with each request: ids, and the dump of what was sent. */
const sameWords = (text: unknown) =>
  String(text)
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gu, '<id>')
    .replaceAll(/input_value=[^\]]*\]/gu, 'input_value=…]');

const bodyOf = ({ body }: Refused) => {
  if (!isRecord(body)) return String(body).slice(0, 100);
  return { ...body, message: sameWords(body['message']) };
};

beforeAll(async () => {
  const speech = { ...chat, parameters: { speech_to_text: { enabled: true } } };
  dify = await createDifySimulator({ apps: { ...apps, speech }, version: '1.14' });
  return () => dify.close();
});

describe('a recorded refusal', () => {
  test.each(recordings.filter((entry) => !(entry.case in impossible)).map((entry) => [entry.case, entry] as const))(
    '%s',
    async (name, recorded) => {
      const response = await cases[name]?.();
      expect(response, `nobody has told how to ask for "${name}"`).toBeDefined();
      const text = (await response?.text()) ?? '';
      const got: Refused = {
        status: response?.status ?? 0,
        contentType: response?.headers.get('content-type') ?? '',
        headers: {},
        body: parseJson(text) ?? text,
      };
      expect([got.status, got.contentType]).toEqual([recorded.status, recorded.contentType]);
      expect(bodyOf(got)).toEqual(bodyOf(recorded));
      for (const [header, value] of Object.entries(recorded.headers ?? {}))
        expect(response?.headers.get(header)).toBe(value);
      expect(response?.headers.get('x-version')).toBe('1.14.2');
    },
  );

  test('is asked for, or is told why not', () => {
    const told = [...Object.keys(cases), ...Object.keys(impossible)].toSorted();
    expect(told).toEqual(recordings.map((entry) => entry.case).toSorted());
  });
});

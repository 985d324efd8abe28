// Recorded answers of real Difys, told again by the sample Dify: the same events in the same order, and in each the same
// fields of the same types.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Chunk, DifyVersion, Pause, Script } from '../../playground/dify/types.ts';
import { isRecord, parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { eventually, startDify, type SseReading } from './support.ts';

const folder = new URL('../fixtures/dify-real/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

const answers = recordOf(parseJson(read('answers.json')));

type Mode = 'chat' | 'agent-chat' | 'advanced-chat' | 'workflow' | 'completion';
const words = (count: number): Chunk[] =>
  Array.from({ length: count }, (_word, index) => ({ text: `字${index + 1} ` }));
const say = (...chunks: Chunk[]) => ({ chunks });
const flow = { template: { before: 'BEFORE: ', after: '\n\n-- AFTER' } };
const tool = { tool: 'current_time', label: { en_US: 'Current Time', zh_Hans: '获取当前时间' } };
const usesTool: Chunk = { ...tool, input: { timezone: 'UTC' }, observation: '2026-11-27 01:06:41' };
const picture: Json = { type: 'image', upload: ['picture.png', 'image/png'] };
const document: Json = { type: 'document', upload: ['说明.txt', 'text/plain'] };
const failing = (cause: 'rate-limit' | 'server-error', rest = {}): Script => ({
  chunks: [],
  ending: { kind: 'model-failed', cause },
  ...rest,
});

interface Told {
  mode: Mode;
  version?: DifyVersion;
  script: Script;
  file?: Json;
  /** Stopped when so much has been said. */
  stopAt?: string;
}

/** How the sample Dify is brought to tell what was recorded. */
const stories: Record<string, Told> = {
  'chat-answer': { mode: 'chat', script: say(...words(3)) },
  'agent-answer': { mode: 'agent-chat', script: say(...words(3)) },
  'chatflow-answer': { mode: 'advanced-chat', script: { ...say(...words(3)), ...flow } },
  'workflow-answer': { mode: 'workflow', script: say(...words(3)) },
  'completion-answer': { mode: 'completion', script: say(...words(3)) },
  'chat-picture': { mode: 'chat', script: say(...words(3)), file: picture },
  'agent-file': { mode: 'agent-chat', script: say(...words(3)), file: document },
  'chat-model-429': { mode: 'chat', script: failing('rate-limit') },
  'agent-model-500': { mode: 'agent-chat', script: failing('server-error') },
  'chatflow-model-500': { mode: 'advanced-chat', script: failing('server-error', flow) },
  'workflow-model-429': { mode: 'workflow', script: failing('rate-limit') },
  'chat-model-cut': {
    mode: 'chat',
    script: { ...say(...words(5)), ending: { kind: 'model-failed', cause: 'broken-off' } },
  },
  'chat-empty': { mode: 'chat', script: say({ text: '' }) },
  'chatflow-empty': { mode: 'advanced-chat', script: { ...say({ text: '' }), ...flow } },
  'chatflow-think': {
    mode: 'advanced-chat',
    script: { ...say({ text: '<think>\n想' }, { text: '</think>好' }), ...flow },
  },
  'chat-stopped': { mode: 'chat', script: say(...words(3), { afterMs: 60_000, text: '' }), stopAt: '字3' },
  'chatflow-stopped': {
    mode: 'advanced-chat',
    script: { ...say(...words(3), { afterMs: 60_000, text: '' }), ...flow },
    stopAt: '字3',
  },
  'chatflow-output-moderation': {
    mode: 'advanced-chat',
    script: { ...say(...words(3)), ending: { kind: 'moderated', text: 'OUTPUT BLOCKED' } },
  },
  'chat-output-moderation': { mode: 'chat', script: say(...words(3), { replace: 'OUTPUT BLOCKED' }) },
  'chatflow-input-moderation': { mode: 'advanced-chat', script: { inputBlocked: 'INPUT BLOCKED' } },
  'agent-tool': { mode: 'agent-chat', script: say({ text: '' }, usesTool, ...words(3)) },
  'chatflow-retry-default-value': {
    mode: 'advanced-chat',
    script: {
      ...say({ retry: 'server-error' }, { retry: 'server-error' }),
      ending: { kind: 'default-value', text: 'FALLBACK', cause: 'server-error' },
    },
  },
  'chatflow-retry-then-default': {
    mode: 'advanced-chat',
    script: {
      ...say(...words(8), { retry: 'broken-off' }, ...words(8), { retry: 'broken-off' }, ...words(8)),
      ending: { kind: 'default-value', text: '（默认的回答）', cause: 'broken-off' },
      template: { before: '前 ', after: ' 后' },
    },
  },
  '0.15.3/chatflow-plain': { mode: 'advanced-chat', version: '0.15', script: { ...say(...words(3)), ...flow } },
  '0.15.3/workflow-plain': { mode: 'workflow', version: '0.15', script: say(...words(3)) },
  '0.15.3/chat-think': {
    mode: 'chat',
    version: '0.15',
    script: say({ text: '<details> <summary> 想' }, { text: '好' }),
  },
  '0.15.3/chat-error': { mode: 'chat', version: '0.15', script: failing('server-error') },
  '0.15.3/chatflow-error': { mode: 'advanced-chat', version: '0.15', script: failing('server-error', flow) },
  '0.15.3/agent-tool': { mode: 'agent-chat', version: '0.15', script: say({ text: '' }, usesTool, ...words(3)) },
  '0.15.3/chat-stopped': {
    mode: 'chat',
    version: '0.15',
    script: say(...words(3), { afterMs: 60_000, text: '' }),
    stopAt: '字3',
  },
  '0.15.3/workflow-stopped': {
    mode: 'workflow',
    version: '0.15',
    script: say(...words(3), { afterMs: 60_000, text: '' }),
    stopAt: '字3',
  },
};

/** Recorded, but told by the sample Dify otherwise or not at all. Recorded bytes can be played by their names. */
const impossible: Record<string, string> = {
  'branches-class': 'one model and one answer node in every flow',
  'branches-loop': 'no iterations',
  pictures: 'no nodes that put out files between the texts',
  'workflow-outputs': 'no iterations; how end variables are streamed is tested below',
  'workflow-many-outputs': 'no iterations; how end variables are streamed is tested below',
  'chatflow-paused': 'a model stands before each form, not an answer node; forms are tested below',
  'events-resumed': 'a model stands behind each form; forms are tested below',
  'events-snapshot-of-a-paused-run': 'the snapshot has fields of live events that the real one leaves out',
  '0.15.3/agent-makes-picture': 'the file of a tool comes when the script says so, not inside of its step',
  '0.15.3/workflow-makes-picture': 'no nodes that put out files',
};

/** What an app's author chooses, or what differs with each question. */
const free = new Set(['inputs', 'outputs', 'process_data', 'tool_labels', 'usage', 'execution_metadata']);

/** The names and the types of all fields. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0])] : [];
  if (!isRecord(value)) return value === null ? 'null' : typeof value;
  const entries = Object.entries(value).map(([name, entry]) =>
    free.has(name) && name !== 'usage' ? [name, '(free)'] : [name, shapeOf(entry)],
  );
  return Object.fromEntries(entries) as unknown;
}

const isFrame = (block: string) => block.startsWith('data: ') || block.startsWith('event: ');
const eventsOf = (raw: string): Json[] =>
  raw
    .split('\n\n')
    .filter((block) => isFrame(block))
    .map((block) => (block.startsWith('data: ') ? recordOf(parseJson(block.slice(6))) : { event: 'ping' }));

/** The name of an event, and for a node its type and how it ended. */
function nameOf({ event, data }: Json): string {
  const { node_type: type, status } = recordOf(data);
  const more = [type, String(event).startsWith('node_') ? status : undefined].filter((part) => part !== undefined);
  return [event, ...more].map(String).join(' ');
}

/** Repetitions of an event count once: how a text is cut is the model's business. */
const orderOf = (events: readonly Json[]) =>
  events.map((event) => nameOf(event)).filter((name, index, all) => name !== all[index - 1]);

const shapesOf = (events: readonly Json[]) =>
  Object.fromEntries(events.map((event) => [nameOf(event), shapeOf(event)] as const).toReversed());

async function tell({ mode, version = '1.14', script, file, stopAt }: Told): Promise<SseReading> {
  const upload = { enabled: true, allowed_file_types: ['image', 'document'] };
  const app = { mode, name: mode, script, parameters: { file_upload: upload } };
  // What is stopped is silent until then, however busy the machine is.
  const behaviour = { closeMs: 0, stopNoticeMs: 1, silenceAfterErrorMs: stopAt === undefined ? 50 : 30_000 };
  const { dify, call, read: follow, question } = await startDify({ version, behaviour, apps: { key: app } });
  const files: Json[] = [];
  if (file) {
    const [name = '', type = ''] = file['upload'] as string[];
    const form = new FormData();
    form.append('file', new Blob(['x'], { type }), name);
    form.append('user', question.user);
    const authorization = 'Bearer key';
    const uploaded = await fetch(`${dify.url}/files/upload`, {
      method: 'POST',
      body: form,
      headers: { authorization },
    });
    const { id } = recordOf(await uploaded.json());
    files.push({ type: file['type'], transfer_method: 'local_file', upload_file_id: id });
  }
  const path = { workflow: '/workflows/run', completion: '/completion-messages' }[mode as string] ?? '/chat-messages';
  const reading = follow('key', path, { ...question, inputs: { query: '你好' }, files });
  if (stopAt !== undefined) {
    await eventually(() => dify.runs[0]?.answer.includes(stopAt) === true);
    const stopPath = mode === 'workflow' ? '/workflows/tasks' : path;
    await call('key', 'POST', `${stopPath}/${dify.runs[0]?.taskId}/stop`, { user: question.user });
  }
  return reading;
}

describe('a recorded stream is told again', () => {
  test.each(Object.entries(stories))('%s', async (name, told) => {
    const recorded = eventsOf(read(`${name}.sse`));
    const { raw } = await tell(told);
    const events = eventsOf(raw);
    expect(orderOf(events)).toEqual(orderOf(recorded));
    expect(shapesOf(events)).toEqual(shapesOf(recorded));
  });

  test('or it is told why not', () => {
    const files = readdirSync(folder, { recursive: true })
      .map((file) => String(file))
      .filter((file) => file.endsWith('.sse') && !file.startsWith('forms/'))
      .map((file) => file.slice(0, -'.sse'.length));
    const told = [...Object.keys(stories), ...Object.keys(impossible), 'events-of-a-finished-chatflow'];
    expect(told.toSorted()).toEqual(files.toSorted());
  });
});

test('end variables are streamed as recorded, the text of the model first', async () => {
  const recorded = eventsOf(read('workflow-many-outputs.sse'));
  const chunksOf = (events: readonly Json[]) =>
    events.filter(({ event }) => event === 'text_chunk').map(({ data }) => recordOf(data)['text']);
  const outputs = recordOf(recordOf(recorded.at(-1)?.['data'])['outputs']);
  const { events } = await tell({ mode: 'workflow', script: { ...say({ text: '字1 字2 字3 ' }), outputs } });
  expect(chunksOf(events).join('')).toBe(chunksOf(recorded).join(''));
  expect(recordOf(recordOf(events.at(-1)?.['data'])['outputs'])).toEqual(outputs);
});

describe('a recorded form is told again', () => {
  const pause: Pause = {
    kind: 'paused',
    formContent: 'Please **approve** hello\n\n{{#$output.comment#}}\n\n{{#$output.choice#}}',
    formTemplate: 'Please **approve** {{#start.query#}}\n\n{{#$output.comment#}}\n\n{{#$output.choice#}}',
    inputs: [
      { type: 'paragraph', name: 'comment' },
      { type: 'select', name: 'choice', options: ['A', 'B'] },
    ],
    defaults: { comment: 'fine' },
    onSubmit: () => say(...words(3)),
  };
  const filled = { inputs: { comment: '好', choice: 'Z' }, action: 'approve', user: 'staff-0001' };

  test('in the stream that pauses, in a snapshot, by its route and after its answer', async () => {
    const script: Script = { ...say({ text: 'I need an approval. ' }), ending: pause };
    const behaviour = { closeMs: 0 };
    const { dify, ask, call, read: follow } = await startDify({ version: '1.14', behaviour, script });
    const shapes = (events: readonly Json[], ...names: string[]) =>
      Object.fromEntries(Object.entries(shapesOf(events)).filter(([name]) => names.includes(name)));

    const paused = eventsOf((await ask('advanced-chat')).raw);
    const told = eventsOf(read('chatflow-paused.sse'));
    const of = ['workflow_started', 'node_started human-input', 'human_input_required', 'workflow_paused'];
    expect(orderOf(paused).slice(-3)).toEqual(orderOf(told).slice(-3));
    expect(shapes(paused, ...of)).toEqual(shapes(told, ...of));

    const path = `/workflow/${dify.runs[0]?.workflowRunId}/events?user=staff-0001`;
    const snapshot = eventsOf((await follow('app-advanced-chat', `${path}&include_state_snapshot=true`)).raw);
    expect(orderOf(snapshot).slice(-4)).toEqual(
      orderOf(eventsOf(read('events-snapshot-of-a-paused-run.sse'))).slice(-4),
    );
    expect(snapshot.find(({ event }) => event === 'human_input_required')).toMatchObject({
      data: { form_content: pause.formTemplate },
    });

    const formPath = `/form/human_input/${dify.runs[0]?.forms[0]?.token}`;
    const form = await call('app-advanced-chat', 'GET', formPath);
    expect(shapeOf(form.body)).toEqual(shapeOf(answers['form']));
    expect(form.body['form_content']).toBe(pause.formContent);

    const following = follow('app-advanced-chat', path);
    await eventually(() => dify.openStreams.length === 1);
    // An option that is not on the list is taken.
    expect((await call('app-advanced-chat', 'POST', formPath, filled)).status).toBe(200);
    const resumed = eventsOf((await following).raw);
    const goesOn = eventsOf(read('events-resumed.sse'));
    const after = ['workflow_started', 'human_input_form_filled', 'message', 'message_end', 'workflow_finished'];
    expect(orderOf(resumed).slice(0, 4)).toEqual(orderOf(goesOn).slice(0, 4));
    expect(shapes(resumed, ...after)).toEqual(shapes(goesOn, ...after));
    expect(recordOf(recordOf(resumed.at(-1)?.['data'])['outputs'])['answer']).toBe('I need an approval. 字1 字2 字3 ');
  });

  test('that goes out by mail only has a token that no route knows', async () => {
    const { dify, ask, call } = await startDify({ script: { chunks: [], ending: { ...pause, byMailOnly: true } } });
    const { events } = await ask('workflow');
    const recorded = eventsOf(read('forms/hitlmail-paused.sse'));
    for (const told of [events, recorded])
      expect(told.find(({ event }) => event === 'human_input_required')).toMatchObject({
        data: { display_in_ui: false, form_token: expect.any(String) as string },
      });
    const token = dify.runs[0]?.forms[0]?.token;
    expect((await call('app-workflow', 'GET', `/form/human_input/${token}`)).status).toBe(404);
  });
});

describe('a recorded answer is told again', () => {
  const chatApp = {
    opening_statement: 'Hello!',
    suggested_questions: ['What can you do?'],
    suggested_questions_after_answer: { enabled: true },
    user_input_form: [
      { 'text-input': { label: 'Your name', variable: 'name', required: false, max_length: 48, default: '' } },
    ],
  };

  /** Each kind of app has been asked once, an agent and a chat were then left alone in mid-answer. */
  const start = async () => {
    const script: Script = say({ text: '你好。' });
    const base = { script, suggest: ['有没有例子？'] };
    const slow: Script = say({ text: '字1 ' }, { afterMs: 250, text: '字2 ' });
    const started = await startDify({
      version: '1.14',
      behaviour: { closeMs: 0 },
      apps: {
        chat: { mode: 'chat', name: 'chat', parameters: chatApp, ...base },
        agent: { mode: 'agent-chat', name: 'agent', ...base },
        chatflow: { mode: 'advanced-chat', name: 'chatflow', ...base },
        workflow: { mode: 'workflow', name: 'workflow', ...base },
        completion: { mode: 'completion', name: 'completion', ...base },
        slowChat: { mode: 'chat', name: 'slow', script: slow },
        slowAgent: { mode: 'agent-chat', name: 'slow', script: slow },
      },
    });
    const { dify, call, read: follow, question } = started;
    const inputs = { query: 'hi', name: null };
    const post = (key: string, path: string, changes: Json = {}) =>
      call(key, 'POST', path, { ...question, inputs, response_mode: 'blocking', ...changes });
    const last = () => dify.runs.at(-1);
    const rows = (key: string) =>
      call(key, 'GET', `/messages?user=${question.user}&conversation_id=${last()?.conversationId}`);
    const leave = async (key: string) => {
      await follow(key, '/chat-messages', question, (raw) => raw.includes('字1'));
      await eventually(() => last()?.status === 'succeeded');
      return rows(key);
    };
    return { ...started, post, last, rows, leave };
  };
  type Started = Awaited<ReturnType<typeof start>>;

  const asked: Record<string, (started: Started) => Promise<{ body: Json }>> = {
    info: ({ call }) => call('chat', 'GET', '/info'),
    messages: async ({ post, rows }) => {
      await post('chat', '/chat-messages');
      return rows('chat');
    },
    'messages agent': async ({ read: follow, question, rows }) => {
      await follow('agent', '/chat-messages', question);
      return rows('agent');
    },
    conversations: async ({ post, call }) => {
      await post('chat', '/chat-messages');
      return call('chat', 'GET', '/conversations?user=staff-0001&limit=5');
    },
    'run workflow': async ({ post, call, last }) => {
      await post('workflow', '/workflows/run');
      return call('workflow', 'GET', `/workflows/run/${last()?.workflowRunId}`);
    },
    'run chatflow': async ({ post, call, last }) => {
      await post('chatflow', '/chat-messages');
      return call('chatflow', 'GET', `/workflows/run/${last()?.workflowRunId}`);
    },
    'blocking chat': ({ post }) => post('chat', '/chat-messages'),
    'blocking completion': ({ post }) => post('completion', '/completion-messages'),
    'blocking workflow': ({ post }) => post('workflow', '/workflows/run'),
    suggested: async ({ post, call, last }) => {
      await post('chat', '/chat-messages');
      return call('chat', 'GET', `/messages/${last()?.messageId}/suggested?user=staff-0001`);
    },
    'messages of an agent whose client left': ({ leave }) => leave('slowAgent'),
    'messages of a chat whose client left': ({ leave }) => leave('slowChat'),
    upload: async ({ dify }) => {
      const form = new FormData();
      form.append('file', new Blob(['x'], { type: 'image/png' }), 'photo.png');
      form.append('user', 'user-1');
      const headers = { authorization: 'Bearer chat' };
      const response = await fetch(`${dify.url}/files/upload`, { method: 'POST', body: form, headers });
      return { body: recordOf(await response.json()) };
    },
  };
  const untold: Record<string, string> = {
    'parameters chat': 'the sample Dify has all fields for every app, older ones among them',
    'meta agent': 'nothing asks for the icons of tools',
    site: 'nothing asks for the page of the web app',
    form: 'told above',
    'blocking workflow paused': 'nothing asks without a stream for what a person has to answer',
    'blocking chatflow paused': 'nothing asks without a stream for what a person has to answer',
  };

  test.each(Object.entries(asked))('%s', async (name, request) => {
    const { body } = await request(await start());
    expect(shapeOf(body)).toEqual(shapeOf(answers[name]));
  });

  test('that an agent whose client left has its text in its thoughts, a chat has none', async () => {
    const started = await start();
    const agent = await started.leave('slowAgent');
    expect(agent.body['data']).toMatchObject([{ answer: '', agent_thoughts: [{ thought: '字1 字2 ', tool: '' }] }]);
    const chat = await started.leave('slowChat');
    expect(chat.body['data']).toMatchObject([{ answer: '', status: 'normal', agent_thoughts: [] }]);
  });

  test('or it is told why not', () => {
    expect([...Object.keys(asked), ...Object.keys(untold)].toSorted()).toEqual(Object.keys(answers).toSorted());
  });

  test('of a finished run that is followed', async () => {
    const { post, last, read: follow } = await start();
    await post('chatflow', '/chat-messages');
    const { raw } = await follow('chatflow', `/workflow/${last()?.workflowRunId}/events?user=staff-0001`);
    expect(shapesOf(eventsOf(raw))).toEqual(shapesOf(eventsOf(read('events-of-a-finished-chatflow.sse'))));
  });
});

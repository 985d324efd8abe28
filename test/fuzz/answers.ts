// What Dify and DingTalk answer with.
import * as fc from 'fast-check';
import { askOnce } from './callbacks.ts';
import { refusals, streams } from './fixtures.ts';
import { judgeHealth, judgeOutcome } from './judge.ts';
import { byteEdits, edited, editedBytes, jsonEdits, oddValue, toBytes, type JsonEdit } from './mutate.ts';
import { target } from './target.ts';
import type { Disturbance, StreamPlan } from './wire.ts';
import { createFuzzWorld } from './world.ts';

const MODES = ['chat', 'agent-chat', 'advanced-chat', 'workflow', 'completion'] as const;

/** Changes the JSON of the events of a stream, each with its own share of the edits. */
function editedEvents(text: string, edits: readonly JsonEdit[]): string {
  const lines = text.split('\n');
  const events = lines.flatMap((line, index) => (line.startsWith('data: {') ? [index] : []));
  for (const edit of edits) {
    const at = events[edit.at % Math.max(events.length, 1)] ?? -1;
    const line = lines[at];
    if (line === undefined) continue;
    try {
      const json: unknown = JSON.parse(line.slice('data: '.length));
      lines[at] = `data: ${JSON.stringify(edited(json, [{ ...edit, at: Math.floor(edit.at / events.length) }]))}`;
    } catch {
      // An event that an earlier change has broken stays as it is.
    }
  }
  return lines.join('\n');
}

/** Puts events in another order, and gives some of them twice. */
function reordered(text: string, moves: readonly (readonly [from: number, to: number, isTwice: boolean])[]): string {
  const events = text.split('\n\n');
  for (const [from, to, isTwice] of moves) {
    const at = from % events.length;
    const [event = ''] = isTwice ? [events[at]] : events.splice(at, 1);
    events.splice(to % (events.length + 1), 0, event ?? '');
  }
  return events.join('\n\n');
}

function cut(bytes: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.slice(from, at[index] ?? bytes.length));
}

const pause = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 50, 400) },
  { weight: 1, arbitrary: fc.constantFrom(9_000, 46_000, 300_000) },
);

const pauses = fc.array(pause, { minLength: 1, maxLength: 8 });

const stream: fc.Arbitrary<StreamPlan> = fc
  .record({
    text: fc.constantFrom(...streams),
    events: jsonEdits,
    moves: fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000), fc.boolean()), { maxLength: 4 }),
    bytes: byteEdits,
    cuts: fc.array(fc.nat(1_000_000), { maxLength: 12 }),
    waits: pauses,
    end: fc.constantFrom('close' as const, 'close' as const, 'break' as const, 'hang' as const),
    status: fc.constantFrom(200, 200, 200, 200, 200, 206, 302, 404, 500),
    type: fc.constantFrom('text/event-stream', 'text/event-stream; charset=utf-8', 'application/json', 'text/html'),
    isPlain: fc.boolean(),
  })
  .map(({ text, events, moves, bytes, cuts, waits, end, status, type, isPlain }) => {
    const changed = editedBytes(toBytes(reordered(editedEvents(text, events), moves)), bytes);
    const chunks = cut(changed, cuts).map((part, index) => ({
      afterMs: waits[index % waits.length] ?? 0,
      bytes: part,
    }));
    return { status: isPlain ? 200 : status, type: isPlain ? 'text/event-stream' : type, chunks, end };
  });

export const difyStreams = target(
  'dify-streams',
  fc.record({ mode: fc.constantFrom(...MODES), plans: fc.array(stream, { minLength: 1, maxLength: 2 }) }),
  async ({ mode, plans }) => {
    const world = createFuzzWorld({ mode });
    world.streams.push(...plans);
    await askOnce(world);
    await world.settle();
    judgeHealth(world, []);
    judgeOutcome(world);
  },
);

/** Dify's plain answers, as they are where all is well. */
const DIFY_ANSWERS: Readonly<Record<string, unknown>> = {
  '/info': { name: 'app', mode: 'chat', description: '', tags: [], author_name: 'x' },
  '/parameters': {
    opening_statement: 'Hi',
    suggested_questions: ['a', 'b'],
    suggested_questions_after_answer: { enabled: true },
    speech_to_text: { enabled: true },
    user_input_form: [
      { 'text-input': { label: 'Name', variable: 'name', required: true, max_length: 4, default: '' } },
      { select: { label: 'Kind', variable: 'kind', required: false, options: ['x', 'y'] } },
      { 'file-list': { label: 'Files', variable: 'files', required: false, allowed_file_types: ['image'] } },
    ],
    file_upload: { enabled: true, image: { enabled: true, number_limits: 3, transfer_methods: ['local_file'] } },
    system_parameters: { file_size_limit: 15, image_file_size_limit: 10 },
  },
  '/suggested': { result: 'success', data: ['one?', 'two?'] },
  '/messages': {
    limit: 20,
    has_more: false,
    data: [
      { id: 'm1', conversation_id: 'c1', query: 'a question', answer: 'found', created_at: 1_800_000_000, inputs: {} },
    ],
  },
  '/workflows/logs': {
    page: 1,
    limit: 20,
    total: 1,
    has_more: false,
    data: [{ workflow_run: { id: 'r1', status: 'succeeded' } }],
  },
  '/workflows/run': { id: 'r1', status: 'succeeded', outputs: '{"text":"found"}', created_at: 1_800_000_000 },
  '/conversations': { limit: 20, has_more: false, data: [{ id: 'c1', name: 'x', created_at: 1_800_000_000 }] },
  '/form/human_input': {
    form_content: 'x',
    inputs: [],
    user_actions: [{ id: 'yes', title: 'Yes' }],
    expiration_time: 1,
  },
};

const difyAnswer = fc
  .record({
    path: fc.constantFrom(...Object.keys(DIFY_ANSWERS)),
    edits: jsonEdits,
    bytes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteEdits }),
    refusal: fc.option(fc.constantFrom(...refusals), { freq: 5 }),
  })
  .map(({ path, edits, bytes, refusal }) => {
    const value = edited(refusal ? refusal.body : DIFY_ANSWERS[path], edits);
    const status = refusal?.status ?? 200;
    return { path, status, body: editedBytes(toBytes(JSON.stringify(value) ?? ''), bytes) };
  });

export const difyAnswers = target(
  'dify-answers',
  fc.record({
    mode: fc.constantFrom(...MODES),
    answers: fc.array(difyAnswer, { minLength: 1, maxLength: 4 }),
    plans: fc.array(stream, { maxLength: 1 }),
  }),
  async ({ mode, answers, plans }) => {
    const world = createFuzzWorld({ mode });
    for (const { path, status, body } of answers) world.difyAnswers.set(path, { status, body });
    world.streams.push(...plans);
    await askOnce(world);
    await world.settle();
    judgeHealth(world, []);
    judgeOutcome(world);
  },
);

const DINGTALK_ANSWERS: Readonly<Record<string, unknown>> = {
  accessToken: { accessToken: 'token', expireIn: 7200 },
  createAndDeliver: { success: true, result: { outTrackId: 'x', deliverResults: [{ success: true, carrierId: 'c' }] } },
  deliver: { success: true, result: [{ success: true, carrierId: 'c' }] },
  streaming: { success: true, result: true },
  updateCard: { success: true, result: true },
  registerCallback: { success: true, result: { callbackUrl: 'http://bridge.test', apiSecret: 'x' } },
  sendBySession: { errcode: 0, errmsg: 'ok' },
  sendToPeople: { processQueryKey: 'x', invalidStaffIdList: [], flowControlledStaffIdList: [] },
};

const CODES = [
  'param.cardAlreadyExist',
  'param.contentUnsafe',
  'param.stream.finished',
  'param.stream.outTrackId',
  'param.templateNotExist',
  'InvalidAuthentication',
  'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi',
  'Forbidden.AccessDenied.ApiCountLimitForOrg',
  'system.busy',
  'unknownError',
  'param.invalid',
];

const refusal = fc.record({ code: fc.oneof(fc.constantFrom(...CODES), oddValue), message: oddValue });

const answered = fc
  .record({
    api: fc.constantFrom(...Object.keys(DINGTALK_ANSWERS)),
    status: fc.constantFrom(200, 200, 200, 400, 401, 403, 429, 500, 502, 504, 302, 204),
    isRefusal: fc.boolean(),
    refusal,
    edits: jsonEdits,
    bytes: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteEdits }),
    type: fc.constantFrom('application/json', 'text/html'),
    isApplied: fc.boolean(),
  })
  .map(({ api, status, isRefusal, refusal: refused, edits, bytes, type, isApplied }) => {
    const value = isRefusal ? refused : edited(DINGTALK_ANSWERS[api], edits);
    const body = editedBytes(toBytes(JSON.stringify(value) ?? ''), bytes);
    const what: Disturbance = { kind: 'answer', isApplied, status, body, type };
    return { api, what };
  });

const silent = fc.record({
  api: fc.constantFrom(...Object.keys(DINGTALK_ANSWERS)),
  what: fc.oneof(
    fc.record({ kind: fc.constantFrom('reset' as const, 'hang' as const), isApplied: fc.boolean() }),
    fc.record({ kind: fc.constant('late' as const), ms: fc.constantFrom(500, 7_000, 12_000) }),
  ),
});

/** Whether calls that show something got an answer that says the truth: only then has what is shown to be right. */
const isHonest = ({ what }: { what: Disturbance }) => what.kind === 'late';

export const dingtalkAnswers = target(
  'dingtalk-answers',
  fc.record({
    disturbances: fc.array(fc.oneof({ weight: 3, arbitrary: answered }, { weight: 1, arbitrary: silent }), {
      minLength: 1,
      maxLength: 8,
    }),
    plans: fc.array(stream, { maxLength: 1 }),
  }),
  async ({ disturbances, plans }) => {
    const world = createFuzzWorld();
    world.disturbances.push(...disturbances);
    world.streams.push(...plans);
    await askOnce(world);
    await world.settle();
    judgeHealth(world, []);
    // DingTalk may say that it did what it did not do: no client can know better.
    if (disturbances.every(isHonest)) judgeOutcome(world);
  },
);

// A question, from what is known of the app to its answer.
import { describe, expect, test } from 'vitest';
import { readVersion } from '../../lib/dify/version.ts';
import { answerText, type Answer } from '../../lib/answer/answer.ts';
import type { Activity, AnswerEvent } from '../../lib/answer/event.ts';
import { ask, type AskOptions } from '../../lib/ask/ask.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import type { Question } from '../../lib/dify/ask.ts';
import { readRefusal } from '../../lib/dify/failures.ts';
import type { QuestionFile } from '../../lib/dify/file-inputs.ts';
import type { OpenedStream } from '../../lib/dify/http.ts';
import type { EventStream } from '../../lib/dify/stream.ts';
import { BridgeError } from '../../lib/errors.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import { errorFields } from '../../lib/runtime/log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const answered: AnswerEvent[] = [
  { kind: 'text', source: 'message', text: '好', ids: { conversationId: 'c-new' } },
  { kind: 'message-ended', citations: [], files: [], totalTokens: null, price: null, ids: { messageId: 'm' } },
];

const started: AnswerEvent = { kind: 'run-started', ids: { runId: 'r' } };

/** What comes of a post: its events, and milliseconds in which nothing comes. */
type Step = AnswerEvent | number;

const refused = (status: number, code: string, message = ''): OpenedStream => ({
  ok: false,
  status,
  refusal: readRefusal(status, { code, message }),
});
const gone = refused(404, 'not_found', 'Conversation Not Exists.');
const notChat = refused(400, 'not_chat_app');

interface Scene {
  /** What Dify does with each post; after them it answers. */
  posts?: readonly (OpenedStream | Promise<OpenedStream> | readonly Step[] | Error)[];
  type?: AppType;
  isTypeKnown?: boolean;
  parameters?: object;
  /** The types that are tried after a wrong one. */
  types?: readonly AppType[];
  question?: Partial<AskOptions['question']>;
  /** What the looks for the conversation find. */
  isThere?: readonly (boolean | Error)[];
}

/** Begins to ask. */
function begin({
  posts = [],
  type = 'chat',
  isTypeKnown = true,
  parameters,
  types = [],
  question,
  isThere = [],
}: Scene = {}) {
  const clock = createVirtualClock();
  const stopping = new AbortController();
  const seen: { type: AppType; question: Question }[] = [];
  const told: AppType[] = [];
  const waits: Activity[] = [];
  const looked: string[][] = [];
  const progress: Answer[] = [];
  const next = types.values();
  async function* play(steps: readonly Step[], signal: AbortSignal): EventStream {
    for (const step of steps) {
      if (typeof step === 'number') await sleep(clock, step, signal);
      else yield step;
    }
  }
  const work = ask({
    dify: {
      facts: async () => ({ type, isTypeKnown, ...readVersion(null, undefined), ...readParameters(parameters) }),
      async ask(askedType, asked, signal) {
        const post = posts[seen.length] ?? answered;
        seen.push({ type: askedType, question: asked });
        if (post instanceof Error) throw post;
        if (post instanceof Promise || 'ok' in post) return post;
        return { ok: true, events: play(post, signal) };
      },
      correctType: () => next.next().value ?? null,
      records: {
        async hasConversation(id, user) {
          looked.push([id, user]);
          const found = isThere[looked.length - 1] ?? true;
          if (found instanceof Error) throw found;
          return found;
        },
      },
    },
    question: { query: '年假？', inputs: {}, queryInput: 'query', user: 'u', conversationId: null, ...question },
    clock,
    signal: stopping.signal,
    onType: (asked) => told.push(asked),
    onWaiting: (activity) => waits.push(activity),
    onProgress: (answer) => progress.push(answer),
  });
  const outcome = work.then(
    (answer) => ({ answer, error: null }),
    (error: unknown) => ({ answer: null, error }),
  );
  return { clock, outcome, seen, told, waits, looked, progress, abort: (reason: Error) => stopping.abort(reason) };
}

async function asking(scene?: Scene) {
  const { outcome, seen, told, progress } = begin(scene);
  return { ...(await outcome), seen, told, progress };
}

const textInput = (variable: string, more: object = {}) => ({ 'text-input': { variable, required: true, ...more } });
const form = (...user_input_form: readonly object[]) => ({ user_input_form });

describe('a question', () => {
  test('is posted once, and each event is told', async () => {
    const { answer, seen, told, progress } = await asking({ question: { conversationId: 'c', inputs: { a: 1 } } });
    expect(seen).toEqual([
      {
        type: 'chat',
        question: { query: '年假？', inputs: { a: 1 }, user: 'u', conversationId: 'c', files: [] },
      },
    ]);
    expect(told).toEqual(['chat']);
    expect(answer && answerText(answer).text).toBe('好');
    expect(answer).toMatchObject({ ending: { kind: 'complete' }, ids: { conversationId: 'c-new', messageId: 'm' } });
    expect(progress.map(({ ending }) => ending?.kind ?? null)).toEqual([null, 'complete']);
  });

  test.each<[string, Scene, object]>([
    ['in a chat app goes with the inputs', { parameters: form(textInput('topic')), isTypeKnown: false }, {}],
    [
      'travels in the configured input',
      { type: 'workflow', parameters: form(textInput('query')) },
      { query: '年假？' },
    ],
    [
      'travels in the only text input',
      { type: 'completion', parameters: form(textInput('topic')) },
      { topic: '年假？' },
    ],
    [
      'leaves an input alone that has a value',
      { type: 'workflow', parameters: form(textInput('query')), question: { inputs: { query: 'set' } } },
      { query: 'set' },
    ],
    [
      'is left out of an app that takes none',
      { type: 'workflow', parameters: form({ number: { variable: 'n' } }) },
      {},
    ],
  ])('%s', async (_what, scene, inputs) => {
    expect((await asking(scene)).seen[0]?.question.inputs).toEqual(inputs);
  });

  test.each<[string, object[], object]>([
    ['an input', [textInput('city', { label: 'City' })], { missing: ['City'] }],
    ['a file', [{ file: { variable: 'r', label: 'Report', required: true } }], { missingFiles: ['Report'] }],
    [
      'both',
      [textInput('city'), { file: { variable: 'r', label: 'Report', required: true } }],
      { missing: ['city', 'Report'] },
    ],
  ])('is not posted while %s is missing, unless the type of the app is unknown', async (_what, inputs, named) => {
    const parameters = form(...inputs);
    const { error, seen } = await asking({ parameters });
    expect(error).toMatchObject({ code: 'dify_input_missing', named });
    expect(errorFields(error)).toEqual({ code: 'dify_input_missing', reason: expect.any(String) });
    expect(seen).toEqual([]);
    expect((await asking({ parameters, isTypeKnown: false })).seen).toHaveLength(1);
  });

  test('is not posted without one of its files', async () => {
    const file: QuestionFile = { class: 'document', extension: 'pdf', uploadId: 'f-1' };
    const parameters = { file_upload: { enabled: true, allowed_file_types: ['document'], number_limits: 1 } };
    const one = await asking({ parameters, question: { files: [file] } });
    expect(one.seen[0]?.question.files).toEqual([{ type: 'document', uploadId: 'f-1' }]);
    const two = await asking({ parameters, question: { files: [file, file] } });
    expect(two.error).toMatchObject({ code: 'file_not_accepted', facts: { most: 1 } });
    expect(two.seen).toEqual([]);
  });
});

describe('a refusal that ran nothing', () => {
  const conversations = ({ seen }: Awaited<ReturnType<typeof asking>>) =>
    seen.map(({ question }) => question.conversationId);
  const old = { conversationId: 'c-old' };

  test('of a conversation that is gone: the question begins a new one', async () => {
    const asked = await asking({ posts: [gone], question: old });
    expect(conversations(asked)).toEqual(['c-old', null]);
    expect(asked.answer?.ending).toEqual({ kind: 'complete' });
  });

  test('of a question without a conversation is its failure', async () => {
    const { error, seen } = await asking({ posts: [gone] });
    expect(error).toMatchObject({ code: 'dify_rejected' });
    expect(seen).toHaveLength(1);
  });

  test('for the type of the app: the next type is tried, and its inputs are checked then', async () => {
    const types: AppType[] = ['workflow'];
    const { seen, told } = await asking({ posts: [notChat], types, isTypeKnown: false });
    expect(seen.map(({ type }) => type)).toEqual(['chat', 'workflow']);
    expect(told).toEqual(['chat', 'workflow']);
    expect(seen[1]?.question.inputs).toEqual({ query: '年假？' });
    const parameters = form(textInput('city'), textInput('day'));
    const missing = await asking({ posts: [notChat], types, isTypeKnown: false, parameters });
    expect(missing.error).toMatchObject({ code: 'dify_input_missing', named: { missing: ['city', 'day'] } });
    expect(missing.seen).toHaveLength(1);
  });

  test('for the type of the app is its failure when no type is left', async () => {
    const { error } = await asking({ posts: [notChat] });
    expect(error).toMatchObject({ code: 'dify_rejected', facts: { upstreamCode: 'not_chat_app' } });
  });

  test('of another kind is the failure, and so is a call without an answer', async () => {
    const busy = await asking({ posts: [refused(429, 'too_many_requests')] });
    expect(busy.error).toMatchObject({ code: 'dify_busy' });
    const unreachable = new BridgeError('dify_unreachable', 'no connection');
    const { error, seen } = await asking({ posts: [unreachable] });
    expect(error).toBe(unreachable);
    expect(seen).toHaveLength(1);
  });

  test('is not followed by more than three others', async () => {
    const types: AppType[] = ['workflow', 'completion', 'chat', 'agent'];
    const { error, seen } = await asking({ posts: [notChat, notChat, notChat, notChat], types });
    expect(error).toMatchObject({ code: 'dify_rejected', message: 'Dify refused the question each time' });
    expect(seen).toHaveLength(4);
  });
});

test('an error without a code is the end of the question, also in a conversation', async () => {
  const nameless: AnswerEvent = { kind: 'failed', upstreamCode: null, status: 500, ids: {} };
  const { answer, seen } = await asking({ posts: [[nameless]], question: { conversationId: 'c-old' } });
  expect(answer?.ending).toMatchObject({ kind: 'failed' });
  expect(seen).toHaveLength(1);
});

describe('a stream without an event', () => {
  const silence: readonly Step[] = [Infinity];
  const chatflow: Scene = { type: 'chatflow', posts: [silence], question: { conversationId: 'c-old' } };
  const conversations = (seen: readonly { question: Question }[]) =>
    seen.map(({ question }) => question.conversationId);

  test('in a conversation that is gone: after 3 s the question begins a new one', async () => {
    const { clock, outcome, seen, looked } = begin({ ...chatflow, isThere: [false] });
    await clock.advance(2_999);
    expect(looked).toEqual([]);
    await clock.advance(1);
    expect((await outcome).answer?.ending).toEqual({ kind: 'complete' });
    expect(looked).toEqual([['c-old', 'u']]);
    expect(conversations(seen)).toEqual(['c-old', null]);
  });

  test('in a conversation that exists is waited for', async () => {
    const { clock, outcome, seen, looked } = begin({ ...chatflow, posts: [[60_000, ...answered]], isThere: [true] });
    await clock.advance(60_000);
    expect((await outcome).answer?.ending).toEqual({ kind: 'complete' });
    expect(looked).toHaveLength(1);
    expect(seen).toHaveLength(1);
  });

  test('is looked at twice when Dify does not answer the look, and then waited for', async () => {
    const failure = new BridgeError('dify_server_error', 'no answer');
    const { clock, outcome, seen, looked } = begin({ ...chatflow, isThere: [failure, failure] });
    await clock.advance(60_000);
    expect(looked).toHaveLength(2);
    expect(seen).toHaveLength(1);
    const again = begin({ ...chatflow, isThere: [failure, false] });
    await again.clock.advance(13_000);
    expect((await again.outcome).answer?.ending).toEqual({ kind: 'complete' });
    void outcome;
  });

  test.each<[string, Scene, number]>([
    ['the question begins a conversation', { ...chatflow, question: {} }, 0],
    ['an event came', { ...chatflow, posts: [[1_000, started, Infinity]] }, 0],
  ])('is not looked at when %s', async (_why, scene, looks) => {
    const { clock, looked } = begin(scene);
    await clock.advance(60_000);
    expect(looked).toHaveLength(looks);
  });

  test('is told after 10 s: Dify is busy, or the app shows no steps', async () => {
    const of = async (scene: Scene) => {
      const { clock, waits } = begin({ posts: [silence], ...scene });
      await clock.advance(9_999);
      expect(waits).toEqual([]);
      await clock.advance(100_000);
      return waits.map(({ kind }) => kind);
    };
    expect(await of({ type: 'chatflow' })).toEqual(['queued']);
    expect(await of({ type: 'workflow' })).toEqual(['queued']);
    expect(await of({ type: 'chat', isTypeKnown: false })).toEqual(['queued']);
    expect(await of({ type: 'agent' })).toEqual(['unseen']);
    expect(await of({ type: 'chatflow', posts: [[9_000, started, Infinity]] })).toEqual([]);
    // An easy app sends nothing before its first token.
    expect(await of({ type: 'chat', posts: [new Promise<OpenedStream>(() => {})] })).toEqual([]);
    // An open stream without a token is that of a chatflow, whatever the configuration says.
    expect(await of({ type: 'chat' })).toEqual(['queued']);
  });

  test('that ends has not started, and so has one whose time is up; a New Agent runs without an event', async () => {
    const ended = await asking({ type: 'chatflow', posts: [[]] });
    expect(ended.error).toMatchObject({ code: 'dify_not_started' });
    const outOf = async (code: 'out_of_time' | 'interrupted', scene: Scene) => {
      const reason = new BridgeError(code, 'on purpose');
      const { clock, outcome, abort } = begin({ posts: [silence], ...scene });
      await clock.advance(20_000);
      abort(reason);
      return ((await outcome).error as BridgeError).code;
    };
    expect(await outOf('out_of_time', { type: 'workflow' })).toBe('dify_not_started');
    expect(await outOf('out_of_time', { type: 'agent' })).toBe('out_of_time');
    expect(await outOf('out_of_time', { type: 'workflow', posts: [[started, Infinity]] })).toBe('out_of_time');
    expect(await outOf('interrupted', { type: 'workflow' })).toBe('interrupted');
  });
});

describe('a value that an input does not take', () => {
  const select = { select: { variable: 'city', label: 'City', options: ['Berlin', 'Paris'] } };
  const cities = { label: 'City', options: ['Berlin', 'Paris'] };
  test.each<[string, object, Partial<AskOptions['question']>, object]>([
    [
      'the question in a field that is shorter',
      textInput('query', { label: 'Question', max_length: 3 }),
      { query: '年假几天' },
      { facts: { maxChars: 3, chars: 4 }, named: { label: 'Question' } },
    ],
    ['a choice that is not offered', select, { inputs: { city: 'Rome' } }, { named: cities }],
    ['an empty choice', select, { inputs: { city: '' } }, { named: cities }],
    [
      'a number for a text',
      textInput('topic', { required: false }),
      { inputs: { topic: 5 } },
      { named: { label: 'topic' } },
    ],
    [
      'a text for a number',
      { number: { variable: 'n', label: 'N' } },
      { inputs: { n: 'five' } },
      { named: { label: 'N' } },
    ],
    ['null in a required one', textInput('topic'), { inputs: { topic: null } }, { named: { missing: ['topic'] } }],
  ])('is %s: nothing is posted', async (_what, input, question, told) => {
    const { error, seen } = await asking({ type: 'workflow', parameters: form(textInput('query'), input), question });
    expect(error).toMatchObject(told);
    expect((error as BridgeError).code).toMatch(/^dify_input_(?:invalid|missing)$/);
    expect(seen).toEqual([]);
  });

  test('is none within the limits, counted in characters', async () => {
    const parameters = form(
      textInput('query', { max_length: 3 }),
      { select: { variable: 'city', options: ['Berlin'] } },
      { select: { variable: 'open', options: [] } },
      { number: { variable: 'n' } },
      { number: { variable: 'm' } },
      { checkbox: { variable: 'b' } },
    );
    const inputs = { city: 'Berlin', open: 'x', n: 5, m: '6', b: true };
    const { seen } = await asking({ type: 'workflow', parameters, question: { query: '👍👍👍', inputs } });
    expect(seen).toHaveLength(1);
  });
});

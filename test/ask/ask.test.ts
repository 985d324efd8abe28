// A question, from what is known of the app to its answer.
import { describe, expect, test } from 'vitest';
import { answerText, type Answer } from '../../lib/answer/answer.ts';
import type { AnswerEvent } from '../../lib/answer/event.ts';
import { ask, type AskOptions } from '../../lib/ask/ask.ts';
import type { AppType } from '../../lib/config/robot.ts';
import { readParameters } from '../../lib/dify/app-facts.ts';
import type { Question } from '../../lib/dify/ask.ts';
import { readRefusal } from '../../lib/dify/failures.ts';
import type { QuestionFile } from '../../lib/dify/file-inputs.ts';
import type { OpenedStream } from '../../lib/dify/http.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const answered: AnswerEvent[] = [
  { kind: 'text', source: 'message', text: '好', ids: { conversationId: 'c-new' } },
  { kind: 'message-ended', citations: [], files: [], totalTokens: null, price: null, ids: { messageId: 'm' } },
];

async function* stream(events: readonly AnswerEvent[]) {
  yield* events;
}

const refused = (status: number, code: string, message = ''): OpenedStream => ({
  ok: false,
  status,
  refusal: readRefusal(status, { code, message }),
});
const gone = refused(404, 'not_found', 'Conversation Not Exists.');
const notChat = refused(400, 'not_chat_app');

interface Scene {
  /** What Dify does with each post; after them it answers. */
  posts?: readonly (OpenedStream | readonly AnswerEvent[] | Error)[];
  type?: AppType;
  isTypeKnown?: boolean;
  parameters?: object;
  /** The types that are tried after a wrong one. */
  types?: readonly AppType[];
  question?: Partial<AskOptions['question']>;
}

async function asking({ posts = [], type = 'chat', isTypeKnown = true, parameters, types = [], question }: Scene = {}) {
  const seen: { type: AppType; question: Question }[] = [];
  const told: AppType[] = [];
  const progress: Answer[] = [];
  const next = types.values();
  const work = ask({
    dify: {
      facts: async () => ({ type, isTypeKnown, ...readParameters(parameters) }),
      async ask(askedType, asked) {
        const post = posts[seen.length] ?? answered;
        seen.push({ type: askedType, question: asked });
        if (post instanceof Error) throw post;
        return 'ok' in post ? post : { ok: true, events: stream(post) };
      },
      correctType: () => next.next().value ?? null,
    },
    question: { query: '年假？', inputs: {}, queryInput: 'query', user: 'u', conversationId: null, ...question },
    clock: createVirtualClock(),
    signal: new AbortController().signal,
    onType: (asked) => told.push(asked),
    onProgress: (answer) => progress.push(answer),
  });
  const outcome = await work.then(
    (answer) => ({ answer, error: null }),
    (error: unknown) => ({ answer: null, error }),
  );
  return { ...outcome, seen, told, progress };
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
    ['an input', [textInput('city', { label: 'City' })], { inputs: 'City' }],
    ['a file', [{ file: { variable: 'r', label: 'Report', required: true } }], { files: 'Report' }],
    [
      'both',
      [textInput('city'), { file: { variable: 'r', label: 'Report', required: true } }],
      { inputs: 'city, Report' },
    ],
  ])('is not posted while %s is missing, unless the type of the app is unknown', async (_what, inputs, facts) => {
    const parameters = form(...inputs);
    const { error, seen } = await asking({ parameters });
    expect(error).toMatchObject({ code: 'dify_input_missing', facts });
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
    expect(missing.error).toMatchObject({ code: 'dify_input_missing', facts: { inputs: 'city, day' } });
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

describe('an error without a code, alone in its stream,', () => {
  const nameless: AnswerEvent = { kind: 'failed', upstreamCode: null, status: 400, ids: {} };
  const old = { conversationId: 'c-old' };
  const text: AnswerEvent = { kind: 'text', source: 'message', text: 'a', ids: {} };

  test('means that the conversation is gone', async () => {
    const { answer, seen } = await asking({ posts: [[nameless]], question: old });
    expect(seen.map(({ question }) => question.conversationId)).toEqual(['c-old', null]);
    expect(answer?.ending).toEqual({ kind: 'complete' });
  });

  test('is the ending of a question without a conversation', async () => {
    const { answer, seen } = await asking({ posts: [[nameless]] });
    expect(answer?.ending).toMatchObject({ kind: 'failed' });
    expect(seen).toHaveLength(1);
  });

  test.each<[string, readonly AnswerEvent[]]>([
    ['it has a code', [{ ...nameless, upstreamCode: 'invalid_param' }]],
    ['it names a run', [{ ...nameless, ids: { taskId: 't' } }]],
    ['text came before it', [text, nameless]],
    ['the run failed', [{ kind: 'run-finished', status: 'failed', outputs: {}, files: [], ids: {} }]],
    ['it was no error', answered],
  ])('means nothing of that when %s', async (_why, events) => {
    const { seen } = await asking({ posts: [events], question: old });
    expect(seen).toHaveLength(1);
  });
});

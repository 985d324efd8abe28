// A Dify whose answers a test writes, and which notes what it was asked.
import type { AnswerEvent, RunIds } from '../../lib/answer/event.ts';
import { readParameters, type AppFacts } from '../../lib/dify/app-facts.ts';
import type { Question } from '../../lib/dify/ask.ts';
import type { Dify } from '../../lib/dify/dify.ts';
import { readVersion } from '../../lib/dify/version.ts';
import type { OpenedStream } from '../../lib/dify/http.ts';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';

/** What comes of a run: its events, milliseconds in which nothing comes, and a failure that breaks it off. */
export type Step = AnswerEvent | number | Error;

export const IDS: RunIds = { conversationId: 'dify-1', messageId: 'dify-message-1', taskId: 'task-1' };
export const RUN_IDS: RunIds = { ...IDS, runId: 'run-1' };

export const words = (text: string, ids = IDS): AnswerEvent => ({ kind: 'text', source: 'message', text, ids });

export const ended: AnswerEvent = {
  kind: 'message-ended',
  citations: [],
  files: [],
  totalTokens: 7,
  price: null,
  ids: IDS,
};

async function* play(steps: readonly Step[], clock: Clock, signal: AbortSignal): AsyncGenerator<AnswerEvent, void> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    if (typeof step === 'number') await sleep(clock, step, signal);
    else yield step;
  }
}

/** What was asked of it, by operation, as it came. */
export type Calls = { [Name in string]: unknown[] };

export interface FakeDify extends Dify {
  calls: Calls;
  /** What the next questions get; without one, `yes`. A refusal is thrown. */
  answers: (readonly Step[] | OpenedStream | Error)[];
  /** The events that follow a form; null where Dify does not tell them. */
  afterForm: readonly Step[] | null;
  appFacts: AppFacts;
  /** Failures by operation: each is thrown as often as it stands there. */
  failures: Record<string, Error[]>;
  /** Whether a conversation that is looked for exists. */
  hasConversation: boolean;
  suggested: string[];
  pendingForm: Awaited<ReturnType<Dify['getForm']>>;
}

export function createFakeDify(clock: Clock): FakeDify {
  const calls: Calls = {};
  const note = (name: string, call: unknown) => {
    (calls[name] ??= []).push(call);
    const failure = dify.failures[name]?.shift();
    if (failure) throw failure;
  };
  const dify: FakeDify = {
    calls,
    answers: [],
    afterForm: [],
    appFacts: { type: 'chat', isTypeKnown: true, ...readVersion(null, undefined), ...readParameters({}) },
    failures: {},
    hasConversation: true,
    suggested: [],
    pendingForm: {
      token: 'token-1',
      runId: 'run-1',
      nodeTitle: '',
      content: '',
      fields: [],
      actions: [{ id: 'yes', title: 'Yes' }],
      expiresAtMs: null,
    },
    knownName: () => '',
    async facts() {
      note('facts', null);
      return dify.appFacts;
    },
    correctType: () => null,
    async ask(type, question: Question, signal) {
      note('ask', { type, ...question });
      const answer = dify.answers.shift() ?? [words('yes'), ended];
      if (answer instanceof Error) throw answer;
      return 'ok' in answer ? answer : { ok: true, events: play(answer, clock, signal) };
    },
    files: {
      async upload({ user }) {
        note('upload', { user });
        return { id: 'upload-1' };
      },
      transcribe: async () => 'spoken words',
    },
    records: {
      runEvents: async () => null,
      run: async () => 'unknown',
      runsOf: async () => [],
      messages: async () => [],
      message: async () => null,
      async hasConversation(conversationId, user) {
        note('hasConversation', { conversationId, user });
        return dify.hasConversation;
      },
      conversations: async () => [],
    },
    async getForm(token) {
      note('getForm', token);
      return dify.pendingForm;
    },
    async submitForm(filled) {
      note('submitForm', filled);
    },
    async followRun(runId, user, signal) {
      note('followRun', { runId, user });
      return dify.afterForm && play(dify.afterForm, clock, signal);
    },
    async stop(task) {
      note('stop', task);
    },
    async rate(rated) {
      note('rate', rated);
    },
    async suggestions(messageId, user) {
      note('suggestions', { messageId, user });
      return dify.suggested;
    },
  };
  return dify;
}

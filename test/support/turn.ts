// A turn and all it runs between, in one process: a clock that a test moves, the in-process store, and a Dify and a chat
// whose answers a test writes.
import type { AnswerEvent, RunIds } from '../../lib/answer/event.ts';
import { readConfig } from '../../lib/config/config.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import type { Frame } from '../../lib/delivery/sink.ts';
import { readParameters, type AppFacts } from '../../lib/dify/app-facts.ts';
import type { Question } from '../../lib/dify/ask.ts';
import type { Dify } from '../../lib/dify/dify.ts';
import type { OpenedStream } from '../../lib/dify/http.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Chat } from '../../lib/dingtalk/chat.ts';
import { cardRefusals } from '../../lib/dingtalk/failures.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import type { LostRun } from '../../lib/recovery/search.ts';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import type { Platform } from '../../lib/runtime/platform.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { askerOf } from '../../lib/turn/conversation.ts';
import type { HandedOver } from '../../lib/turn/handover.ts';
import { turnIdOf } from '../../lib/turn/record.ts';
import type { RunnerOptions } from '../../lib/turn/runner.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createLogLines } from './delivery.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export const texts = textsFor('en');

export function robotOf(env: Record<string, string> = {}): RobotConfig {
  const result = readConfig({
    DINGTALK_CLIENT_ID: 'ding1',
    DINGTALK_CLIENT_SECRET: 'secret',
    DINGTALK_CARD_TEMPLATE_ID: 'template',
    DIFY_API_KEY: 'key',
    REPLY_LANGUAGE: 'en',
    ...env,
  });
  const robot = result.ok ? result.config.robots[0] : undefined;
  if (!robot) throw new Error('the configuration is not complete');
  return robot;
}

let messages = 0;

export function messageOf(text: string, changes: Partial<Message> = {}): Message {
  messages += 1;
  return {
    kind: 'message',
    id: `message-${messages}`,
    chat: { id: 'chat-1', isGroup: false, title: null },
    sender: { staffId: 'staff-1', unionId: null, id: 'sender-1', nick: '', isAdmin: false },
    session: null,
    corpId: null,
    content: { kind: 'text', text },
    quoted: null,
    ...changes,
  };
}

export const senderOf = (staffId: string): Message['sender'] => ({
  staffId,
  unionId: null,
  id: `sender-of-${staffId}`,
  nick: '',
  isAdmin: false,
});

export const GROUP: Message['chat'] = { id: 'group-1', isGroup: true, title: 'a group' };

/** A turn that has just been accepted. */
export function turnOf(clock: Clock, changes: Partial<Turn> = {}): Turn {
  const question = changes.question ?? 'question';
  return {
    id: 'turn-1-of-a-test',
    reference: 'turn-1-o',
    message: messageOf(question),
    question,
    acceptedAtMs: clock.now(),
    form: null,
    conversationKey: 'conversation-1',
    user: 'staff-1',
    record: { fence: 1, owner: 'owner-1', hop: 0, context: { generation: '', difyConversationId: null, form: null } },
    level: 'full',
    progress: null,
    hasWaited: false,
    acceptMs: 3,
    mayHaveBeenAsked: false,
    ...changes,
  };
}

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
  suggested: string[];
  pendingForm: Awaited<ReturnType<Dify['getForm']>>;
}

function createFakeDify(clock: Clock): FakeDify {
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
    appFacts: { type: 'chat', isTypeKnown: true, ...readParameters({}) },
    failures: {},
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
      messages: async () => [],
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

export interface FakeCard {
  id: string;
  summary: string;
  frames: Frame[];
  isOpen: boolean;
}

export interface FakeChat extends Chat {
  cards: FakeCard[];
  /** The texts that were sent, in their order. */
  sent: string[];
  /** Variables that were changed, with the card, and the person who sees it where it is one. */
  amended: { cardId: string; variables: Readonly<Record<string, string>>; person?: unknown }[];
  notices: { staffIds: readonly string[]; text: string }[];
  /** Failures of `open`, `write`, `send`, `amend` and `notify`: each is thrown as often as it stands there. */
  failures: Record<string, Error[]>;
  hasTemplate: boolean;
  isPending: boolean;
}

export function createFakeChat(): FakeChat {
  const failing = (name: string) => {
    const failure = chat.failures[name]?.shift();
    if (failure) throw failure;
  };
  const cardOf = (id: string, summary: string): FakeCard => {
    const known = chat.cards.find((card) => card.id === id);
    if (known) return known;
    const card: FakeCard = { id, summary, frames: [], isOpen: false };
    chat.cards.push(card);
    return card;
  };
  const sinkOf = (id: string, summary: string, onCall: () => void) => ({
    async open() {
      onCall();
      failing('open');
      cardOf(id, summary).isOpen = true;
    },
    async write(frame: Frame) {
      onCall();
      failing('write');
      cardOf(id, summary).frames.push(frame);
    },
    ...cardRefusals,
  });
  const counted = (onCall: () => void): Chat => ({
    replyTo: () => ({
      async send({ text }) {
        failing('send');
        chat.sent.push(text);
      },
    }),
    newCard: ({ id, summary }) => (chat.hasTemplate ? sinkOf(id, summary, onCall) : null),
    openedCard: (id) => (chat.hasTemplate ? { ...sinkOf(id, '', onCall), open: async () => undefined } : null),
    async amend(cardId, variables) {
      onCall();
      failing('amend');
      chat.amended.push({ cardId, variables });
    },
    async amendFor(person, cardId, variables) {
      onCall();
      failing('amend');
      chat.amended.push({ cardId, variables, person });
    },
    async notify(staffIds, { text }) {
      onCall();
      failing('notify');
      chat.notices.push({ staffIds, text });
    },
    addressOf: async (code) => `http://files.example/${code}`,
    upload: async () => 'media-1',
    fileMessagesTo: () => ({ image: async () => undefined, file: async () => undefined }),
    mayRegister: () => chat.isPending,
    counting: counted,
  });
  const chat: FakeChat = {
    ...counted(() => undefined),
    cards: [],
    sent: [],
    amended: [],
    notices: [],
    failures: {},
    hasTemplate: true,
    isPending: false,
  };
  return chat;
}

export interface World {
  clock: VirtualClock;
  state: State;
  dify: FakeDify;
  chat: FakeChat;
  /** What the next searches for a lost run find; without one, nothing. */
  found: (Recovered | ((signal: AbortSignal) => Promise<Recovered>))[];
  /** The lost runs that were looked for. */
  lookedFor: LostRun[];
  handedOver: HandedOver[];
  /** Whether the fresh invocation takes what it is handed. */
  takes: boolean;
  shutdown: AbortController;
  lines: Record<string, unknown>[];
  events: () => unknown[];
  options: RunnerOptions;
  platform: Platform & { background: Promise<void>[] };
  /** Puts a turn on record, as the instance that begins it does. */
  accept(changes?: Partial<Turn>): Promise<Turn>;
  /** Moves the clock until the work is done. */
  done: <T>(work: Promise<T>) => Promise<T>;
}

export function createWorld({ env = {}, state }: { env?: Record<string, string>; state?: Partial<State> } = {}): World {
  const clock = createVirtualClock();
  const dify = createFakeDify(clock);
  const chat = createFakeChat();
  const shutdown = new AbortController();
  const { log, lines, events } = createLogLines(clock);
  const store: State = { ...createMemoryState(clock), isDurable: true, ...state };
  const config = robotOf(env);
  const background: Promise<void>[] = [];
  let ids = 0;
  const world: World = {
    clock,
    state: store,
    dify,
    chat,
    found: [],
    lookedFor: [],
    handedOver: [],
    takes: true,
    shutdown,
    lines,
    events,
    platform: { deadlineMs: null, waitUntil: (work) => void background.push(work), background },
    options: {
      config,
      texts,
      chat,
      dify,
      state: store,
      recovery: {
        async recover(run, signal) {
          world.lookedFor.push(run);
          const found = world.found.shift() ?? { kind: 'lost' };
          return typeof found === 'function' ? found(signal) : found;
        },
      },
      download: async () => Promise.reject(new Error('nothing is to be fetched here')),
      limiter: createLimiter({ clock, callsPerSecond: 1_000 }),
      handover: {
        async resume(turn) {
          world.handedOver.push(turn);
          return world.takes;
        },
      },
      leaseTiming: { leaseMs: 40_000, renewMs: 27_000 },
      clock,
      newId: () => `id-${(ids += 1)}`,
      log,
      shutdown: shutdown.signal,
    },
    async accept(changes = {}) {
      const message = changes.message ?? messageOf(changes.question ?? 'question');
      const turn = turnOf(clock, { id: turnIdOf(message.id), message, ...changes });
      const { question, acceptedAtMs, form, record, conversationKey } = turn;
      const accepted = await store.accept({
        turnId: turn.id,
        owner: record.owner,
        asker: askerOf(message),
        conversationKey,
        conversationTtlMs: null,
        payload: JSON.stringify({ message, question, acceptedAtMs, form }),
        nowMs: clock.now(),
        leaseUntilMs: clock.now() + 40_000,
        queueLimit: 5,
        budget: null,
        rate: null,
      });
      return accepted.kind === 'started' ? { ...turn, record: { ...record, ...accepted.turn } } : turn;
    },
    async done(work) {
      let steps = 10_000;
      const stop = () => (steps = 0);
      work.then(stop, stop);
      await clock.advance(0);
      for (; steps > 0; steps -= 1) await clock.advance(500);
      return work;
    },
  };
  return world;
}

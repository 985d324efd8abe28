// A turn and all it runs between, in one process: a clock that a test moves, the in-process store, and a Dify and a chat
// whose answers a test writes.
import { readConfig } from '../../lib/config/config.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import { createLimiter } from '../../lib/delivery/limiter.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import type { LostRun } from '../../lib/recovery/search.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Platform } from '../../lib/runtime/platform.ts';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import type { State } from '../../lib/state/state.ts';
import type { Renewed } from '../../lib/state/told.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { askerOf } from '../../lib/turn/conversation.ts';
import type { HandedOver } from '../../lib/turn/handover.ts';
import { openLease, type Lease, type LeaseOptions } from '../../lib/turn/lease.ts';
import { turnIdOf } from '../../lib/turn/record.ts';
import { createWatch } from '../../lib/turn/watch.ts';
import type { RunnerOptions } from '../../lib/turn/runner.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createLogLines } from './delivery.ts';
import { createFakeChat, type FakeChat } from './fake-chat.ts';
import { createFakeDify, type FakeDify } from './fake-dify.ts';
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

/** How a message came; tests of what is done with it do not care. */
export const ARRIVAL = { door: 'http', atMs: 0, offsetMs: 0 } as const;

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

/** The reply to a renewal where nothing happened meanwhile. */
export const HELD = {
  kind: 'held',
  running: 1,
  isStopped: false,
  overdue: [],
  behind: 'nothing',
} as const satisfies Renewed;

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
    isStopped: false,
    ...changes,
  };
}

/** The lease of a turn, for which only its end and its renewals matter. */
export const leaseOf = (options: RunnerOptions, turn: Turn, changes: Partial<LeaseOptions> = {}): Lease =>
  openLease({
    ...options,
    timing: options.leaseTiming,
    turn,
    conversationTtlMs: null,
    deadlineMs: null,
    onRunning: () => undefined,
    onOverdue: () => undefined,
    watch: createWatch(options.clock),
    ...changes,
  });

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
  /** The status that a handover is answered with. */
  resumed: number;
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
    resumed: 200,
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
          return world.resumed;
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
        heldFiles: 'take',
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

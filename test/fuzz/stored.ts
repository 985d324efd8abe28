// What the store gives back: values that another version wrote, and replies of another shape.
import * as fc from 'fast-check';
import { BridgeError } from '../../lib/errors.ts';
import { createRedisState } from '../../lib/state/redis/redis.ts';
import type { State } from '../../lib/state/state.ts';
import { askOnce, words } from './callbacks.ts';
import { Finding, judgeHealth } from './judge.ts';
import { edited, jsonEdits, oddValue, toBytes, type JsonEdit } from './mutate.ts';
import { target } from './target.ts';
import { createFuzzWorld } from './world.ts';

/** The fields of the store's answers that hold what other instances wrote, as JSON texts. */
const KEPT = ['payload', 'progress', 'receipt', 'form', 'forms', 'others', 'files'] as const;

interface Spoilt {
  field: (typeof KEPT)[number];
  edits: JsonEdit[];
  /** Instead of the value. */
  instead: string | null;
}

const spoilt: fc.Arbitrary<Spoilt> = fc.record({
  field: fc.constantFrom(...KEPT),
  edits: jsonEdits,
  instead: fc.option(
    oddValue.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    { freq: 4 },
  ),
});

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function spoil(text: string, { edits, instead }: Spoilt): string {
  if (instead !== null) return instead;
  try {
    return JSON.stringify(edited(JSON.parse(text), edits)) ?? '';
  } catch {
    return text;
  }
}

/** An answer of the store with its kept texts changed, wherever they stand in it. */
function spoiled(value: unknown, changes: readonly Spoilt[]): unknown {
  if (Array.isArray(value)) return value.map((item) => spoiled(item, changes));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const change = changes.find(({ field }) => field === name);
      if (!change) return [name, spoiled(inner, changes)];
      if (Array.isArray(inner))
        return [name, inner.map((item) => (typeof item === 'string' ? spoil(item, change) : item))];
      return [name, typeof inner === 'string' ? spoil(inner, change) : inner];
    }),
  );
}

/** The store, whose answers are changed from the moment on that `isOn` says so. */
function spoilingState(state: State, changes: readonly Spoilt[], isOn: () => boolean): State {
  const entries = Object.entries(state).map(([name, operation]: [string, unknown]) => {
    if (typeof operation !== 'function') return [name, operation] as const;
    const spoiling = async (...given: unknown[]) => {
      const result: unknown = await Reflect.apply(operation, state, given);
      return isOn() ? spoiled(result, changes) : result;
    };
    return [name, spoiling] as const;
  });
  return Object.fromEntries(entries) as unknown as State;
}

const ACTIONS = ['stop', 'retry', 'like', 'new', 'ask', 'form'] as const;

const PAUSED =
  'data: {"event":"message","conversation_id":"c1","message_id":"m1","task_id":"t1","workflow_run_id":"r1","answer":"well"}\n\n' +
  'data: {"event":"human_input_required","conversation_id":"c1","message_id":"m1","task_id":"t1","workflow_run_id":"r1","data":{"form_id":"f1","node_id":"n1","node_title":"N","form_content":"ok?","inputs":[],"actions":[{"id":"yes","title":"Yes"}],"form_token":"tok1","expiration_time":4000000000}}\n\n' +
  'data: {"event":"workflow_paused","task_id":"t1","workflow_run_id":"r1","data":{"status":"paused","paused_nodes":["n1"],"reasons":[]}}\n\n';

export const stored = target(
  'stored',
  fc.record({
    changes: fc.array(spoilt, { minLength: 1, maxLength: 3 }),
    actions: fc.array(fc.constantFrom(...ACTIONS), { maxLength: 3 }),
    hasForm: fc.boolean(),
    isInterrupted: fc.boolean(),
  }),
  async ({ changes, actions, hasForm, isInterrupted }) => {
    let isOn = false;
    const world = createFuzzWorld({
      mode: 'advanced-chat',
      wrapState: (state) => spoilingState(state, changes, () => isOn),
    });
    const { streams } = world;
    const bytes = hasForm ? PAUSED : 'data: {"event":"message","conversation_id":"c1","answer":"well"}\n\n';
    streams.push({ status: 200, type: 'text/event-stream', chunks: [{ afterMs: 1, bytes }], end: 'close' });
    const card = await askOnce(world);
    if (isInterrupted) world.kill();
    else await world.settle();
    isOn = true;
    const statuses: number[] = [];
    for (const action of actions) {
      const content = { cardPrivateData: { actionIds: [action], params: { action, question: 'q', action_id: 'yes' } } };
      const body = JSON.stringify({ outTrackId: card, userId: 'staff-0001', content });
      statuses.push((await world.press(toBytes(body))).status);
    }
    statuses.push((await world.message(words('yes', 'msg-next'))).status);
    // What the dead function held lapses meanwhile.
    await world.clock.advance(120_000);
    await world.sweep();
    await world.settle();
    judgeHealth(world, statuses);
  },
);

const reply: fc.Arbitrary<unknown> = fc.oneof(
  oddValue,
  fc.array(
    fc.oneof(oddValue, fc.constantFrom('started', 'queued', 'held', 'taken', 'finished', 'done', '1', 0, 1, [])),
    {
      maxLength: 16,
    },
  ),
);

const remembered = { conversationKey: 'k', generation: '', difyConversationId: null, ttlMs: null };

const OPERATIONS: Readonly<Record<string, (state: State) => Promise<unknown>>> = {
  claim: (state) => state.claim({ turnId: 't', owner: 'o', nowMs: 1 }),
  accept: (state) =>
    state.accept({
      turnId: 't',
      owner: 'o',
      asker: 'a',
      conversationKey: 'k',
      conversationTtlMs: null,
      payload: '{}',
      heldFiles: 'take',
      nowMs: 1,
      leaseUntilMs: 2,
      queueLimit: 5,
      budget: null,
      rate: null,
    }),
  renew: (state) => state.renew({ turnId: 't', fence: 1, nowMs: 1, leaseUntilMs: 2, progress: '{}', remembered }),
  finish: (state) =>
    state.finish({
      turnId: 't',
      fence: 1,
      owner: 'o',
      nowMs: 1,
      failure: null,
      remembered,
      spent: 0,
      receipt: '{}',
      form: { kind: 'keep' },
      nextLeaseUntilMs: 2,
    }),
  takeOver: (state) => state.takeOver({ turnId: 't', owner: 'o', nowMs: 1, leaseUntilMs: 2, handedOver: null }),
  overdue: (state) => state.overdue({ nowMs: 1, limit: 5 }),
  peek: (state) => state.peek('t'),
  dueForms: (state) => state.dueForms({ nowMs: 1, limit: 5 }),
  stop: (state) =>
    state.stop({ conversationKey: 'k', owner: 'o', asker: null, turnId: null, nowMs: 1, leaseUntilMs: 2 }),
  lookUp: (state) => state.lookUp('t'),
  noteForm: (state) => state.noteForm({ turnId: 't', note: 'n', instead: null }),
  receiptOf: (state) => state.receiptOf('c'),
  rate: (state) => state.rate({ turnId: 't', person: 'p', owner: 'o', rating: 'like' }),
  status: (state) => state.status({ nowMs: 1 }),
  hold: (state) =>
    state.hold({
      turnId: 't',
      owner: 'o',
      conversationKey: 'k',
      conversationTtlMs: null,
      files: [],
      nowMs: 1,
      limit: 3,
      holdMs: 5,
    }),
  flag: (state) => state.flags.isSet('x'),
  token: async (state) => state.tokens?.read(),
};

export const storeReplies = target(
  'store-replies',
  fc.record({ operation: fc.constantFrom(...Object.keys(OPERATIONS)), reply }),
  async ({ operation, reply: given }) => {
    const state = createRedisState(async () => given, { clientId: 'client', app: 'app', time: null });
    try {
      await OPERATIONS[operation]?.(state);
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'store_unavailable') return;
      throw new Finding(`${operation} threw ${String(error)}`);
    }
  },
);

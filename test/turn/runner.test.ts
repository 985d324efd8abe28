import { describe, expect, test } from 'vitest';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import type { FinishRequest, State } from '../../lib/state/state.ts';
import { createChannels } from '../../lib/turn/channels.ts';
import { noProgress } from '../../lib/turn/record.ts';
import { createRunner } from '../../lib/turn/runner.ts';
import type { Turn, TurnProgress } from '../../lib/turn/turn.ts';
import { WATCH_MS } from '../../lib/turn/watch.ts';
import { ended, IDS, RUN_IDS, words } from '../support/fake-dify.ts';
import { createWorld, texts, type World } from '../support/turn.ts';

const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');
const runnerOf = ({ options }: World) => createRunner(options, createChannels(options));
const run = async (world: World, turn: Turn) => world.done(runnerOf(world).run(turn, world.platform));
const remembered = { conversationKey: 'conversation-1', generation: '', difyConversationId: null, ttlMs: null };
/** The text so far, and that it was stopped. */
const STOPPED = /^so far\n\n\(stopped\)/u;

const stopOrder = { owner: 'presser', asker: null, turnId: null, nowMs: 0, leaseUntilMs: 0 };
/** What its cards show at their end. */
const shown = ({ chat }: World) => chat.cards.map(({ frames }) => [frames.at(-1)?.state, frames.at(-1)?.text]);
/** The run goes on until this instance gives it up. */
const stillRunning = (signal: AbortSignal) =>
  new Promise<Recovered>((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'still-running' })));
const asked = ({ dify }: World) => dify.calls['ask']?.map((question) => (question as { query: string }).query);

/** A world in which what some turns have on record cannot be read, as after a version with another shape. */
function withUnreadable(question: string, changes: Partial<State> = {}) {
  const finishes: FinishRequest[] = [];
  const world = createWorld();
  const { state } = world;
  const unreadable = <T extends { payload: string }>(turn: T): T =>
    turn.payload.includes(question) ? { ...turn, payload: '{}' } : turn;
  Object.assign(world.options, {
    state: {
      ...state,
      async takeOver(request) {
        const started = await state.takeOver(request);
        return typeof started === 'object' && started ? unreadable(started) : started;
      },
      async finish(request) {
        finishes.push(request);
        const reply = await state.finish(request);
        return reply.kind === 'finished' && reply.next ? { ...reply, next: unreadable(reply.next) } : reply;
      },
      ...changes,
    } satisfies State,
  });
  return { world, finishes };
}

describe('running a turn', () => {
  test('answers it and those that wait behind it, one after another', async () => {
    const world = createWorld();
    const first = await world.accept({ question: 'first' });
    await world.accept({ question: 'second' });
    await world.accept({ question: 'third' });
    await run(world, first);
    expect(asked(world)).toEqual(['first', 'second', 'third']);
    expect(shown(world)).toEqual([
      ['finished', 'yes'],
      ['finished', '> second\n\nyes'],
      ['finished', '> third\n\nyes'],
    ]);
    expect(await world.state.status({ nowMs: world.clock.now() })).toMatchObject({ running: 0, waiting: 0 });
  });

  test('waits for what comes below an answer, which the next turn does not wait for', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    const asks: (string | undefined)[] = [];
    world.dify.suggestions = async () => {
      await new Promise<void>((resolve) => world.clock.schedule(5_000, resolve));
      asks.push(asked(world)?.join(', '));
      return [];
    };
    const first = await world.accept({ question: 'first' });
    await world.accept({ question: 'second' });
    await run(world, first);
    expect(asks).toEqual(['first, second', 'first, second']);
  });

  test('makes the chain of invocations no shorter for those that wait behind it', async () => {
    const world = createWorld();
    const first = await world.accept({ question: 'first' });
    await world.accept({ question: 'second' });
    await run(world, { ...first, record: { ...first.record, hop: 4 } });
    const finished = world.lines.filter(({ event }) => event === 'turn_finished');
    expect(finished.map(({ hop }) => hop)).toEqual([4, 4]);
  });

  test('waits for the card of the next one, which the instance that accepted it may be opening', async () => {
    const world = createWorld();
    const first = await world.accept({ question: 'first' });
    const second = await world.accept({ question: 'second' });
    const progress = JSON.stringify({ ...noProgress, hasCard: true });
    world.dify.answers.push([words('a'), 1_000, ended]);
    world.clock.schedule(1_500, () => void world.state.noteWaiting({ turnId: second.id, progress }));
    await run(world, first);
    expect(world.chat.cards).toMatchObject([
      { id: first.id, isOpen: true },
      { id: second.id, isOpen: false },
    ]);
    expect(shown(world)[1]).toEqual(['finished', '> second\n\nyes']);
  });

  test('tells the limiter how many answers are written here and everywhere', async () => {
    const world = createWorld();
    const told: [number, number][] = [];
    world.options.limiter = { ...world.options.limiter, noteRunning: (local, total) => told.push([local, total]) };
    const turn = await world.accept();
    world.dify.answers.push([words('a'), 30_000, ended]);
    const runner = runnerOf(world);
    await world.done(runner.run(turn, world.platform));
    // While it runs it is one of one; with its end it is none here and none there.
    expect(told.at(0)).toEqual([1, 1]);
    expect(told.at(-1)).toEqual([0, 0]);
    runner.noteRunning(7, true);
    runner.noteRunning(7, false);
    expect(told.slice(-2)).toEqual([
      [1, 7],
      [0, 7],
    ]);
  });
});

test.each(['counting', 'newCard'] as const)(
  'a fault of the bridge leaves the turn on record, without a lease that keeps others away (%s)',
  async (part) => {
    const world = createWorld();
    const turn = await world.accept();
    world.options.chat = {
      ...world.chat,
      counting: () => ({ ...world.chat, newCard: fail }),
      [part]: fail,
    };
    await run(world, turn);
    expect(world.lines).toMatchObject([{ event: 'turn_crashed', turn: turn.reference, error: 'RangeError' }]);
    await world.clock.advance(100_000);
    expect(await world.state.overdue({ nowMs: world.clock.now(), limit: 5 })).toEqual([turn.id]);
    function fail(): never {
      throw new RangeError('on purpose');
    }
  },
);

describe('the next turn, when too little time is left,', () => {
  const late = async (world: World, hop = 0) => {
    const first = await world.accept({ question: 'first' });
    const second = await world.accept({ question: 'second' });
    world.dify.answers.push([words('a'), 40_000, ended]);
    const { clock, platform } = world;
    const limited = { ...platform, deadlineMs: clock.now() + 65_000 };
    await world.done(runnerOf(world).run({ ...first, record: { ...first.record, hop } }, limited));
    return second;
  };

  test('goes to a fresh invocation', async () => {
    const world = createWorld();
    const second = await late(world, 2);
    expect(world.handedOver).toEqual([{ turnId: second.id, fence: 1, hop: 3 }]);
    expect(asked(world)).toEqual(['first']);
    expect(world.events()).not.toContain('turn_left_on_record');
  });

  test.each([
    ['the fresh invocation does not take it', 401, 0, 1],
    ['the chain of invocations is as long as it may be', 200, 4, 0],
  ])('stays on record when %s', async (_, status, hop, handedOver) => {
    const world = createWorld();
    world.resumed = status;
    await late(world, hop);
    expect(world.handedOver).toHaveLength(handedOver);
    const left = { event: 'turn_left_on_record', hop, ...(handedOver > 0 && { status }) };
    expect(world.lines).toContainEqual(expect.objectContaining(left));
  });
});

test('a question is posted three times at most: at first, for a busy model, and for a lost answer', async () => {
  const world = createWorld();
  const reason = { code: 'dify_model_busy', facts: {} } as const;
  const busy = { kind: 'failed', upstreamCode: null, status: 400, reason, ids: IDS } as const;
  world.dify.answers.push([busy], [words('so far'), error('dify_cut')], [busy], [busy]);
  await run(world, await world.accept());
  expect(asked(world)).toHaveLength(3);
  expect(shown(world)).toMatchObject([['failed', expect.stringContaining('so far')]]);
});

describe('taking a turn over', () => {
  /** A turn whose instance died with the card open. */
  const left = async (world: World, changes: Partial<Turn> = {}, known: Partial<TurnProgress> = {}) => {
    const turn = await world.accept(changes);
    const progress = JSON.stringify({ ...noProgress, hasCard: true, text: 'so far', ...known });
    const { clock, state } = world;
    const nowMs = clock.now();
    await state.renew({ turnId: turn.id, fence: 1, nowMs, leaseUntilMs: nowMs + 40_000, progress, remembered });
    return turn;
  };

  test('is not to be had while its holder has the lease, nor of a turn that is over', async () => {
    const world = createWorld();
    const turn = await left(world);
    expect(await runnerOf(world).takeOver(turn.id, null, world.platform)).toBeNull();
    expect(await runnerOf(world).takeOver('unknown', null, world.platform)).toBeNull();
  });

  test('looks for its answer and ends its card', async () => {
    const world = createWorld();
    const turn = await left(world);
    await world.clock.advance(40_000);
    const work = await runnerOf(world).takeOver(turn.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(world.lookedFor).toMatchObject([{ question: 'question', user: 'staff-1' }]);
    // Of a chat nothing is found, so it is asked once more.
    expect(asked(world)).toEqual(['question']);
    expect(shown(world)).toEqual([['finished', 'yes']]);
    expect(world.lines).toContainEqual(expect.objectContaining({ event: 'turn_taken_over', hop: 0, asked: true }));
  });

  test('of an answer that was stopped ends it with the text so far, and tells Dify again', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, type: 'workflow' };
    const turn = await left(world, {}, { appType: 'workflow', ids: RUN_IDS });
    await world.state.stop({ ...stopOrder, conversationKey: turn.conversationKey });
    await world.clock.advance(40_000);
    world.found.push(stillRunning);
    const work = await runnerOf(world).takeOver(turn.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(shown(world)).toEqual([['finished', expect.stringMatching(STOPPED)]]);
    expect(world.dify.calls['stop']).toEqual([{ type: 'workflow', user: 'staff-1', taskId: RUN_IDS.taskId }]);
    expect(asked(world)).toBeUndefined();
  });

  test('is done by an instance that writes another answer, 10 s after its lease at most', async () => {
    const world = createWorld();
    const turn = await left(world);
    const busy = await world.accept({ question: 'busy', conversationKey: 'conversation-2' });
    world.dify.answers.push([words('a'), 60_000, ended]);
    const running = runnerOf(world).run(busy, world.platform);
    await world.clock.advance(39_000);
    expect(world.lookedFor).toEqual([]);
    await world.clock.advance(WATCH_MS);
    expect(world.lookedFor).toHaveLength(1);
    await world.done(Promise.all([running, ...world.platform.background]));
    await Promise.all(world.platform.background);
    const { lines } = world;
    const took = lines.find(({ event }) => event === 'turn_taken_over');
    expect(took).toMatchObject({ turn: turn.id.slice(0, 8) });
  });

  test('is not done to an answer that is written here', async () => {
    const world = createWorld();
    const turn = await world.accept({});
    world.dify.answers.push([words('a'), 60_000, ended]);
    const runner = runnerOf(world);
    const running = runner.run(turn, { ...world.platform, deadlineMs: null });
    await world.clock.advance(100);
    // This process stood still, or the store was away.
    await world.state.renew({
      turnId: turn.id,
      fence: 1,
      nowMs: world.clock.now(),
      leaseUntilMs: world.clock.now(),
      progress: '{}',
      remembered,
    });
    expect(await runner.takeOver(turn.id, null, world.platform)).toBeNull();
    await world.done(running);
    expect(shown(world).at(-1)).toEqual(['finished', 'a']);
  });

  test('is possible at once for the invocation that it is handed to', async () => {
    const world = createWorld();
    const turn = await left(world);
    const runner = runnerOf(world);
    const handover = { hop: 1, sentAtMs: world.clock.now() };
    expect(await runner.takeOver(turn.id, { ...handover, fence: 2 }, world.platform)).toBeNull();
    expect(await runner.takeOver(turn.id, { ...handover, fence: 1 }, world.platform)).not.toBeNull();
    expect(world.lines).toContainEqual(expect.objectContaining({ event: 'turn_taken_over', hop: 1 }));
  });

  test('asks a question that only waited', async () => {
    const world = createWorld();
    const first = await left(world, { question: 'first' });
    const second = await world.accept({ question: 'second' });
    const nowMs = world.clock.now();
    const over = { failure: null, spent: 0, remembered, receipt: '', form: { kind: 'keep' } } as const;
    const started = { turnId: first.id, fence: 1, owner: 'gone', nowMs, nextLeaseUntilMs: nowMs };
    await world.state.finish({ ...over, ...started });
    const work = await runnerOf(world).takeOver(second.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(asked(world)).toEqual(['second']);
  });

  test('ends the card of a question that was given up', async () => {
    const world = createWorld();
    await world.accept({ question: 'first' });
    const second = await world.accept({ question: 'second' });
    const { clock, state } = world;
    const times = { nowMs: clock.now(), leaseUntilMs: clock.now() + 40_000 };
    await state.stop({ conversationKey: 'conversation-1', owner: 'o', asker: null, turnId: second.id, ...times });
    await clock.advance(40_000);
    const work = await runnerOf(world).takeOver(second.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(shown(world)).toEqual([['finished', texts.stopped]]);
  });
});

describe('a turn that cannot be read any more', () => {
  test('ends when it is taken over, and those behind it have their turn', async () => {
    const { world, finishes } = withUnreadable('lost words');
    const turn = await world.accept({ question: 'lost words' });
    const next = await world.accept({ question: 'next' });
    await world.clock.advance(40_000);
    const work = await runnerOf(world).takeOver(turn.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(finishes).toMatchObject([{ turnId: turn.id, failure: 'internal', form: { kind: 'keep' } }]);
    expect(world.lines).toContainEqual(expect.objectContaining({ event: 'turn_unreadable', code: 'internal' }));
    // It has no card, so none is made for it.
    expect(shown(world)).toEqual([]);
    expect(await world.state.overdue({ nowMs: world.clock.now(), limit: 5 })).toEqual([next.id]);
  });

  test('ends when it is the next in line; its card says that something went wrong', async () => {
    const { world, finishes } = withUnreadable('lost words');
    const first = await world.accept({ question: 'first' });
    const lost = await world.accept({ question: 'lost words' });
    await world.state.noteWaiting({ turnId: lost.id, progress: JSON.stringify({ ...noProgress, hasCard: true }) });
    await run(world, first);
    expect(shown(world)).toEqual([
      ['finished', 'yes'],
      ['finished', expect.stringContaining(texts.failures.internal)],
    ]);
    expect(finishes.map(({ turnId }) => turnId)).toEqual([first.id, lost.id]);
  });

  test('is left on record when the store is down, which is in the log', async () => {
    const { world } = withUnreadable('lost words', {
      finish: async () => Promise.reject(error('store_unavailable')),
    });
    const turn = await world.accept({ question: 'lost words' });
    await world.clock.advance(40_000);
    const work = await runnerOf(world).takeOver(turn.id, null, world.platform);
    await world.done(work?.() ?? Promise.resolve());
    expect(world.lines).toContainEqual(
      expect.objectContaining({ event: 'turn_not_ended', code: 'store_unavailable', turn: turn.id.slice(0, 8) }),
    );
  });
});

describe('stopping', () => {
  test('ends the answer that is written here, and the cards of those that wait', async () => {
    const world = createWorld();
    const first = await world.accept({ question: 'first' });
    const second = await world.accept({ question: 'second' });
    await world.state.noteWaiting({ turnId: second.id, progress: JSON.stringify({ ...noProgress, hasCard: true }) });
    world.dify.answers.push([words('so far'), 600_000]);
    const runner = runnerOf(world);
    const running = runner.run(first, world.platform);
    await world.clock.advance(1_000);
    expect(await world.done(runner.stop({ conversationKey: 'conversation-1', asker: 'staff-1' }))).toBe(true);
    await world.done(running);
    expect(shown(world)).toEqual([
      ['finished', expect.stringMatching(STOPPED)],
      ['finished', texts.stopped],
    ]);
    expect(asked(world)).toEqual(['first']);
  });

  test('tells Dify of an answer that another instance writes, as its asker', async () => {
    const world = createWorld();
    const turn = await world.accept();
    const progress = JSON.stringify({ ...noProgress, ids: { taskId: 'task-1' }, appType: 'chat' });
    const nowMs = world.clock.now();
    await world.state.renew({ turnId: turn.id, fence: 1, nowMs, leaseUntilMs: nowMs + 1, progress, remembered });
    expect(await runnerOf(world).stop({ conversationKey: 'conversation-1', asker: null })).toBe(true);
    expect(world.dify.calls['stop']).toEqual([{ type: 'chat', user: 'staff-1', taskId: 'task-1' }]);
  });
});

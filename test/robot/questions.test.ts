import { describe, expect, test } from 'vitest';
import type { Message } from '../../lib/dingtalk/callback.ts';
import type { Budget } from '../../lib/state/budget.ts';
import type { AcceptRequest } from '../../lib/state/state.ts';
import type { Accepted, Load } from '../../lib/state/told.ts';
import { createQuestions } from '../../lib/robot/questions.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import { createChannels } from '../../lib/turn/channels.ts';
import { conversationOf } from '../../lib/turn/conversation.ts';
import { noProgress, readProgress } from '../../lib/turn/record.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createWorld, GROUP, messageOf, senderOf, texts } from '../support/turn.ts';

const load: Load = { running: 4, overdue: ['overdue-1'] };
const budget: Budget = { level: 'few', reached: null };
const context = { generation: 'g1', difyConversationId: 'dify-1', form: null };
const started = (changes: Partial<Extract<Accepted, { kind: 'started' }>> = {}): Accepted => ({
  kind: 'started',
  turn: { fence: 1, context },
  isFirst: false,
  payload: null,
  load,
  budget,
  ...changes,
});

/** Accepts one question, to which the store replies so, and does what it asks for. */
async function accept(
  replies: Accepted[],
  {
    message = messageOf('question'),
    env = {},
    isTold = true,
    waiting = 'queued',
  }: {
    message?: Message;
    env?: Record<string, string>;
    isTold?: boolean;
    waiting?: 'queued' | 'started' | 'dropped';
  } = {},
) {
  const requests: AcceptRequest[] = [];
  const noted: unknown[] = [];
  const world = createWorld({
    env,
    state: {
      async accept(request) {
        requests.push(request);
        await new Promise<void>((resolve) => world.clock.schedule(20, resolve));
        return replies.shift() ?? { kind: 'duplicate' };
      },
      async noteWaiting({ progress }) {
        noted.push(readProgress(progress));
        return { state: waiting, progress };
      },
      peek: async () => ({ state: waiting, progress: null }),
    },
  });
  const run: Turn[] = [];
  const running: [number, boolean][] = [];
  const responses: string[] = [];
  const greeted: string[] = [];
  const order: string[] = [];
  const told: unknown[] = [];
  const others: unknown[] = [];
  const questions = createQuestions(world.options, {
    channels: createChannels(world.options),
    runner: {
      async run(turn) {
        run.push(turn);
        order.push('answered');
      },
      noteRunning: (total, isStarting) => running.push([total, isStarting]),
      takeOver: async () => null,
      rescue: async () => undefined,
      stop: async () => false,
    },
    replies: {
      async greet(_, reference) {
        await sleep(world.clock, 1_000);
        greeted.push(reference);
        order.push('greeted');
      },
      respond: async (intent) => void responses.push(intent.kind === 'sentence' ? intent.text : 'a command'),
    },
    refusals: {
      async claimTelling(why, _, key) {
        told.push([why, key]);
        return { isNew: isTold, overdue: [] };
      },
    },
    async lookAfterOthers(work, facts) {
      others.push(facts);
      await work;
    },
  });
  const { scope } = world.options.config.conversation;
  const conversation = conversationOf(message, scope);
  const asked = { message, question: 'question', form: null, heldFiles: 'take' as const, conversation };
  const work = await world.done(questions.accept(asked, world.clock.now() + 60_000));
  const before = { requests: requests.length, run: run.length };
  if (work) await world.done(work(world.platform));
  return {
    ...world,
    conversation,
    work,
    before,
    requests,
    run,
    running,
    responses,
    greeted,
    order,
    told,
    others,
    noted,
  };
}

describe('a question', () => {
  test('is on record before it is acknowledged, and answered after that', async () => {
    const { requests, before, run, running, others, lines, conversation } = await accept([started()]);
    expect(before).toEqual({ requests: 1, run: 0 });
    expect(requests[0]).toMatchObject({
      owner: 'id-1',
      asker: 'staff-1',
      conversationKey: conversation.key,
      queueLimit: 5,
      budget: null,
      rate: null,
    });
    expect(JSON.parse(requests[0]?.payload ?? '')).toMatchObject({ question: 'question', form: null });
    expect(run).toMatchObject([
      {
        question: 'question',
        user: 'staff-1',
        conversationKey: conversation.key,
        record: { fence: 1, owner: 'id-1', hop: 0, context },
        level: 'few',
        hasWaited: false,
        mayHaveBeenAsked: false,
        acceptMs: 20,
      },
    ]);
    expect(running).toEqual([[4, true]]);
    expect(others).toEqual([{ load, budget }]);
    expect(lines).toMatchObject([{ event: 'message_accepted', kind: 'question-started' }]);
  });

  test('has a lease that ends with its invocation, and a limit for each person but administrators', async () => {
    const env = { ADMIN_USERS: 'admin-1', USER_RATE_LIMIT: '5/1m', DINGTALK_MONTHLY_CALLS: '100' };
    const usual = await accept([started()], { env });
    expect(usual.requests[0]).toMatchObject({ rate: { questions: 5, windowMs: 60_000 }, budget: { limit: 96 } });
    expect((usual.requests[0]?.leaseUntilMs ?? 0) - (usual.requests[0]?.nowMs ?? 0)).toBe(40_000);
    const admin = await accept([started()], { env, message: messageOf('question', { sender: senderOf('admin-1') }) });
    expect(admin.requests[0]?.rate).toBeNull();
  });

  test('that was delivered before is acknowledged and left alone', async () => {
    const { work, events } = await accept([{ kind: 'duplicate' }]);
    expect(work).toBeNull();
    expect(events()).toEqual(['message_repeated']);
  });

  test.each<[string, Parameters<typeof accept>[1], boolean, number]>([
    ['is greeted', {}, true, 1],
    ['is not greeted when it is not the first', {}, false, 0],
    [
      'is not greeted in a group where each person has a conversation',
      { message: messageOf('a', { chat: GROUP }) },
      true,
      0,
    ],
  ])('of a person %s', async (_, options, isFirst, times) => {
    const { greeted, run, order } = await accept([started({ isFirst })], options);
    expect(greeted).toHaveLength(times);
    // The greeting stands before the card.
    expect(order).toEqual(times === 0 ? ['answered'] : ['greeted', 'answered']);
    expect(run).toHaveLength(1);
  });
});

describe('a question that waits', () => {
  const queued: Accepted = { kind: 'queued', place: 2, load, budget: { ...budget, level: 'full' } };

  test('says so on its card, and the record has the card', async () => {
    const { chat, noted, run, others, running } = await accept([queued]);
    expect(chat.cards[0]?.frames).toMatchObject([{ state: 'typing', text: `> question\n\n${texts.queued(2)}` }]);
    expect(noted).toEqual([{ ...noProgress, hasCard: true, calls: 2, isQuoted: true }]);
    expect(run).toEqual([]);
    expect(others).toMatchObject([{ load }]);
    expect(running).toEqual([[4, false]]);
  });

  test('ends its card when it was given up meanwhile', async () => {
    const { chat } = await accept([queued], { waiting: 'dropped' });
    expect(chat.cards[0]?.frames.at(-1)).toMatchObject({ state: 'finished', text: texts.stopped });
  });

  test.each([
    ['says so in a message after a while where it has no card', 'queued' as const, [texts.queued(2)]],
    ['says nothing where it does not wait any more', 'started' as const, []],
  ])('%s', async (_, waiting, sent) => {
    const { chat } = await accept([{ ...queued, budget: { ...budget, level: 'none' } }], { waiting });
    expect(chat.sent).toEqual(sent);
  });
});

describe('a question that is not accepted', () => {
  test('because too many wait is told so', async () => {
    const { responses, others, run, lines } = await accept([{ kind: 'full', load }]);
    expect(responses).toEqual([texts.queueFull]);
    expect(others).toMatchObject([{ load }]);
    expect(run).toEqual([]);
    expect(lines).toMatchObject([{ kind: 'question-full' }]);
  });

  test.each([
    ['is told so', true, [expect.stringMatching(/limit of 20 questions\. You can ask again in \d+ minutes?\.$/)]],
    ['is told so once in a while', false, []],
  ])('because its asker has asked too much %s', async (_, isTold, expected) => {
    const { responses, told, others, conversation } = await accept([{ kind: 'limited', load }], {
      isTold,
      env: { USER_RATE_LIMIT: '20/1h' },
    });
    expect(told).toEqual([['limit', conversation.key]]);
    expect(responses).toEqual(expected);
    expect(others).toMatchObject([{ load }]);
  });
});

describe('a question of another robot', () => {
  const message = messageOf('question', { chat: GROUP, fromRobot: true });
  const silent = expect.objectContaining({ event: 'robot_not_answered' }) as unknown;

  test('is counted, and answered without a greeting', async () => {
    const { requests, run, greeted } = await accept([started({ isFirst: true })], { message });
    expect(requests).toMatchObject([{ row: { most: 3 } }]);
    expect([run.length, greeted]).toEqual([1, []]);
    expect((await accept([started()])).requests).toMatchObject([{ row: { most: null } }]);
  });

  test.each<[string, Accepted]>([
    ['robots have had their answers', { kind: 'silent' }],
    ['too many wait', { kind: 'full', load }],
    ['it asks too much', { kind: 'limited', load }],
  ])('gets nothing when %s', async (_why, reply) => {
    const { work, run, responses, lines } = await accept([reply], { message });
    expect([work, run, responses]).toEqual([null, [], []]);
    expect(lines).toContainEqual(silent);
  });

  test('gets nothing while the store is down: nothing counts its answers then', async () => {
    const { run, lines } = await accept([{ kind: 'unrecorded' }, { kind: 'unrecorded' }], { message });
    expect(run).toEqual([]);
    expect(lines).toContainEqual(silent);
  });
});

describe('a question while the store is down', () => {
  test('is asked of the store once more after the acknowledgement, by the same owner', async () => {
    const { before, requests, run } = await accept([{ kind: 'unrecorded' }, started()]);
    expect(before.requests).toBe(1);
    expect(requests).toHaveLength(2);
    expect(requests[1]).toEqual(requests[0]);
    expect(run).toMatchObject([{ record: { fence: 1, context } }]);
  });

  test('is answered without the store, and without memory', async () => {
    const { run, running, others, lines } = await accept([{ kind: 'unrecorded' }, { kind: 'unrecorded' }]);
    expect(run).toMatchObject([{ level: 'full', record: { fence: 1, owner: 'id-1', hop: 0, context: null } }]);
    expect(running).toEqual([]);
    expect(others).toEqual([]);
    expect(lines).toMatchObject([{ kind: 'question-unrecorded' }]);
  });

  test('is left alone when another delivery of it has been accepted', async () => {
    const { run, events } = await accept([{ kind: 'unrecorded' }, { kind: 'duplicate' }]);
    expect(run).toEqual([]);
    expect(events()).toEqual(['message_repeated']);
  });
});

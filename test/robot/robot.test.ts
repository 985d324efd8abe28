import { describe, expect, test } from 'vitest';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { createRobot } from '../../lib/robot/robot.ts';
import { createHandover } from '../../lib/turn/handover.ts';
import { turnIdOf } from '../../lib/turn/record.ts';
import { ended, words } from '../support/fake-dify.ts';
import { ARRIVAL, createWorld, messageOf, texts, type World } from '../support/turn.ts';

const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');

/** Takes messages one after another, each with what it asks for. */
async function take(world: World, ...messages: Message[]) {
  const robot = createRobot(world.options);
  const works = [];
  for (const message of messages) {
    const work = await world.done(robot.accept({ ...message, robotCode: null }, world.platform, ARRIVAL));
    works.push(work);
    if (work) await world.done(work(world.platform));
  }
  return { robot, works };
}

const asked = ({ dify }: World) => dify.calls['ask']?.map((question) => (question as { query: string }).query) ?? [];

/** A turn whose instance died. */
async function leaveOverdue(world: World, conversationKey = 'conversation-1') {
  const turn = await world.accept({ question: 'left', conversationKey });
  await world.clock.advance(40_000);
  return turn;
}

describe('a message', () => {
  test('with a question is answered', async () => {
    const world = createWorld();
    await take(world, messageOf('question'));
    expect(asked(world)).toEqual(['question']);
    expect(world.chat.cards[0]?.frames.at(-1)).toMatchObject({ state: 'finished', text: 'yes' });
  });

  test('with a command is carried out', async () => {
    const world = createWorld();
    await take(world, messageOf('/help'));
    expect(world.chat.sent).toEqual([texts.help]);
    expect(world.lines).toMatchObject([{ event: 'message_accepted', kind: 'command' }]);
  });

  test('that cannot be understood is answered with a sentence', async () => {
    const world = createWorld();
    await take(world, messageOf('', { content: { kind: 'unknown', messageType: 'poll' } }));
    expect(world.chat.sent).toEqual([texts.unsupported]);
  });

  test.each(['question', '/help'])('that is delivered twice is taken once: %s', async (text) => {
    const world = createWorld();
    const message = messageOf(text);
    const { works } = await take(world, message, message);
    expect(works[1]).toBeNull();
    expect(world.events()).toContain('message_repeated');
  });
});

describe('another robot', () => {
  const robot = (text: string) => messageOf(text, { fromRobot: true });

  test('is answered like a person, also when it writes a command', async () => {
    const world = createWorld();
    await take(world, robot('/help'));
    expect(asked(world)).toEqual(['/help']);
  });

  test('is told no sentence', async () => {
    const world = createWorld({ env: { ALLOWED_USERS: 'staff-9' } });
    const unknown = messageOf('', { fromRobot: true, content: { kind: 'unknown', messageType: 'poll' } });
    const { works } = await take(world, robot('question'), unknown);
    expect([works, world.chat.sent]).toEqual([[null, null], []]);
    const open = createWorld();
    expect((await take(open, unknown)).works).toEqual([null]);
  });
});

describe('a person who may not ask', () => {
  const env = { ALLOWED_USERS: 'staff-9' };

  test('is told so, once in a while', async () => {
    const world = createWorld({ env });
    const { works } = await take(world, messageOf('/new'), messageOf('one'), messageOf('two'));
    expect(world.chat.sent).toEqual([texts.refused]);
    expect(works.slice(1)).toEqual([null, null]);
    expect(asked(world)).toEqual([]);
    expect(world.events().filter((event) => event === 'message_refused')).toHaveLength(3);
    // Nothing was delivered twice.
    expect(world.events()).not.toContain('message_repeated');
  });

  test('may have the commands that are open', async () => {
    const world = createWorld({ env });
    await take(world, messageOf('/id'));
    expect(world.chat.sent).toEqual([texts.ids({ staffId: 'staff-1', chatId: 'chat-1', isGroup: false })]);
  });
});

describe('each message', () => {
  test.each(['question', '/help'])('looks after an answer whose function died: %s', async (text) => {
    const world = createWorld();
    const turn = await leaveOverdue(world);
    await take(world, messageOf(text));
    expect(world.lookedFor).toMatchObject([{ question: 'left' }]);
    expect(await world.state.lookUp(turn.id)).toMatchObject({ state: 'done' });
  });

  test('is answered also when that cannot be looked after', async () => {
    const world = createWorld({ state: { takeOver: async () => Promise.reject(error('store_unavailable')) } });
    await leaveOverdue(world);
    await take(world, messageOf('/help'));
    expect(world.chat.sent).toEqual([texts.help]);
    expect(world.lines).toContainEqual(
      expect.objectContaining({ event: 'recovery_failed', code: 'store_unavailable' }),
    );
  });

  test('leaves alone what another instance looks after', async () => {
    const world = createWorld({ state: { takeOver: async () => null } });
    await leaveOverdue(world);
    await take(world, messageOf('/help'));
    expect(world.lookedFor).toEqual([]);
    expect(world.events()).not.toContain('recovery_failed');
  });

  test('tells the administrators that a step of the month is reached', async () => {
    const world = createWorld({ env: { ADMIN_USERS: 'admin-1' } });
    const { state } = world;
    world.options.state = {
      ...state,
      async accept(request) {
        const accepted = await state.accept(request);
        return accepted.kind === 'started' ? { ...accepted, budget: { level: 'few', reached: 80 } } : accepted;
      },
    };
    await take(world, messageOf('question'));
    expect(world.chat.notices).toEqual([{ staffIds: ['admin-1'], text: texts.monthReached(80) }]);
  });
});

describe('a button', () => {
  test('is pressed, and a message that comes of it is taken like any other', async () => {
    const world = createWorld();
    const message = messageOf('question');
    const { robot } = await take(world, message);
    const params = { action: 'ask', question: 'And then?' };
    const action = { cardId: turnIdOf(message.id), userId: 'staff-1', actionIds: [], params };
    const { update, work } = await world.done(robot.act(action, world.platform, ARRIVAL));
    expect(update).toMatchObject({ notice: texts.notices.received });
    await world.done(work?.(world.platform) ?? Promise.resolve());
    expect(asked(world)).toEqual(['question', 'And then?']);
  });

  test('answers a form also if its action is called like a command', async () => {
    const world = createWorld();
    const form = { content: '', fields: [], actions: [{ id: '/help', title: '/help' }], expiresAtMs: null };
    const pending = { ...form, token: 'token-1', runId: 'run-1', nodeTitle: '' };
    world.dify.appFacts = { ...world.dify.appFacts, type: 'chatflow' };
    world.dify.answers.push([{ kind: 'run-paused', form: pending, ids: { runId: 'run-1' } }]);
    const message = messageOf('question');
    const { robot } = await take(world, message);
    const action = { cardId: turnIdOf(message.id), userId: 'staff-1', actionIds: ['form'], params: {} };
    world.dify.afterForm = [words('done', { messageId: 'm' }), ended];
    const { work } = await world.done(robot.act(action, world.platform, ARRIVAL));
    await world.done(work?.(world.platform) ?? Promise.resolve());
    expect(world.dify.calls['submitForm']).toMatchObject([{ token: 'token-1', action: '/help' }]);
    expect(world.chat.sent).toEqual([]);
  });
});

describe('a turn that another invocation hands on', () => {
  const request = async (world: World, turnId: string, secret = 'secret') => {
    let sent = { headers: new Headers(), body: '' };
    await createHandover({
      publicUrl: 'https://bot.example',
      robotName: null,
      secrets: [secret],
      bypassSecret: null,
      clock: world.clock,
      storeTime: (nowMs) => nowMs,
      async fetch(_, { headers, body }) {
        sent = { headers: new Headers(headers), body: typeof body === 'string' ? body : '' };
        return new Response('{}');
      },
    }).resume({ turnId, fence: 1, hop: 1 });
    return sent;
  };

  test('is taken over', async () => {
    const world = createWorld();
    const { id } = await world.accept({ question: 'handed on' });
    const { headers, body } = await request(world, id);
    const work = await createRobot(world.options).resume(headers, body, world.platform);
    await world.done(work?.(world.platform) ?? Promise.resolve());
    expect(world.lookedFor).toMatchObject([{ question: 'handed on' }]);
  });

  test('is refused when it was handed over more than a minute ago, by the time of the store', async () => {
    const world = createWorld();
    const { id } = await world.accept({ question: 'handed on' });
    const { headers, body } = await request(world, id);
    await world.clock.advance(60_001);
    await expect(createRobot(world.options).resume(headers, body, world.platform)).rejects.toMatchObject({
      code: 'route_closed',
    });
  });

  test('is refused when this function has not signed it', async () => {
    const world = createWorld();
    const { id } = await world.accept();
    const { headers, body } = await request(world, id, 'another secret');
    await expect(createRobot(world.options).resume(headers, body, world.platform)).rejects.toMatchObject({
      code: 'route_closed',
    });
  });
});

describe('a sweep', () => {
  test('takes over the turns whose function died, and goes on with them in the background', async () => {
    const world = createWorld();
    await leaveOverdue(world);
    await leaveOverdue(world, 'conversation-2');
    const counts = await createRobot(world.options).sweep(world.platform);
    expect(counts).toEqual({ overdue: 2, takenOver: 2 });
    await world.done(Promise.all(world.platform.background));
    expect(world.lookedFor).toHaveLength(2);
  });

  test('counts what another instance took', async () => {
    const world = createWorld({ state: { takeOver: async () => null } });
    await leaveOverdue(world);
    expect(await createRobot(world.options).sweep(world.platform)).toEqual({ overdue: 1, takenOver: 0 });
    expect(world.platform.background).toEqual([]);
  });
});

test('a robot tells an operator how it fares', async () => {
  const world = createWorld();
  const robot = createRobot(world.options);
  expect(robot.config).toBe(world.options.config);
  await world.accept();
  expect(await robot.status(world.clock.now())).toMatchObject({ running: 1, waiting: 0, monthlyCalls: null });
});

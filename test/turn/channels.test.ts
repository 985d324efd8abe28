import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../lib/errors.ts';
import type { SpendingLevel } from '../../lib/state/budget.ts';
import { createChannels } from '../../lib/turn/channels.ts';
import { openDeadline } from '../../lib/turn/deadline.ts';
import { noProgress } from '../../lib/turn/record.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { createWorld, HELD, leaseOf, texts, turnOf, type World } from '../support/turn.ts';

/** The channels of one turn, and the lease that they note with. */
function channelsFor(world: World, changes: Partial<Turn> = {}, leftMs: number | null = null) {
  const { clock, options } = world;
  const turn = turnOf(clock, changes);
  const deadline = openDeadline(clock, leftMs === null ? null : clock.now() + leftMs, options.shutdown);
  const lease = leaseOf(options, turn, { state: { ...options.state, renew: async () => HELD } });
  return { turn, lease, deadline, channels: createChannels(options).forTurn(turn, lease, deadline) };
}

describe('the card of a turn', () => {
  test('is opened once, and the lease knows it and what it cost', async () => {
    const world = createWorld();
    const { turn, lease, channels } = channelsFor(world, { question: 'a  question\nof two lines' });
    const card = channels.openCard();
    expect(await world.done(card?.opened ?? Promise.reject(new Error('no card')))).toBe(true);
    expect(world.chat.cards).toMatchObject([
      { id: turn.id, isOpen: true, summary: texts.answering('a question of two lines') },
    ]);
    expect(lease.progress).toMatchObject({ hasCard: true, calls: 1 });
    card?.noteText();
    card?.writer.show(() => 'first words');
    await world.clock.advance(1_000);
    // The first words that are shown are put on record.
    expect(lease.progress.calls).toBe(2);
    expect(lease.requests).toBe(2);
  });

  test('shows the beginning of a long question in the chat list', async () => {
    const world = createWorld();
    const { channels } = channelsFor(world, { question: '很'.repeat(50) });
    await world.done(channels.openCard()?.opened ?? Promise.resolve(false));
    expect(world.chat.cards[0]?.summary).toBe(texts.answering(`${'很'.repeat(39)}…`));
  });

  test.each([
    ['in a group', true, '王小明', '年假\n怎么  算？', texts.questionOf('王小明', '年假 怎么 算？')],
    ['in a group, of an asker without a name', true, '', '年假？', '年假？'],
    [
      'in a group, of an asker whose name is markup',
      true,
      '[王]**小明**',
      '年假？',
      texts.questionOf('王 小明', '年假？'),
    ],
    ['in a single chat', false, '王小明', '年假？', '年假？'],
    ['that is long', false, '王小明', '🙂'.repeat(100), `${'🙂'.repeat(79)}…`],
  ])('names its question %s', async (_where, isGroup, nick, question, expected) => {
    const world = createWorld();
    const { message } = turnOf(world.clock);
    const changes = { chat: { ...message.chat, isGroup }, sender: { ...message.sender, nick } };
    const { channels } = channelsFor(world, { question, message: { ...message, ...changes } });
    await world.done(channels.openCard()?.opened ?? Promise.resolve(false));
    expect(world.chat.cards[0]?.question).toBe(expected);
  });

  test.each<[string, Partial<Turn>]>([
    ['that could not be opened before', { progress: { ...noProgress, hasCard: false } }],
    ['for which the month has no call left', { level: 'none' }],
  ])('%s is none', (_, changes) => {
    expect(channelsFor(createWorld(), changes).channels.openCard()).toBeNull();
  });

  test('is none without a template', () => {
    const world = createWorld();
    world.chat.hasTemplate = false;
    expect(channelsFor(world).channels.openCard()).toBeNull();
  });

  test('that is there already is not opened again', async () => {
    const world = createWorld();
    const { channels } = channelsFor(world, { progress: { ...noProgress, hasCard: true } });
    expect(await world.done(channels.openCard()?.opened ?? Promise.resolve(false))).toBe(true);
    expect(world.chat.cards).toEqual([]);
  });

  test.each([
    ['is looked for on record by a turn that waited', true, true, []],
    ['could not be opened by the instance that accepted it', false, false, []],
  ])('%s', async (_, hasCard, isThere, cards) => {
    const progress = JSON.stringify({ ...noProgress, hasCard });
    const world = createWorld({ state: { peek: async () => ({ state: 'started', progress }) } });
    const { channels } = channelsFor(world, { hasWaited: true });
    expect(await world.done(channels.openCard()?.opened ?? Promise.resolve(null))).toBe(isThere);
    expect(world.chat.cards).toEqual(cards);
  });

  test('is opened by a turn that waited when the record does not tell of it for 3 s', async () => {
    const world = createWorld({ state: { peek: async () => ({ state: 'started', progress: null }) } });
    const { channels } = channelsFor(world, { hasWaited: true });
    const opened = channels.openCard()?.opened ?? Promise.resolve(false);
    await world.clock.advance(2_999);
    expect(world.chat.cards).toEqual([]);
    await world.clock.advance(1);
    expect(await opened).toBe(true);
    expect(world.chat.cards).toHaveLength(1);
  });
});

describe('how often a card is updated', () => {
  /** Frames of an answer that grows for 5 s. */
  const framesOf = async (world: World, level: SpendingLevel) => {
    const { channels } = channelsFor(world, { level });
    const card = channels.openCard();
    for (let count = 1; count <= 50; count += 1) {
      card?.writer.show(() => `${count} words`);
      await world.clock.advance(100);
    }
    return card?.writer.frames;
  };

  test('follows the setting, and the month', async () => {
    const smooth = { env: { STREAMING: 'smooth' } };
    expect(await framesOf(createWorld(smooth), 'full')).toBe(12);
    expect(await framesOf(createWorld(smooth), 'few')).toBe(2);
    expect(await framesOf(createWorld(smooth), 'last')).toBe(0);
    expect(await framesOf(createWorld({ env: { STREAMING: 'off' } }), 'few')).toBe(0);
  });

  test('is less by the calls for suggestions and for the registration of buttons', async () => {
    const world = createWorld({ env: { STREAMING: 'smooth' } });
    const usual = await framesOf(createWorld({ env: { STREAMING: 'smooth' } }), 'full');
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    expect(await framesOf(world, 'full')).toBe((usual ?? 0) - 1);
    world.chat.isPending = true;
    expect(await framesOf(world, 'full')).toBe((usual ?? 0) - 2);
  });

  test('is as usual when the facts of the app are not to be had', async () => {
    const world = createWorld({ env: { STREAMING: 'smooth' } });
    world.dify.failures['facts'] = [new BridgeError('dify_unreachable', 'on purpose')];
    expect(await framesOf(world, 'full')).toBe(12);
  });
});

describe('the files of an answer', () => {
  test.each<[SpendingLevel, boolean]>([
    ['full', true],
    ['few', true],
    ['last', false],
    ['none', false],
  ])('are sent at the level %s: %s', (level, areSent) => {
    expect(channelsFor(createWorld(), { level }).channels.attachments !== null).toBe(areSent);
  });

  /** Sends a file whose download takes for ever, 60 s before the invocation ends. */
  const sendEndless = (world: World) => {
    const download: { signal?: AbortSignal | undefined } = {};
    world.options.download = (_, { signal }) => {
      download.signal = signal;
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('given up')));
      });
    };
    const { channels, deadline } = channelsFor(world, {}, 60_000);
    const file = { id: 'f', name: 'a.pdf', kind: 'document', url: '/files/a.pdf', extension: 'pdf' };
    const sending = channels.attachments?.send([{ ...file, mimeType: null, sizeBytes: null }]);
    return { sending, download, deadline };
  };

  test('are given up 8 s before the invocation ends', async () => {
    const world = createWorld();
    const { sending, download } = sendEndless(world);
    await world.clock.advance(51_999);
    expect(download.signal?.aborted).toBe(false);
    await world.clock.advance(1);
    expect(await sending).toEqual({ failed: ['a.pdf'], leftOut: 0 });
  });

  test('leave no timer behind when their turn has ended', async () => {
    const world = createWorld();
    const { download, deadline } = sendEndless(world);
    await world.clock.advance(0);
    deadline.close();
    await world.clock.advance(60_000);
    expect(download.signal?.aborted).toBe(false);
  });

  test('of a question are fetched from DingTalk for the app', async () => {
    const world = createWorld();
    const { channels } = channelsFor(world);
    expect(await channels.sentFiles.addressOf('code-1')).toBe('http://files.example/code-1');
    expect(channels.sentFiles.dify).toBe(world.dify.files);
  });
});

describe('the card of a question that waits', () => {
  const cardOf = (world: World, level: SpendingLevel, onCall = () => undefined) => {
    const { id, message } = turnOf(world.clock);
    return createChannels(world.options).cardOf({ id, message, question: 'question', level }, onCall, () => undefined);
  };

  test('tells each call that counts', async () => {
    const world = createWorld();
    let calls = 0;
    const card = cardOf(world, 'full', () => void (calls += 1));
    await card?.open();
    await card?.write({ text: 'waits', state: 'typing', id: 'frame-1' });
    expect(calls).toBe(2);
  });

  test('is none when the month has no call left', () => {
    expect(cardOf(createWorld(), 'none')).toBeNull();
  });
});

describe('the card of a question that gets no answer', () => {
  test('ends with a sentence', async () => {
    const world = createWorld();
    await world.done(createChannels(world.options).endCard('turn-1', texts.stopped));
    expect(world.chat.cards[0]?.frames).toMatchObject([{ state: 'finished', text: texts.stopped }]);
  });

  test('is none without a template', async () => {
    const world = createWorld();
    world.chat.hasTemplate = false;
    await world.done(createChannels(world.options).endCard('turn-1', texts.stopped));
    expect(world.chat.cards).toEqual([]);
  });

  test.each([
    ['ends before that is reported, and does so without a store', true, ['finished', 'reported']],
    ['is not there: that is only reported', false, ['reported']],
  ])('and was given up while it waited: it %s', async (_, hasCard, expected) => {
    const order: string[] = [];
    const world = createWorld({
      state: {
        async noteDropped() {
          order.push(...world.chat.cards.flatMap(({ frames }) => frames.map(({ state }) => state)), 'reported');
          throw new BridgeError('store_unavailable', 'on purpose');
        },
      },
    });
    await world.done(createChannels(world.options).endDropped('turn-1', hasCard));
    expect(order).toEqual(expected);
  });

  test('is in the log when it cannot be ended', async () => {
    const world = createWorld();
    world.chat.failures['write'] = [new BridgeError('dingtalk_permission_missing', 'on purpose')];
    await world.done(createChannels(world.options).endCard('turn-1-long-id', texts.stopped));
    expect(world.lines).toContainEqual(expect.objectContaining({ event: 'card_not_ended', turn: 'turn-1-l' }));
  });
});

test.each<[SpendingLevel, boolean]>([
  ['full', true],
  ['few', true],
  ['none', false],
])('administrators are told of a failure at the level %s: %s', async (level, areTold) => {
  const world = createWorld({ env: { ADMIN_USERS: 'admin-1' } });
  const { channels } = channelsFor(world, { level });
  const failure = new BridgeError('dify_model_account', 'on purpose');
  expect(await world.done(channels.tellAdmins(failure))).toBe(areTold);
  expect(world.chat.notices).toHaveLength(areTold ? 1 : 0);
});

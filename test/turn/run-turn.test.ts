import { describe, expect, test } from 'vitest';
import type { AnswerEvent } from '../../lib/answer/event.ts';
import { emptyAnswer } from '../../lib/answer/answer.ts';
import { sendLink } from '../../lib/answer/links.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import type { Recovered } from '../../lib/recovery/recover.ts';
import type { Renewed } from '../../lib/state/told.ts';
import { readAnswered } from '../../lib/turn/answered.ts';
import { createChannels } from '../../lib/turn/channels.ts';
import { openDeadline } from '../../lib/turn/deadline.ts';
import type { Lease } from '../../lib/turn/lease.ts';
import { noProgress, readProgress } from '../../lib/turn/record.ts';
import { runTurn } from '../../lib/turn/run-turn.ts';
import { createStops, type StopSwitch } from '../../lib/turn/stop.ts';
import type { Turn } from '../../lib/turn/turn.ts';
import { ended, IDS, RUN_IDS, words } from '../support/fake-dify.ts';
import { createWorld, GROUP, HELD, leaseOf, messageOf, texts, type World } from '../support/turn.ts';

const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');

interface Running {
  lease: Lease;
  stop: StopSwitch;
  background: Promise<void>[];
}

/** Runs one turn to its end; `during` happens when it has begun. */
async function run(
  world: World,
  changes: Partial<Turn> = {},
  { leftMs = null, during }: { leftMs?: number | null; during?: (running: Running) => unknown } = {},
) {
  const { clock, options } = world;
  const turn = { ...(await world.accept(changes)), ...changes };
  const deadlineMs = leftMs === null ? null : clock.now() + leftMs;
  const deadline = openDeadline(clock, deadlineMs, options.shutdown);
  const lease = leaseOf(options, turn, { deadlineMs });
  const stops = createStops({ ...options, userOf: () => turn.user, endDropped: async () => undefined });
  const background: Promise<void>[] = [];
  const stop = stops.begin(turn, lease);
  const running = runTurn(turn, {
    ...options,
    robot: options.config,
    quotedAnswers: { find: async () => null },
    lease,
    stop,
    deadline,
    channels: createChannels(options).forTurn(turn, lease, deadline),
    background: (work) => void background.push(work),
  });
  if (during) {
    await clock.advance(1_000);
    await during({ lease, stop, background });
  }
  const next = await world.done(running);
  await world.done(Promise.all(background));
  lease.stop();
  deadline.close();
  return { next, turn, lease, record: await world.state.lookUp(turn.id) };
}

const frames = ({ chat }: World) =>
  chat.cards.flatMap(({ frames: shown }) => shown.map(({ state, text }) => [state, text]));
const lastFrame = (world: World) => frames(world).at(-1);
const line = ({ lines }: World, event: string) => lines.find((entry) => entry['event'] === event);

describe('an answer', () => {
  test('ends its card, is in the log, and its turn is over', async () => {
    const world = createWorld();
    world.dify.answers.push([
      words('yes'),
      { ...(ended as object), price: { amount: 0.5, currency: 'USD' } } as AnswerEvent,
    ]);
    const { next, turn, record } = await run(world);
    expect(next).toBeNull();
    expect(lastFrame(world)).toEqual(['finished', 'yes']);
    expect(record).toMatchObject({ state: 'done', payload: null });
    expect(readAnswered(record?.receipt ?? null)).toMatchObject({
      ids: { conversationId: IDS.conversationId, messageId: IDS.messageId },
      user: 'staff-1',
      form: null,
    });
    expect(line(world, 'turn_finished')).toMatchObject({
      turn: turn.reference,
      outcome: 'complete',
      shown: 'card',
      acceptMs: 3,
      calls: 2,
      tokens: 7,
      price: 0.5,
      currency: 'USD',
      fallback: null,
      hop: 0,
    });
  });

  test('comes as a message where there is no card, and the log says why', async () => {
    const world = createWorld();
    world.chat.failures['open'] = [error('dingtalk_template_missing')];
    await run(world);
    expect(world.chat.sent).toEqual(['yes']);
    expect(line(world, 'turn_finished')).toMatchObject({ shown: 'message', fallback: 'dingtalk_template_missing' });
  });

  const broken = () => Array.from({ length: 7 }, () => error('dingtalk_server_error'));

  test('comes as a message when its card cannot be ended, and the card is ended later', async () => {
    const world = createWorld();
    world.dify.answers.push([words('so far'), 2_000, words(' and all'), ended]);
    await run(world, {}, { during: () => (world.chat.failures['write'] = broken()) });
    expect(world.chat.sent).toEqual(['so far and all']);
    expect(lastFrame(world)).toEqual(['finished', texts.answeredBelow]);
  });

  test('is not sent as a message when its card cannot be ended because another instance has it', async () => {
    const replies: Renewed[] = [];
    const world = createWorld({ state: { renew: async () => replies.shift() ?? HELD } });
    world.dify.answers.push([words('so far'), 2_000, words(' and all'), ended]);
    await run(
      world,
      {},
      {
        during() {
          world.chat.failures['write'] = broken();
          replies.push({ kind: 'lost' });
        },
      },
    );
    expect(world.chat.sent).toEqual([]);
    expect(line(world, 'turn_finished')).toMatchObject({ shown: 'nothing' });
  });

  test('comes as a message where there is no template', async () => {
    const world = createWorld();
    world.chat.hasTemplate = false;
    await run(world);
    expect(world.chat.sent).toEqual(['yes']);
    expect(line(world, 'turn_finished')).toMatchObject({ frames: 0, firstTextMs: null, fallback: null });
  });

  test('hands back the next turn of its conversation', async () => {
    const world = createWorld();
    const first = await world.accept({ question: 'first' });
    const second = await world.accept({ question: 'second' });
    const { next } = await run(world, first);
    expect(next).toMatchObject({ isOurs: true, turn: { turnId: second.id } });
  });

  test('has the questions below it that the app suggests, and their call is counted', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    world.dify.suggested.push('And then?');
    await run(world, { message: messageOf('question', { chat: GROUP }) });
    expect(world.dify.calls['suggestions']).toEqual([{ messageId: 'dify-message-1', user: 'staff-1' }]);
    expect(world.chat.amended).toMatchObject([
      { variables: { content: expect.stringContaining('And then?') as string } },
    ]);
    expect(line(world, 'turn_finished')).toMatchObject({ calls: 3 });
  });

  test('has no suggestions when the month allows few calls', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    await run(world, { level: 'few' });
    expect(world.dify.calls['suggestions']).toBeUndefined();
  });

  test('is followed by why a part of the question was left out', async () => {
    const world = createWorld();
    const content = { kind: 'rich-text', text: 'question', pictures: ['picture-1'] } as const;
    await run(world, { message: messageOf('question', { content }) });
    expect(lastFrame(world)).toEqual(['finished', 'yes']);
    expect(world.chat.sent).toEqual([texts.failures.file_not_accepted]);
  });

  test('names the files that could not be sent', async () => {
    const world = createWorld();
    const file = { id: 'f', name: 'a.pdf', kind: 'document', url: '/files/a.pdf' };
    const rest = { extension: 'pdf', mimeType: null, sizeBytes: null };
    world.dify.answers.push([{ kind: 'file', file: { ...file, ...rest }, ids: IDS }, words('yes'), ended]);
    await run(world);
    expect(world.chat.sent).toEqual([texts.filesNotSent(['a.pdf'])]);
  });
});

describe('a failure', () => {
  const fail = async (changes: Partial<Turn> = {}, env: Record<string, string> = {}) => {
    const world = createWorld({ env });
    world.dify.answers.push(error('dify_busy'));
    const { record } = await run(world, changes);
    const [state, text = ''] = lastFrame(world) ?? [];
    return { world, record, state, text };
  };

  test('ends the card as failed, with its reference, and its question can be tried again', async () => {
    const { world, record, state, text } = await fail();
    expect(state).toBe('failed');
    expect(text).toContain(texts.failures.dify_busy);
    expect(text).toContain(texts.reference('turn-1-o'));
    expect(text).toContain('dtmd:');
    expect(record?.payload).toContain('question');
    expect(line(world, 'turn_failed')).toMatchObject({ code: 'dify_busy' });
    expect(line(world, 'turn_finished')).toMatchObject({ outcome: 'dify_busy' });
  });

  const form = { token: 't', runId: 'run-1', action: 'yes', inputs: {}, shownChars: 0, appType: 'chatflow', user: 'u' };
  test.each<[string, Partial<Turn>, Record<string, string>]>([
    ['in a group, where no tap can send words', { message: messageOf('question', { chat: GROUP }) }, {}],
    ['on a card with buttons', {}, { DINGTALK_CARD_BUTTONS: 'true' }],
    ['of a question with a file', { message: messageOf('', { content: { kind: 'picture', downloadCode: 'p' } }) }, {}],
    ['of an answer to a form', { form: { ...form, appType: 'chatflow' } }, {}],
  ])('%s has no link that sends the question again', async (_, changes, env) => {
    const world = createWorld({ env });
    world.dify.answers.push(error('dify_busy'));
    world.dify.failures['submitForm'] = [error('dify_busy')];
    await run(world, changes);
    expect(lastFrame(world)?.[1]).not.toContain('dtmd:');
  });

  test('sends no file', async () => {
    const world = createWorld();
    const file = { id: 'f', name: 'a.pdf', kind: 'document', url: '/files/a.pdf' };
    const rest = { extension: 'pdf', mimeType: null, sizeBytes: null };
    const failed: AnswerEvent = { kind: 'failed', upstreamCode: null, status: 500, ids: IDS };
    world.dify.answers.push([{ kind: 'file', file: { ...file, ...rest }, ids: IDS }, failed]);
    await run(world);
    expect(world.chat.sent).toEqual([]);
  });
});

describe('how to stop an answer', () => {
  const hint = async (changes: Partial<Turn>, env: Record<string, string> = {}) => {
    const world = createWorld({ env });
    world.dify.answers.push([{ kind: 'activity', activity: { kind: 'thinking', name: '' }, ids: IDS }, 5_000, ended]);
    await run(world, changes);
    return frames(world)[0]?.[1];
  };

  test('is a link in a single chat, words in a group, and a button where there are buttons', async () => {
    expect(await hint({})).toContain('dtmd:');
    expect(await hint({ message: messageOf('question', { chat: GROUP }) })).toContain(texts.stopByWord);
    expect(await hint({}, { DINGTALK_CARD_BUTTONS: 'true' })).toBe(texts.progress.thinking);
  });
});

/** What stands behind the state of an answer that did not come to its end. */
const OFFERS = `${sendLink(texts.retry, 'question')} · ${sendLink(texts.goOn, texts.goOnWord)}`;

describe('an answer that is stopped', () => {
  test('here ends with the text so far, and nothing comes below it', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    world.dify.answers.push([words('so far'), 60_000]);
    const { record } = await run(world, {}, { during: ({ stop }) => void stop.ask() });
    expect(lastFrame(world)).toEqual(['finished', `so far\n\n${texts.stopped} ${OFFERS}`]);
    expect(record?.state).toBe('done');
    expect(world.dify.calls['suggestions']).toBeUndefined();
    expect(line(world, 'turn_finished')).toMatchObject({ outcome: 'stopped' });
  });

  test('here and ended by Dify like any other is marked as stopped', async () => {
    const world = createWorld();
    world.dify.answers.push([words('so far'), 2_000, ended]);
    await run(world, {}, { during: ({ stop }) => void stop.ask() });
    expect(lastFrame(world)).toEqual(['finished', `so far\n\n${texts.stopped} ${OFFERS}`]);
  });

  test('elsewhere, which only its end tells, is marked as stopped afterwards', async () => {
    const world = createWorld();
    world.dify.appFacts = { ...world.dify.appFacts, suggestsQuestions: true };
    world.dify.answers.push([words('all'), 2_000, ended]);
    const order = {
      conversationKey: 'conversation-1',
      owner: 'o',
      asker: null,
      turnId: null,
      nowMs: 0,
      leaseUntilMs: 0,
    };
    await run(world, {}, { during: () => world.state.stop(order) });
    expect(lastFrame(world)).toEqual(['finished', 'all']);
    expect(world.chat.amended).toMatchObject([{ variables: { content: `all\n\n${texts.stopped} ${OFFERS}` } }]);
    expect(world.dify.calls['suggestions']).toBeUndefined();
  });
});

describe('a turn that another instance has taken over', () => {
  test('shows nothing more and does not end', async () => {
    const world = createWorld();
    // The last words wait for their frame when the turn is taken over.
    world.dify.answers.push([words('so'), 900, words(' far'), 50, words(' and'), 60_000, words(' more'), ended]);
    const takeOver = { owner: 'other', nowMs: world.clock.now(), leaseUntilMs: world.clock.now() + 600_000 };
    const { next, record } = await run(
      world,
      { id: 'turn-9' },
      {
        async during({ lease }) {
          await world.state.takeOver({
            ...takeOver,
            turnId: 'turn-9',
            handedOver: { fence: 1, hop: 1, sentAtMs: takeOver.nowMs },
          });
          await lease.write();
        },
      },
    );
    expect(next).toBeNull();
    expect(record?.state).toBe('started');
    await world.clock.advance(10_000);
    expect(frames(world)).toEqual([
      ['typing', 'so'],
      ['typing', 'so far'],
    ]);
    expect(world.events()).not.toContain('turn_finished');
  });

  test('while this one heard nothing of the store shows no end either', async () => {
    // Nothing until the lease has lapsed.
    const isDown = () => world.clock.now() < world.startMs + 40_000;
    const world = {
      ...createWorld({
        state: {
          async renew() {
            if (isDown()) throw error('store_unavailable');
            return { kind: 'lost' };
          },
        },
      }),
      startMs: 0,
    };
    world.startMs = world.clock.now();
    world.dify.answers.push([words('so far'), 45_000, ended]);
    const { next } = await run(world);
    expect(next).toBeNull();
    expect(frames(world)).toEqual([['typing', 'so far']]);
  });
});

describe('a turn that was asked by an instance that is gone', () => {
  const found = (): Recovered => ({
    kind: 'answer',
    answer: {
      ...emptyAnswer,
      ids: { ...RUN_IDS, messageId: 'found-message' },
      texts: { ...emptyAnswer.texts, message: 'the answer' },
      ending: { kind: 'complete' },
    },
  });
  const asked: Partial<Turn> = {
    mayHaveBeenAsked: true,
    progress: { ...noProgress, hasCard: true, text: 'the', ids: RUN_IDS, appType: 'chatflow' },
  };

  test('ends with what is found, and its buttons work on what was found', async () => {
    const world = createWorld();
    world.found.push(found());
    const { record } = await run(world, asked);
    expect(frames(world)).toEqual([['finished', 'the answer']]);
    expect(readAnswered(record?.receipt ?? null)?.ids.messageId).toBe('found-message');
  });

  test('and is asked again goes on in the conversation of the first try, whichever the chat has now', async () => {
    const world = createWorld();
    world.found.push({ kind: 'lost' });
    world.dify.answers.push([words('the answer'), ended]);
    const context = { generation: '', difyConversationId: 'another', form: null };
    const progress = { ...noProgress, hasCard: true, ids: IDS, appType: 'chat' as const };
    await run(world, { ...asked, progress, record: { fence: 1, owner: 'owner-1', hop: 0, context } });
    expect(world.dify.calls['ask']).toMatchObject([{ conversationId: IDS.conversationId }]);
    expect(frames(world)).toEqual([['finished', 'the answer']]);
  });

  test('has been shown when its card says that it has ended already', async () => {
    const world = createWorld();
    world.found.push(found());
    world.chat.failures['write'] = [error('dingtalk_refused')];
    await run(world, asked);
    expect(world.chat.sent).toEqual([]);
    expect(line(world, 'turn_finished')).toMatchObject({ shown: 'card' });
  });
});

describe('a turn whose time is up while its run goes on', () => {
  const unfinished = async (world: World, changes: Partial<Turn> = {}, during?: (running: Running) => unknown) => {
    world.dify.appFacts = { ...world.dify.appFacts, type: 'chatflow' };
    world.dify.answers.push([words('so far', RUN_IDS), 600_000]);
    return run(world, changes, { leftMs: 60_000, ...(during ? { during } : {}) });
  };

  test('goes to a fresh invocation; its card says that it goes on', async () => {
    const world = createWorld();
    const { next, turn, record } = await unfinished(world);
    expect(next).toBeNull();
    expect(lastFrame(world)).toEqual([
      'typing',
      `so far\n\n${texts.continuing}\n\n${sendLink(texts.stop, texts.stopWord)}`,
    ]);
    expect(world.handedOver).toEqual([{ turnId: turn.id, fence: 1, hop: 1 }]);
    expect(record?.state).toBe('started');
    expect(readProgress(record?.progress ?? null)).toMatchObject({ text: 'so far', ids: RUN_IDS });
    // Its lease is given back, so that the fresh invocation can take it.
    expect(await world.state.overdue({ nowMs: world.clock.now(), limit: 1 })).toEqual([turn.id]);
    expect(line(world, 'turn_handed_over')).toMatchObject({ hop: 0 });
  });

  test('goes there without a card, too', async () => {
    const world = createWorld();
    world.chat.hasTemplate = false;
    await unfinished(world);
    expect(world.handedOver).toHaveLength(1);
    expect(world.chat.sent).toEqual([]);
  });

  test.each([
    ['the fresh invocation does not take it', 401, 0, 1],
    ['the chain of invocations is as long as it may be', 200, 4, 0],
  ])('stays on record when %s', async (_, status, hop, asked) => {
    const world = createWorld();
    world.resumed = status;
    const context = { generation: '', difyConversationId: null, form: null };
    await unfinished(world, { record: { fence: 1, owner: 'owner-1', hop, context } });
    expect(world.handedOver).toHaveLength(asked);
    expect(line(world, 'turn_left_on_record')).toMatchObject({ hop, ...(asked > 0 && { status }) });
  });

  test('stays on record when the process ends: its address may answer no more', async () => {
    const world = createWorld();
    await unfinished(world, {}, () => world.shutdown.abort());
    expect(world.handedOver).toEqual([]);
    expect(world.events()).toContain('turn_left_on_record');
  });
});

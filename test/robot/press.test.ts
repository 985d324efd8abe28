import { describe, expect, test } from 'vitest';
import type { Rating } from '../../lib/answer/event.ts';
import type { FormSubmission } from '../../lib/ask/form.ts';
import type { Message } from '../../lib/dingtalk/callback.ts';
import { BridgeError, type ErrorCode } from '../../lib/errors.ts';
import { NO_FORM } from '../../lib/delivery/card-variables.ts';
import { createPresses } from '../../lib/robot/press.ts';
import type { TurnRecord } from '../../lib/state/told.ts';
import type { ShownForm } from '../../lib/ask/form.ts';
import type { AnsweredTurn } from '../../lib/turn/answered.ts';
import { writeNote } from '../../lib/turn/form-note.ts';
import type { StopOrder } from '../../lib/turn/stop.ts';
import { IDS } from '../support/fake-dify.ts';
import { createWorld, GROUP, messageOf, senderOf, texts } from '../support/turn.ts';

const CARD = 'card-id-of-a-test';
const error = (code: ErrorCode) => new BridgeError(code, 'on purpose');
const notices = texts.notices;

const shownForm = (form: Pick<ShownForm, 'token' | 'runId' | 'action' | 'shownChars'>): ShownForm => ({
  ...form,
  title: '',
  actions: [],
  number: 1,
  expiresAtMs: null,
  earlierChars: 0,
  cardId: 'card-1',
});

/** What is on record of the card: a question of `staff-1` in a group, answered. */
const answered: AnsweredTurn = {
  ids: IDS,
  appType: 'chatflow',
  user: 'user-of-the-run',
  chat: { id: GROUP.id, isGroup: true },
  sender: { staffId: 'staff-1', unionId: 'union-1', id: 'sender-1', nick: '' },
  session: null,
  corpId: null,
  form: shownForm({ token: 'token-1', runId: 'run-1', action: 'first', shownChars: 9 }),
};
const message = messageOf('the question', { chat: GROUP });
const payload = JSON.stringify({ message, question: 'the question', acceptedAtMs: 0, form: null });
const done: TurnRecord = {
  state: 'done',
  asker: 'staff-1',
  conversationKey: 'conversation-1',
  payload: null,
  progress: null,
  isStopped: false,
  receipt: JSON.stringify(answered),
  reply: null,
};
/** The same, and nothing waits. */
const complete: TurnRecord = { ...done, receipt: JSON.stringify({ ...answered, form: null }) };
const running: TurnRecord = { ...done, state: 'started', payload, receipt: null };

interface Setting {
  record?: TurnRecord | null;
  env?: Record<string, string>;
  rating?: Rating | null;
  /** What is pressed again was accepted before. */
  isRepeated?: boolean;
  /** What another press has just noted. */
  noted?: string;
  lookUpFails?: Error;
  stopFails?: Error;
}

async function press(
  name: string | null,
  {
    params = {},
    by = 'staff-1',
    ids = [],
    ...setting
  }: { params?: Record<string, unknown>; by?: string; ids?: string[] } & Setting = {},
) {
  const { record = name === 'form' ? done : complete, env = {}, rating = 'like', isRepeated = false } = setting;
  const rated: unknown[] = [];
  const world = createWorld({
    env,
    state: {
      async lookUp() {
        if (setting.lookUpFails) throw setting.lookUpFails;
        return record;
      },
      noteForm: async ({ note }) => setting.noted ?? note,
      async rate(request) {
        rated.push(request);
        return rating;
      },
    },
  });
  const orders: StopOrder[] = [];
  const taken: { message: Message; form: FormSubmission | null }[] = [];
  const presses = createPresses(world.options, {
    async stop(order) {
      orders.push(order);
      if (setting.stopFails) throw setting.stopFails;
      return true;
    },
  });
  const action = { cardId: CARD, userId: by, actionIds: ids, params: { ...(name ? { action: name } : {}), ...params } };
  const reaction = await presses.press(action, async (asked, form) => {
    taken.push({ message: asked, form });
    return isRepeated ? null : async () => undefined;
  });
  const work = async () => world.done(reaction.work?.(world.platform) ?? Promise.resolve());
  return { ...world, reaction, notice: reaction.update['notice'], work, orders, taken, rated };
}

describe('which button was pressed', () => {
  test.each<[string, Parameters<typeof press>]>([
    ['is told by the parameter', ['like']],
    ['is told by its id', [null, { ids: ['like'] }]],
    ['is told by its id with digits that a builder appended', [null, { ids: ['like_2'] }]],
    ['is told by the parameter before the id', ['like', { ids: ['stop'] }]],
  ])('%s', async (_, how) => {
    expect((await press(...how)).notice).toBe(notices.rated('like'));
  });

  test.each<[string, Parameters<typeof press>]>([
    ['of another name', ['dance']],
    ['of no name', [null]],
    ['that only every object has', ['constructor', { ids: ['toString'] }]],
    ['that is no text', [null, { params: { action: 7 } }]],
  ])('%s is no button', async (_, how) => {
    const { notice, reaction } = await press(...how);
    expect(notice).toBe(notices.unknownButton);
    expect(reaction.work).toBeNull();
  });
});

describe('a press is refused', () => {
  test.each<[string, Parameters<typeof press>, string]>([
    ['on a card that is not on record', ['stop', { record: null }], notices.cardUnknown],
    ['on a card whose record cannot be read', ['stop', { record: { ...done, receipt: '{}' } }], notices.cardUnknown],
    ['of a person who may not ask', ['like', { by: 'staff-2', env: { ALLOWED_USERS: 'staff-1' } }], texts.refused],
    ['of another person where it is the asker’s', ['retry', { by: 'staff-2' }], notices.notYours],
    [
      'in words when the store is down',
      ['like', { lookUpFails: error('store_unavailable') }],
      texts.failures.store_unavailable,
    ],
  ])('%s', async (_, how, sentence) => {
    const { notice, reaction, taken } = await press(...how);
    expect(notice).toBe(sentence);
    expect(reaction.work).toBeNull();
    expect(taken).toEqual([]);
  });

  test('and that is in the log when it was the store’s fault', async () => {
    const { lines } = await press('like', { lookUpFails: error('store_unavailable') });
    expect(lines).toMatchObject([{ event: 'button_failed', turn: 'card-id-', code: 'store_unavailable' }]);
  });

  test('but not of an administrator, nor of an asker whom DingTalk names by the union id', async () => {
    expect((await press('stop', { by: 'admin-1', env: { ADMIN_USERS: 'admin-1' }, record: running })).notice).toBe(
      notices.stopRequested,
    );
    const external = { ...answered, sender: { staffId: null, unionId: 'union-1', id: 'sender-1', nick: '' } };
    const record = { ...done, receipt: JSON.stringify(external) };
    expect((await press('form', { by: 'union-1', record })).notice).toContain('first');
    expect((await press('form', { by: 'union-2', record })).notice).toBe(notices.notYours);
  });
});

describe('stop', () => {
  test('stops the answer of this card, or drops its question', async () => {
    for (const state of ['started', 'queued'] as const) {
      const { notice, work, orders } = await press('stop', { record: { ...running, state } });
      expect(notice).toBe(notices.stopRequested);
      expect(orders).toEqual([]);
      await work();
      expect(orders).toEqual([{ turnId: CARD, conversationKey: 'conversation-1', asker: null }]);
    }
  });

  test('is done once', async () => {
    const { notice, reaction } = await press('stop', { record: { ...running, isStopped: true } });
    expect(notice).toBe(notices.stopRequested);
    expect(reaction.work).toBeNull();
  });

  test('of an answer that has ended stops nothing', async () => {
    const { notice, reaction } = await press('stop');
    expect(notice).toBe(texts.nothingToStop);
    expect(reaction.work).toBeNull();
  });

  test('that the store does not take is in the log', async () => {
    const { work, lines } = await press('stop', { record: running, stopFails: error('store_unavailable') });
    await work();
    expect(lines.at(-1)).toMatchObject({ event: 'button_failed', code: 'store_unavailable' });
  });
});

describe('like and dislike', () => {
  test('are kept for the person who pressed, and told to Dify as the user of the run', async () => {
    const { reaction, work, rated, dify } = await press('dislike', { by: 'staff-2', rating: 'dislike' });
    expect(rated).toMatchObject([{ turnId: CARD, person: 'staff-2', rating: 'dislike' }]);
    expect(reaction.update).toEqual({
      like_status: 'dislike',
      ask_reason: 'true',
      notice: notices.rated('dislike'),
    });
    await work();
    expect(dify.calls['rate']).toEqual([
      { messageId: IDS.messageId, user: 'user-of-the-run', rating: 'dislike', reason: null },
    ]);
  });

  test('are taken back by pressing again', async () => {
    const { reaction, work, dify } = await press('like', { rating: null });
    expect(reaction.update).toEqual({ like_status: '', ask_reason: '', notice: notices.rated(null) });
    await work();
    expect(dify.calls['rate']).toMatchObject([{ rating: null }]);
  });

  test('are for an answer that is complete, and that Dify takes ratings for', async () => {
    expect((await press('like', { record: running })).notice).toBe(notices.notYet);
    expect((await press('like', { record: { ...done, state: 'started' } })).notice).toBe(notices.notYet);
    const unreadable = { ...done, payload, receipt: null };
    expect((await press('like', { record: unreadable })).notice).toBe(notices.notYet);
    const workflow = { ...done, receipt: JSON.stringify({ ...answered, form: null, ids: { runId: 'run-1' } }) };
    expect((await press('like', { record: workflow })).notice).toBe(notices.noFeedback);
    expect((await press('like', { record: done })).notice).toBe(notices.notYet);
    const formNote = writeNote({ kind: 'closed' });
    expect((await press('like', { record: { ...done, formNote } })).notice).toBe(notices.rated('like'));
  });

  test('that Dify does not take are taken back on the card of the person', async () => {
    const { work, dify, chat, lines } = await press('like');
    dify.failures['rate'] = [error('dify_busy')];
    await work();
    const variables = { like_status: '', ask_reason: '', notice: notices.notRated };
    expect(chat.amended).toMatchObject([{ cardId: CARD, own: { variables, person: { staffId: 'staff-1' } } }]);
    expect(lines.at(-1)).toMatchObject({ event: 'rating_failed', code: 'dify_busy' });
  });

  test('that cannot be taken back either are in the log', async () => {
    const { work, dify, chat, lines } = await press('like');
    dify.failures['rate'] = [error('dify_busy')];
    chat.failures['amend'] = [error('dingtalk_refused')];
    await work();
    expect(lines.slice(-2)).toMatchObject([
      { code: 'dify_busy' },
      { event: 'rating_failed', code: 'dingtalk_refused' },
    ]);
  });
});

describe('the reason of a dislike', () => {
  test.each<[string, { params: Record<string, unknown>; ids?: string[] }, string]>([
    ['is one of four', { params: { reason: 'outdated' } }, 'Outdated'],
    ['is what was written', { params: { input: ' 第二步已改 ' } }, '第二步已改'],
    ['is found by the id of the field', { params: { input: '少了附件' }, ids: ['dislike'] }, '少了附件'],
    ['is written rather than chosen', { params: { reason: 'other', input: '看不懂' } }, '看不懂'],
    ['ends after 500 characters', { params: { input: '长'.repeat(501) } }, '长'.repeat(500)],
  ])('%s', async (_name, { params, ids = [] }, reason) => {
    const pressed = await press(ids.length > 0 ? null : 'dislike', { params, ids, rating: 'dislike' });
    expect(pressed.rated).toMatchObject([{ rating: 'dislike', keeps: true }]);
    expect(pressed.reaction.update).toEqual({ like_status: 'dislike', ask_reason: '', notice: notices.reasonTaken });
    await pressed.work();
    expect(pressed.dify.calls['rate']).toMatchObject([{ rating: 'dislike', reason }]);
    expect(pressed.chat.amended).toEqual([]);
  });

  test.each([{ reason: '' }, { reason: 'toString' }, { input: '  ' }, { input: ['x'] }])(
    'that is none of these changes nothing: %j',
    async (params) => {
      const { rated, reaction } = await press('dislike', { params });
      expect(reaction).toEqual({ update: { notice: notices.noReason }, work: null });
      expect(rated).toEqual([]);
    },
  );

  test('that Dify does not take is asked for again, and the opinion stays', async () => {
    const { work, dify, chat } = await press('dislike', { params: { reason: 'wrong' }, rating: 'dislike' });
    dify.failures['rate'] = [error('dify_busy')];
    await work();
    expect(chat.amended).toMatchObject([{ own: { variables: { ask_reason: 'true', notice: notices.notRated } } }]);
    expect(chat.amended[0]?.own?.variables).not.toHaveProperty('like_status');
  });
});

describe('ask', () => {
  test('asks in the name of the person who pressed, in the chat of the card', async () => {
    const { notice, taken, reaction } = await press('ask', { by: 'staff-2', params: { question: ' And then? ' } });
    expect(notice).toBe(notices.received);
    expect(reaction.work).not.toBeNull();
    expect(taken).toMatchObject([
      {
        message: {
          chat: { id: GROUP.id, isGroup: true },
          sender: { staffId: 'staff-2', id: 'staff-2', isAdmin: false },
          content: { kind: 'text', text: 'And then?' },
        },
        form: null,
      },
    ]);
  });

  test('is one question however often a person presses it, and one for each person', async () => {
    const idOf = async (by: string, question: string) =>
      (await press('ask', { by, params: { question } })).taken[0]?.message.id;
    expect(await idOf('staff-1', 'a')).toBe(await idOf('staff-1', 'a'));
    expect(await idOf('staff-1', 'a')).not.toBe(await idOf('staff-2', 'a'));
    expect(await idOf('staff-1', 'a')).not.toBe(await idOf('staff-1', 'b'));
    expect((await press('ask', { params: { question: 'a' }, isRepeated: true })).notice).toBe(notices.already);
  });

  test('without a question is no button, and a long question is cut', async () => {
    expect((await press('ask')).notice).toBe(notices.unknownButton);
    const { taken } = await press('ask', { params: { question: 'x'.repeat(600) } });
    expect(taken[0]?.message.content).toEqual({ kind: 'text', text: 'x'.repeat(500) });
  });
});

test('new begins the conversation of the person who pressed anew; twice within ten seconds is once', async () => {
  const { taken } = await press('new', { by: 'staff-2' });
  expect(taken).toMatchObject([{ message: { content: { text: '/new' }, sender: { staffId: 'staff-2' } } }]);
  expect(taken[0]?.message.id).toBe((await press('new', { by: 'staff-2' })).taken[0]?.message.id);
});

describe('retry', () => {
  const failed: TurnRecord = { ...done, payload };

  test('asks the question again, once for each card', async () => {
    const { taken, notice } = await press('retry', { record: failed });
    expect(notice).toBe(notices.received);
    expect(taken).toMatchObject([{ message: { content: message.content, sender: message.sender }, form: null }]);
    expect(taken[0]?.message.id).not.toBe(message.id);
    expect(taken[0]?.message.id).toBe((await press('retry', { record: failed })).taken[0]?.message.id);
  });

  test('gives the answer to a form again', async () => {
    const form = { ...answered.form, inputs: {}, appType: 'chatflow', user: 'u' };
    const record = { ...failed, payload: JSON.stringify({ message, question: 'a', acceptedAtMs: 0, form }) };
    expect((await press('retry', { record })).taken).toMatchObject([{ form }]);
  });

  test.each<[string, TurnRecord]>([
    ['is still being answered', running],
    ['is not on record any more', done],
  ])('of a question that %s does nothing', async (_, record) => {
    const { taken, notice } = await press('retry', { record });
    expect(notice).toBe(notices.retryExpired);
    expect(taken).toEqual([]);
  });
});

describe('form', () => {
  const given = async (params: Record<string, unknown>) => (await press('form', { params })).taken[0];

  test('answers the form of the card, as the user of its run', async () => {
    const params = { action_id: 'approve', title: 'Approve', form: { reason: 'because' } };
    expect(await given(params)).toMatchObject({
      message: { content: { kind: 'text', text: 'Approve' } },
      form: {
        token: 'token-1',
        runId: 'run-1',
        shownChars: 9,
        appType: 'chatflow',
        user: 'user-of-the-run',
        action: 'approve',
        inputs: { reason: 'because' },
      },
    });
  });

  test('pressed by the button of the form component, which names no action, means the first', async () => {
    expect(await given({ form: { reason: 'because' } })).toMatchObject({
      message: { content: { text: 'first' } },
      form: { action: 'first' },
    });
  });

  test('can be sent again with other values, but not twice with the same', async () => {
    const idOf = async (reason: string) => (await given({ form: { reason } }))?.message.id;
    expect(await idOf('a')).toBe(await idOf('a'));
    expect(await idOf('a')).not.toBe(await idOf('b'));
  });

  test.each<[string, unknown, Record<string, string>]>([
    ['an object', { a: 'x', b: 2, c: true }, { a: 'x', b: '2', c: 'true' }],
    ['JSON', '{"a":"x"}', { a: 'x' }],
    ['a choice with its place', { a: { index: 1, value: 'low' } }, { a: 'low' }],
    ['a list of one choice', { a: ['low'], b: [{ index: 0, value: 'high' }] }, { a: 'low', b: 'high' }],
    ['a list of several', { a: ['low', 'high'], b: {}, c: null }, {}],
    ['no object', 'words', {}],
    ['nothing', undefined, {}],
  ])('reads its fields from %s', async (_, form, inputs) => {
    expect((await given({ form }))?.form?.inputs).toEqual(inputs);
  });

  test.each<[string, Partial<AnsweredTurn>, string]>([
    ['has none', { form: null }, texts.failures.form_closed],
    ['is of an app of unknown type', { appType: null }, texts.failures.form_closed],
    [
      'has a form without actions',
      { form: shownForm({ token: 't', runId: 'r', action: '', shownChars: 0 }) },
      notices.unknownButton,
    ],
  ])('of a card that %s does nothing', async (_, changes, sentence) => {
    const record = { ...done, receipt: JSON.stringify({ ...answered, ...changes }) };
    const { notice, taken } = await press('form', { record });
    expect(notice).toBe(sentence);
    expect(taken).toEqual([]);
  });

  describe('a second time', () => {
    const chosen = writeNote({ kind: 'chosen', action: 'Reject', by: 'Ann', atMs: 0 });
    const pressed = writeNote({ kind: 'pressed', turnId: CARD, action: 'Reject', by: 'Ann', atMs: -60_000 });
    const said = '✅ Ann chose: Reject (1 Jan, 08:00 China time)';

    test.each<[string, string, Partial<TurnRecord>, string, string]>([
      ['by the asker', 'staff-1', { formNote: chosen }, said, 'gone'],
      ['by anybody else', 'staff-2', { formNote: chosen }, said, 'gone'],
      [
        'after its time',
        'staff-2',
        { formNote: writeNote({ kind: 'expired', title: 'A' }) },
        texts.form.expired('A'),
        'gone',
      ],
      ['after an answer elsewhere', 'staff-2', { formNote: writeNote({ kind: 'closed' }) }, texts.form.closed, 'gone'],
      [
        'while the answer is on its way',
        'staff-2',
        { formNote: pressed, state: 'started' },
        texts.form.submitting({ action: 'Reject', by: 'Ann' }),
        'there',
      ],
    ])('%s shows what came of the first, and asks nothing', async (_, by, changes, sentence, buttons) => {
      const { notice, reaction, taken } = await press('form', { by, record: { ...done, ...changes } });
      expect(notice).toBe(sentence);
      expect(reaction.shared).toEqual(buttons === 'gone' ? NO_FORM : undefined);
      expect(taken).toEqual([]);
    });

    test('at the same moment, one of the two is taken', async () => {
      const { notice, taken } = await press('form', { noted: pressed });
      expect(notice).toBe(texts.form.submitting({ action: 'Reject', by: 'Ann' }));
      expect(taken).toEqual([]);
    });

    test('after the first led to nothing is taken, also with the same values', async () => {
      const first = await press('form');
      const second = await press('form', { record: { ...done, formNote: pressed } });
      expect(second.taken).toHaveLength(1);
      expect(second.taken[0]?.message.id).not.toBe(first.taken[0]?.message.id);
    });
  });

  test('of a question that is still being answered does nothing', async () => {
    expect((await press('form', { record: running })).notice).toBe(texts.failures.form_closed);
  });
});

test('each press is in the log, with whether something comes of it', async () => {
  expect((await press('new')).lines).toMatchObject([{ event: 'button_pressed', turn: 'card-id-', done: true }]);
  expect((await press('dance')).lines).toMatchObject([{ event: 'button_pressed', done: false }]);
});

test('a person who pressed and is not the asker is known by the staff id alone', async () => {
  const { taken } = await press('new', { by: 'staff-7' });
  expect(taken[0]?.message.sender).toEqual({ ...senderOf('staff-7'), id: 'staff-7' });
});

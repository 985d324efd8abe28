import { describe, expect, test } from 'vitest';
import type { CardSink, MessageSink } from '../../lib/delivery/sink.ts';
import { createCardBreaker } from '../../lib/dingtalk/card-breaker.ts';
import { createCardExtras } from '../../lib/dingtalk/card-extras.ts';
import type { CardCallback } from '../../lib/dingtalk/card-callback.ts';
import { createChat, type Addressee } from '../../lib/dingtalk/chat.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { DingTalkOptions } from '../../playground/dingtalk/types.ts';
import { codeOf, createLogLines } from '../support/delivery.ts';
import { bytesOf } from '../support/dingtalk-files.ts';
import { GROUP, senderOf, startDingTalk, TEMPLATE } from '../support/dingtalk.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

interface SceneOptions extends Partial<DingTalkOptions> {
  env?: Record<string, string>;
  callback?: CardCallback;
}

const noCallback: CardCallback = { routeKey: async () => null, isPending: () => false };

async function scene({ env, callback = noCallback, ...options }: SceneOptions = {}) {
  const { dingtalk, config } = await startDingTalk(options, { DINGTALK_CARD_TEMPLATE_ID: TEMPLATE, ...env });
  const { log, lines } = createLogLines(systemClock);
  const breaker = createCardBreaker(systemClock);
  const client = createDingTalkClient(config, fetch, systemClock);
  const chat = createChat({
    config,
    client,
    callback,
    breaker,
    extras: createCardExtras(systemClock),
    fetch,
    clock: systemClock,
    log,
  });
  const { body } = dingtalk.callback({ from: 'staff-1', text: '年假？' });
  const message: Addressee = {
    id: 'msg-1',
    chat: { id: dingtalk.singleConversation('staff-1'), isGroup: false, title: null },
    sender: senderOf(),
    session: { webhook: String(body['sessionWebhook']), expiresAtMs: null },
  };
  const card = (id = 'card-1', changes: Partial<Addressee> = {}) =>
    chat.newCard({
      id,
      message: { ...message, ...changes },
      summary: '年假？',
      question: '年假有几天？',
      app: () => '',
      reference: 'r',
    });
  return { dingtalk, chat, message, card, lines, breaker };
}

const sure = (card: CardSink | null): CardSink => {
  if (!card) throw new Error('no card');
  return card;
};

const send = (reply: MessageSink) => codeOf(reply.send({ title: '回答', text: '十天', mentionAsker: true }));

describe('a message to the asker', () => {
  test("goes to the session's address", async () => {
    const { dingtalk, chat, message, lines } = await scene();
    expect(await send(chat.replyTo(message, 'r'))).toBe('fine');
    expect(dingtalk.messages).toMatchObject([{ channel: 'session', text: '十天' }]);
    expect(lines).toEqual([]);
  });

  test('comes from the robot where that address is closed', async () => {
    const { dingtalk, chat, message, lines } = await scene();
    dingtalk.expireSessions();
    expect(await send(chat.replyTo(message, 'r'))).toBe('fine');
    expect(dingtalk.messages).toMatchObject([{ channel: 'robot', text: '十天' }]);
    expect(lines).toMatchObject([{ event: 'reply_fallback', turn: 'r', code: 'dingtalk_session_expired' }]);
  });
});

describe('a card', () => {
  test('is made and shown', async () => {
    const { dingtalk, card } = await scene();
    const made = card();
    await made?.open();
    await made?.write({ text: '十天', state: 'finished', id: 'frame-1' });
    expect(dingtalk.cards.get('card-1')).toMatchObject({
      phase: 'finished',
      content: '十天',
      listSummary: { ZH_CN: '年假？' },
      callbackRouteKey: null,
    });
    expect(dingtalk.violations).toEqual([]);
  });

  test('is not tried without a template', async () => {
    const { chat, card } = await scene({ env: { DINGTALK_CARD_TEMPLATE_ID: '' } });
    expect(card()).toBeNull();
    expect(chat.openedCard('card-1')).toBeNull();
  });

  test('is not tried any more after three that were refused for good, and the log says why', async () => {
    const { dingtalk, card, lines } = await scene({ permissions: ['qyapi_robot_sendmsg'] });
    for (const id of ['card-1', 'card-2', 'card-3']) {
      expect(await codeOf(sure(card(id)).open())).toBe('dingtalk_permission_missing');
    }
    expect(lines).toEqual([]);
    expect(card('card-4')).toBeNull();
    expect(lines).toMatchObject([{ event: 'cards_left_alone', turn: 'r', code: 'dingtalk_permission_missing' }]);
    expect(dingtalk.cards.size).toBe(0);
  });

  test('counts once for each asker where the refusal may be about the asker', async () => {
    const { card, breaker } = await scene();
    const stranger = senderOf({ staffId: 'stranger', id: 'sender-of-stranger' });
    for (const id of ['card-1', 'card-2', 'card-3']) {
      expect(await codeOf(sure(card(id, { sender: stranger })).open())).toBe('dingtalk_card_undelivered');
    }
    expect(breaker.reason()).toBeNull();
  });

  test('that another instance made is ended by its id', async () => {
    const { dingtalk, chat, card } = await scene();
    await card()?.open();
    const opened = chat.openedCard('card-1');
    await opened?.open();
    await opened?.write({ text: '停了', state: 'finished', id: 'frame-1' });
    expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'finished', content: '停了' });
    expect(await codeOf(sure(chat.openedCard('card-2')).write({ text: '停了', state: 'finished', id: 'f' }))).toBe(
      'dingtalk_refused',
    );
  });
});

describe('variables', () => {
  test('of an ended card are changed for everybody', async () => {
    const { dingtalk, chat, card } = await scene();
    await card()?.open();
    await card()?.write({ text: '十天', state: 'finished', id: 'frame-1' });
    await chat.amend('card-1', { suggestions: '[]' });
    expect(dingtalk.cards.get('card-1')).toMatchObject({ content: '十天', variables: { suggestions: '[]' } });
  });

  test('are changed for everybody and for one person in one call', async () => {
    const { dingtalk, chat, card } = await scene();
    await card()?.open();
    const calls = dingtalk.calls.length;
    const person = { staffId: 'staff-1', unionId: null };
    await chat.amend('card-1', { content: 'over' }, { person, variables: { notice: '' } });
    expect(dingtalk.calls.length).toBe(calls + 1);
    expect(dingtalk.cards.get('card-1')).toMatchObject({
      content: 'over',
      privateVariables: { 'staff-1': { notice: '' } },
    });
  });

  test.each([
    ['a staff id', { staffId: 'staff-1', unionId: 'union-1' }, { 'staff-1': { notice: 'seen' } }],
    ['a union id', { staffId: null, unionId: 'union-1' }, { 'staff-1': { notice: 'seen' } }],
    ['no id', { staffId: null, unionId: null }, {}],
  ])('for a person with %s', async (_which, person, privateVariables) => {
    const { dingtalk, chat, card } = await scene();
    await card()?.open();
    await chat.amend('card-1', null, { person, variables: { notice: 'seen' } });
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual(privateVariables);
    expect(dingtalk.violations).toEqual([]);
  });
});

test('a notice reaches the single chats of people', async () => {
  const { dingtalk, chat } = await scene();
  await chat.notify(['staff-1', 'staff-2'], { title: '额度', text: '80 %' });
  expect(dingtalk.messages.map(({ conversationId }) => conversationId)).toEqual(
    ['staff-1', 'staff-2'].map((person) => dingtalk.singleConversation(person)),
  );
});

test('a file that a user sent has an address, one of the app goes out as a message', async () => {
  const { dingtalk, chat, message } = await scene();
  const { body } = dingtalk.callback({
    from: 'staff-1',
    kind: 'file',
    file: { name: 'a.pdf', bytes: Buffer.from('%PDF') },
  });
  const { downloadCode } = body['content'] as { downloadCode: string };
  expect(await chat.addressOf(downloadCode)).toMatch(/^http:\/\/127\.0\.0\.1/);
  const pdf = { type: 'file' as const, name: 'b.pdf', mimeType: 'application/pdf', size: 4, bytes: bytesOf('%PDF') };
  const mediaId = await chat.upload(pdf);
  await chat.fileMessagesTo(message).file({ mediaId, name: 'b.pdf', extension: 'pdf' });
  expect(dingtalk.messages).toMatchObject([{ kind: 'sampleFile', file: { mediaId } }]);
});

test('says whether the next card may cost a call to register its buttons', async () => {
  const { chat } = await scene({ callback: { ...noCallback, isPending: () => true } });
  expect(chat.mayRegister()).toBe(true);
  expect((await scene()).chat.mayRegister()).toBe(false);
});

test('the calls of a counting chat are counted, those of others and replies are not', async () => {
  const { dingtalk, chat, message } = await scene();
  let calls = 0;
  const counting = chat.counting(() => (calls += 1));
  const card = counting.newCard({ id: 'card-1', message, summary: '', question: '', app: () => '', reference: 'r' });
  await card?.open();
  await card?.write({ text: '十天', state: 'finished', id: 'frame-1' });
  await counting.amend('card-1', { a: '1' });
  expect(calls).toBe(3);
  await chat.amend('card-1', { a: '2' });
  await send(counting.replyTo(message, 'r'));
  expect(calls).toBe(3);
  expect(dingtalk.messages).toHaveLength(1);
  expect(dingtalk.cards.get('card-1')?.conversationId).not.toBe(GROUP);
});

import { describe, expect, test } from 'vitest';
import type { Json } from '../../playground/http/shape.ts';
import { app, createManualClock, groupId, startDingTalk } from './support.ts';

async function startChat(options: Parameters<typeof startDingTalk>[0] = {}) {
  const started = await startDingTalk(options);
  const { body } = started.dingtalk.callback({ from: 'staff-0001', conversation: groupId, text: '你好' });
  const webhook = new URL(String(body['sessionWebhook']));
  const path = `${webhook.pathname}${webhook.search}`;
  return { ...started, path, say: (message: unknown) => started.send('POST', path, message) };
}

const text = (content: string, at?: Json): Json => ({ msgtype: 'text', text: { content }, ...(at ? { at } : {}) });

describe('a session reply', () => {
  test('appears in the chat the question came from, without a token and without counting', async () => {
    const { dingtalk, say } = await startChat();
    const markdown = { msgtype: 'markdown', markdown: { title: '回答', text: '**好**' } };
    expect(await say(markdown)).toEqual({ status: 200, body: { errcode: 0, errmsg: 'ok' } });
    expect(dingtalk.messages).toMatchObject([
      { channel: 'session', kind: 'markdown', conversationId: groupId, title: '回答', text: '**好**', mentions: [] },
    ]);
    expect(dingtalk.countedCalls()).toBe(0);
  });

  test('mentions only people who are listed and whose id stands in the text', async () => {
    const { dingtalk, say } = await startChat();
    await say(text('@staff-0001 好了', { atUserIds: ['staff-0001', 'staff-0002'] }));
    expect(dingtalk.messages[0]?.mentions).toEqual(['staff-0001']);
  });

  const kinds: [kind: string, message: Json][] = [
    ['actionCard', { actionCard: { title: 't', text: 'x', singleTitle: 's', singleURL: 'https://x.example' } }],
    ['link', { link: { title: 't', text: 'x', messageUrl: 'https://x.example' } }],
    ['feedCard', { feedCard: { links: [{ title: 't', messageURL: 'https://x', picURL: 'https://y' }] } }],
  ];
  test.each(kinds)('may be a %s', async (kind, message) => {
    const { dingtalk, say } = await startChat();
    expect((await say({ msgtype: kind, ...message })).body['errcode']).toBe(0);
    expect(dingtalk.messages).toMatchObject([{ kind }]);
  });

  const refusals: [what: string, message: unknown, errcode: number][] = [
    ['another type', { msgtype: 'image', image: { mediaId: '@x' } }, 400105],
    ['a missing type', { text: { content: 'x' } }, 400105],
    ['a text without content', { msgtype: 'text', text: {} }, 40035],
    ['markdown without a title', { msgtype: 'markdown', markdown: { text: 'x' } }, 40035],
    ['an empty body', '', 40035],
    ['a body that is not JSON', '{', 40035],
    ['mentions that are not a list', text('x', { atUserIds: 'staff-0001' }), 40035],
    ['more than 50 mentions', text('x', { atUserIds: Array.from({ length: 51 }, (_, n) => `u${n}`) }), 40035],
    ['a body over 20,000 bytes', text('字'.repeat(6700)), 460101],
  ];
  test.each(refusals)('is refused in a 200 body, as a violation: %s', async (_what, message, errcode) => {
    const { dingtalk, say } = await startChat();
    expect(await say(message)).toMatchObject({ status: 200, body: { errcode } });
    expect(dingtalk.violations).toMatchObject([{ api: 'sendBySession', code: String(errcode) }]);
    expect(dingtalk.messages).toEqual([]);
  });

  test('needs a JSON content type', async () => {
    const { send, path } = await startChat();
    const reply = await send('POST', path, text('x'), { 'content-type': 'text/plain' });
    expect(reply.body['errcode']).toBe(43004);
  });

  test('answers 300001 once the session has expired, and for a session nobody issued', async () => {
    const manual = createManualClock();
    const { dingtalk, send, say } = await startChat({ clock: manual.clock });
    manual.advance(5_399_000);
    expect((await say(text('好'))).body['errcode']).toBe(0);
    manual.advance(1_001);
    expect((await say(text('好'))).body['errcode']).toBe(300001);
    expect(dingtalk.violations).toEqual([]);
    const unknown = await send('POST', '/robot/sendBySession?session=made-up', text('好'));
    expect(unknown.body['errcode']).toBe(300001);
    expect(dingtalk.violations).toHaveLength(1);
  });

  test('answers 300001 after all sessions were expired by hand', async () => {
    const { dingtalk, say } = await startChat();
    dingtalk.expireSessions();
    expect((await say(text('好'))).body['errcode']).toBe(300001);
  });

  test('is limited to 20 a minute', async () => {
    const manual = createManualClock();
    const { dingtalk, say } = await startChat({ clock: manual.clock });
    for (let count = 0; count < 20; count += 1) await say(text(`${count}`));
    expect((await say(text('21'))).body['errcode']).toBe(410100);
    manual.advance(60_001);
    expect((await say(text('22'))).body['errcode']).toBe(0);
    expect(dingtalk.messages).toHaveLength(21);
  });

  test('through an address that was never given is a violation; one of ten thousand sessions ago has expired', async () => {
    const { dingtalk, send, say } = await startChat();
    const stranger = await send('POST', '/robot/sendBySession?session=none', text('x'));
    expect(stranger.body['errcode']).toBe(300001);
    expect(dingtalk.violations).toMatchObject([{ message: 'the session was never issued' }]);
    for (let count = 0; count < 10_000; count += 1) dingtalk.callback({ from: 'staff-0001', text: 'x' });
    expect((await say(text('x'))).body['errcode']).toBe(300001);
    expect(dingtalk.violations).toHaveLength(1);
  });

  test('with an unsafe word is refused with 430104', async () => {
    const { dingtalk, say } = await startChat({ unsafeWords: ['违禁'] });
    expect((await say(text('含违禁词'))).body['errcode']).toBe(430104);
    expect(dingtalk.violations).toEqual([]);
  });
});

type Sending = readonly [method: string, path: string, body: Json];

const single = (changes: Json = {}): Sending => [
  'POST',
  '/v1.0/robot/oToMessages/batchSend',
  {
    robotCode: app.clientId,
    userIds: ['staff-0001'],
    msgKey: 'sampleMarkdown',
    msgParam: JSON.stringify({ title: '提醒', text: '额度不足' }),
    ...changes,
  },
];
const group = (changes: Json = {}): Sending =>
  [
    'POST',
    '/v1.0/robot/groupMessages/send',
    {
      robotCode: app.clientId,
      openConversationId: groupId,
      msgKey: 'sampleText',
      msgParam: JSON.stringify({ content: '好' }),
      ...changes,
    },
  ] as const;

describe('a robot message', () => {
  test('reaches people one by one and names those it does not know', async () => {
    const { dingtalk, call } = await startDingTalk();
    const reply = await call(...single({ userIds: ['staff-0001', 'nobody'] }));
    expect(reply).toMatchObject({ status: 200, body: { invalidStaffIdList: ['nobody'] } });
    expect(dingtalk.messages).toMatchObject([
      {
        channel: 'robot',
        kind: 'markdown',
        title: '提醒',
        conversationId: dingtalk.singleConversation('staff-0001'),
      },
    ]);
    expect(dingtalk.countedCalls()).toBe(1);
  });

  test('reaches a group', async () => {
    const { dingtalk, call } = await startDingTalk();
    expect((await call(...group())).status).toBe(200);
    expect(dingtalk.messages).toMatchObject([{ kind: 'text', text: '好', conversationId: groupId }]);
  });

  test('needs its permission', async () => {
    const { call } = await startDingTalk({ permissions: [] });
    expect((await call(...group())).status).toBe(403);
  });

  test('with an unsafe word is refused', async () => {
    const { dingtalk, call } = await startDingTalk({ unsafeWords: ['额度'] });
    expect(await call(...single())).toMatchObject({ status: 400, body: { code: 'contain.notAllowed.content' } });
    expect((await call(...group())).status).toBe(200);
    expect(dingtalk.violations).toEqual([]);
  });

  const refusals: [what: string, request: Sending][] = [
    ['a foreign robot code', single({ robotCode: 'other' })],
    ['an unknown msgKey', single({ msgKey: 'markdown' })],
    ['a msgParam that is an object', single({ msgParam: { title: 'x', text: 'y' } })],
    ['a msgParam that is not JSON', single({ msgParam: 'x' })],
    ['a msgParam without a required field', single({ msgParam: '{"title":"x"}' })],
    ['a msgParam over 15,000 bytes', group({ msgParam: JSON.stringify({ content: 'x'.repeat(15_000) }) })],
    ['nobody to send to', single({ userIds: [] })],
    ['more than 20 people', single({ userIds: Array.from({ length: 21 }, (_, n) => `u${n}`) })],
    ['an unknown group', group({ openConversationId: 'cidNowhere' })],
  ];
  test.each(refusals)('is refused, as a violation: %s', async (_what, request) => {
    const { dingtalk, call } = await startDingTalk();
    expect((await call(...request)).status).toBe(400);
    expect(dingtalk.violations).toHaveLength(1);
    expect(dingtalk.messages).toEqual([]);
  });
});

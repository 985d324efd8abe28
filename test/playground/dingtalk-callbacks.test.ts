import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { signCardCallback, signRobotCallback } from '../../playground/dingtalk/callback.ts';
import { readBody, reply } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { app, createManualClock, groupId, startDingTalk } from './support.ts';

function fixture(name: string): Json {
  const url = new URL(`../fixtures/dingtalk/${name}.json`, import.meta.url);
  return recordOf(parseJson(readFileSync(url, 'utf8')));
}

/** A robot's own server: answers what it is told to and remembers what it was sent. */
async function startRobot(answer = '{"msgtype":"empty"}') {
  const seen: { headers: Json; body: string }[] = [];
  const server = await startServer(async (request, response) => {
    seen.push({ headers: request.headers, body: (await readBody(request)).toString('utf8') });
    reply(response, 200, 'application/json', answer);
  });
  onTestFinished(() => server.close());
  return { seen, url: `${server.origin}/api/dingtalk` };
}

test('both signatures agree with the recorded vectors', () => {
  const { robot, card } = fixture('signatures');
  const { timestamp, secret, sign } = recordOf(robot);
  expect(signRobotCallback(String(timestamp), String(secret))).toBe(sign);
  const { timestamp: at, apiSecret, signature } = recordOf(card);
  expect(signCardCallback(String(at), String(apiSecret))).toBe(signature);
});

describe('a callback has the shape of the recorded one', () => {
  const cases = [
    ['text-group', { from: 'staff-0001', conversation: groupId, text: '年假怎么申请？' }],
    ['text-single', { from: 'staff-0001', text: '年假怎么申请？' }],
    ['rich-text', { from: 'staff-0001', conversation: groupId, kind: 'richText' }],
    ['picture', { from: 'staff-0001', kind: 'picture' }],
    ['audio', { from: 'staff-0001', kind: 'audio' }],
    ['video', { from: 'staff-0001', kind: 'video' }],
    ['file', { from: 'staff-0001', kind: 'file' }],
    ['unknown-type', { from: 'staff-0001', kind: 'unknownMsgType' }],
  ] as const;
  test.each(cases)('%s', async (name, input) => {
    const { dingtalk } = await startDingTalk();
    const { body } = dingtalk.callback(input);
    const recorded = recordOf(fixture(name)['body']);
    expect(Object.keys(body)).toEqual(Object.keys(recorded));
    expect(body['msgtype']).toBe(recorded['msgtype']);
    expect(Object.keys(recordOf(body['content']))).toEqual(Object.keys(recordOf(recorded['content'])));
    expect(body['text']).toEqual(recorded['text']);
  });

  test('external-sender: no staff id, the union id instead', async () => {
    const { dingtalk } = await startDingTalk();
    const { body } = dingtalk.callback({ from: 'union-0009', conversation: groupId, text: '你好' });
    expect(body).not.toHaveProperty('senderStaffId');
    expect(body['senderUnionId']).toBe('union-0009');
  });
});

test('fields can be replaced and taken away', async () => {
  const { dingtalk } = await startDingTalk();
  const overrides = { robotCode: 'other', msgId: undefined };
  const { body } = dingtalk.callback({ from: 'staff-0001', text: 'x' }, overrides);
  expect(body['robotCode']).toBe('other');
  expect(body).not.toHaveProperty('msgId');
});

test('nobody unknown can write, and not into an unknown group', async () => {
  const { dingtalk } = await startDingTalk();
  expect(() => dingtalk.callback({ from: 'nobody', text: 'x' })).toThrow('nobody');
  expect(() => dingtalk.callback({ from: 'staff-0001', conversation: 'cidNo', text: 'x' })).toThrow('cidNo');
});

test('a callback is delivered signed, and a redelivery is byte for byte the same', async () => {
  const manual = createManualClock();
  const { dingtalk } = await startDingTalk({ clock: manual.clock });
  const robot = await startRobot();
  const callback = dingtalk.callback({ from: 'staff-0001', text: '你好' });
  expect(await dingtalk.deliver(robot.url, callback)).toMatchObject({ status: 200, body: '{"msgtype":"empty"}' });
  manual.advance(16_000);
  await dingtalk.deliver(robot.url, callback);
  const [first, second] = robot.seen;
  expect(second?.body).toBe(first?.body);
  expect(second?.headers['sign']).toBe(first?.headers['sign']);
  expect(first?.headers['sign']).toBe(signRobotCallback(String(first?.headers['timestamp']), app.clientSecret));
  expect(dingtalk.messages).toEqual([]);
});

test('a response that is a message itself is shown in the chat', async () => {
  const { dingtalk } = await startDingTalk();
  const robot = await startRobot('{"msgtype":"text","text":{"content":"直接回复"}}');
  await dingtalk.deliver(robot.url, dingtalk.callback({ from: 'staff-0001', conversation: groupId, text: '你好' }));
  expect(dingtalk.messages).toMatchObject([{ channel: 'response', text: '直接回复', conversationId: groupId }]);
});

describe('a tap on a card button', () => {
  const register = ['POST', '/v1.0/card/callbacks/register'] as const;

  test('is signed with the registered secret, and its response changes the card for who tapped', async () => {
    const { dingtalk, call, create } = await startDingTalk();
    const robot = await startRobot(
      '{"cardUpdateOptions":{"updateCardDataByKey":true},"cardData":{"cardParamMap":{"stopped":"true"}}}',
    );
    await call(...register, { callbackRouteKey: 'key', callbackUrl: robot.url, apiSecret: 'card secret' });
    await create({ callbackType: 'HTTP', callbackRouteKey: 'key' });
    const input = { outTrackId: 'card-1', userId: 'staff-0002', actionId: 'stop', params: { action: 'stop' } };
    const action = dingtalk.cardAction(input);
    expect(Object.keys(action.body)).toEqual(Object.keys(recordOf(fixture('card-action')['body'])));
    expect(parseJson(String(action.body['content']))).toEqual({
      cardPrivateData: { actionIds: ['stop'], params: { action: 'stop' } },
    });
    await dingtalk.deliver(dingtalk.callbackUrl('card-1') ?? '', action);
    const headers = robot.seen[0]?.headers ?? {};
    const timestamp = String(headers['x-ddpaas-signature-timestamp']);
    expect(headers['x-ddpaas-signature']).toBe(signCardCallback(timestamp, 'card secret'));
    const card = dingtalk.cards.get('card-1');
    expect(card?.privateVariables).toEqual({ 'staff-0002': { stopped: 'true' } });
    expect(card?.variables).toEqual({ content: '' });
  });

  test('is not signed where no secret was registered', async () => {
    const { dingtalk, call, create } = await startDingTalk();
    await call(...register, { callbackRouteKey: 'key', callbackUrl: 'https://bot.example.com' });
    await create({ callbackType: 'HTTP', callbackRouteKey: 'key' });
    const action = dingtalk.cardAction({ outTrackId: 'card-1', userId: 'staff-0001', actionId: 'like' });
    expect(Object.keys(action.headers)).toEqual(['content-type']);
  });
});

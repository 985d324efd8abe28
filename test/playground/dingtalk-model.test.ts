// What the official SDK could not have sent is blamed, although DingTalk itself passes over it.
import { expect, test } from 'vitest';
import type { Json } from '../../playground/http/shape.ts';
import { app, groupId, startDingTalk } from './support.ts';

const deliverModel = { robotCode: app.clientId };

const ofCards: [what: string, changes: Json, message: string][] = [
  ['a field that is not there', { cardData: { cardParamMap: {} }, config: '{}' }, 'the SDK has no field config'],
  ['userIdType as a text', { userIdType: '1' }, 'userIdType must be 1 or 2'],
  [
    'privateData without its map',
    { privateData: { 'staff-0001': { content: 'x' } } },
    'the SDK has no field privateData.staff-0001.content',
  ],
  [
    'privateData that is no text',
    { privateData: { 'staff-0001': { cardParamMap: { n: 1 } } } },
    'privateData.staff-0001.cardParamMap.n must be a string',
  ],
  [
    'lastMessageI18n with a number',
    { imGroupOpenSpaceModel: { supportForward: true, lastMessageI18n: { ZH_CN: 1 } } },
    'lastMessageI18n must map known languages to text',
  ],
  [
    'atUserIds as a list',
    { imGroupOpenDeliverModel: { ...deliverModel, atUserIds: ['staff-0001'] } },
    'atUserIds must map user ids to names',
  ],
  [
    'a field of another model',
    { imGroupOpenDeliverModel: { ...deliverModel, spaceType: 'IM_GROUP' } },
    'the SDK has no field imGroupOpenDeliverModel.spaceType',
  ],
  ['a callback key that is no text', { callbackRouteKey: 7 }, 'callbackRouteKey must be a string'],
];

test.each(ofCards)('a new card with %s', async (_what, changes, message) => {
  const { dingtalk, create } = await startDingTalk();
  await create(changes);
  expect(dingtalk.violations.map((violation) => violation.message)).toEqual([expect.stringContaining(message)]);
});

const updates: [what: string, body: Json, message: string][] = [
  [
    'cardUpdateOptions of texts',
    { cardUpdateOptions: { updateCardDataByKey: 'true' } },
    'cardUpdateOptions.updateCardDataByKey must be a boolean',
  ],
  [
    'options that are not there',
    { cardUpdateOptions: { updateByKey: true } },
    'the SDK has no field cardUpdateOptions.updateByKey',
  ],
  [
    'the name that only a response has',
    { userPrivateData: { cardParamMap: {} } },
    'the SDK has no field userPrivateData',
  ],
  ['userIdType as a text', { userIdType: '2' }, 'userIdType must be a number'],
];

test.each(updates)('a change of a card with %s', async (_what, changes, message) => {
  const { dingtalk, create, call } = await startDingTalk();
  await create();
  const body = { outTrackId: 'card-1', cardData: { cardParamMap: { a: 'b' } }, ...changes };
  await call('PUT', '/v1.0/card/instances', body);
  expect(dingtalk.violations.map((violation) => violation.message)).toEqual([expect.stringContaining(message)]);
});

const registrations: [what: string, changes: Json, message: string][] = [
  ['apiSecret that is no text', { apiSecret: 7 }, 'apiSecret must be a string'],
  ['forceUpdate as a text', { forceUpdate: 'true' }, 'forceUpdate must be a boolean'],
  ['a field that is not there', { routeKey: 'x' }, 'the SDK has no field routeKey'],
];

test.each(registrations)('a registration with %s', async (_what, changes, message) => {
  const { dingtalk, call } = await startDingTalk();
  const body = { callbackRouteKey: 'key', callbackUrl: 'https://bridge.example', ...changes };
  await call('POST', '/v1.0/card/callbacks/register', body);
  expect(dingtalk.violations.map((violation) => violation.message)).toEqual([expect.stringContaining(message)]);
});

test('a body of another content type', async () => {
  const { dingtalk, send, getToken } = await startDingTalk();
  const headers = { 'content-type': 'text/plain', 'x-acs-dingtalk-access-token': await getToken() };
  await send('POST', '/v1.0/robot/messageFiles/download', { robotCode: app.clientId, downloadCode: 'x' }, headers);
  expect(dingtalk.violations.map(({ message }) => message)).toContain('content-type must be application/json');
});

test('messages with a field that is not there', async () => {
  const { dingtalk, call } = await startDingTalk();
  const message = { robotCode: app.clientId, msgKey: 'sampleText', msgParam: '{"content":"x"}' };
  await call('POST', '/v1.0/robot/groupMessages/send', { ...message, openConversationId: groupId, chatId: 'x' });
  await call('POST', '/v1.0/robot/oToMessages/batchSend', { ...message, userIds: ['staff-0001'], at: {} });
  expect(dingtalk.violations.map((violation) => violation.message)).toEqual([
    'the SDK has no field chatId',
    'the SDK has no field at',
  ]);
});

import { describe, expect, test } from 'vitest';
import type { Json } from '../../playground/http/shape.ts';
import { app, groupId, singleCard, startDingTalk } from './support.ts';

test('a card in a group appears there, mentions the asker and shows its summary in the chat list', async () => {
  const { dingtalk, create } = await startDingTalk();
  const reply = await create({
    imGroupOpenSpaceModel: { supportForward: true, lastMessageI18n: { ZH_CN: '年假怎么申请' } },
    imGroupOpenDeliverModel: {
      robotCode: app.clientId,
      atUserIds: { 'staff-0001': '王小明' },
      extension: { dynamicSummary: 'true' },
    },
  });
  expect(reply).toMatchObject({
    status: 200,
    body: { success: true, result: { outTrackId: 'card-1', deliverResults: [{ spaceId: groupId, success: true }] } },
  });
  expect(dingtalk.cards.get('card-1')).toMatchObject({
    space: { kind: 'group', id: groupId },
    conversationId: groupId,
    mentions: [{ userId: 'staff-0001', name: '王小明' }],
    listSummary: { ZH_CN: '年假怎么申请' },
    summaryFollows: true,
    phase: 'processing',
    endedAt: null,
  });
});

test('a card in a single chat is addressed by staff id, or by union id with userIdType 2', async () => {
  const { dingtalk, create } = await startDingTalk();
  await create(singleCard);
  await create({
    ...singleCard,
    outTrackId: 'card-2',
    userIdType: 2,
    openSpaceId: 'dtv1.card//IM_ROBOT.union-0009',
  });
  expect(dingtalk.cards.get('card-1')?.conversationId).toBe(dingtalk.singleConversation('staff-0001'));
  expect(dingtalk.cards.get('card-2')?.conversationId).toBe(dingtalk.singleConversation('union-0009'));
});

test('clear may keep the newest cards, which can still be updated', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  for (const outTrackId of ['card-1', 'card-2', 'card-3']) await create({ outTrackId });
  dingtalk.clear(2);
  expect([...dingtalk.cards.keys()]).toEqual(['card-2', 'card-3']);
  expect(dingtalk.calls).toHaveLength(2);
  expect((await stream({ outTrackId: 'card-2' })).status).toBe(200);
});

test('an unknown group or person is HTTP 200 with a delivery that failed, and no card', async () => {
  const { dingtalk, create } = await startDingTalk();
  const failed = { success: false, errorMsg: 'spaceId is illegal' };
  expect(await create({ openSpaceId: 'dtv1.card//IM_GROUP.cidNowhere' })).toMatchObject({
    status: 200,
    body: { result: { deliverResults: [failed] } },
  });
  // With userIdType 1 a union id names nobody.
  expect(await create({ ...singleCard, openSpaceId: 'dtv1.card//IM_ROBOT.union-0001' })).toMatchObject({
    status: 200,
    body: { result: { deliverResults: [failed] } },
  });
  expect(dingtalk.cards.size).toBe(0);
});

describe('createAndDeliver refuses', () => {
  const cases: [what: string, changes: Json, code: string][] = [
    ['a missing outTrackId', { outTrackId: undefined }, 'param.outTrackIdEmpty'],
    ['an outTrackId of more than 100 characters', { outTrackId: 'x'.repeat(101) }, 'param.invalid'],
    ['a missing template', { cardTemplateId: undefined }, 'param.cardTemplateIdEmpty'],
    ['a missing space', { openSpaceId: undefined }, 'param.openSpaceIdEmpty'],
    ['a space that breaks the grammar', { openSpaceId: `IM_GROUP.${groupId}` }, 'param.openSpaceIdInvalid'],
    [
      'an extension that is no map of texts',
      { imGroupOpenDeliverModel: { robotCode: app.clientId, extension: { dynamicSummary: true } } },
      'param.openDeliverModelError',
    ],
    ['missing card data', { cardData: {} }, 'param.cardPublicDataEmpty'],
    ['a card value that is not a string', { cardData: { cardParamMap: { content: 1 } } }, 'param.invalid'],
    ['an unknown userIdType', { userIdType: 3 }, 'param.invalid'],
    ['a missing group deliver model', { imGroupOpenDeliverModel: undefined }, 'param.openDeliverModelEmpty'],
    ['a foreign robot code', { imGroupOpenDeliverModel: { robotCode: 'other' } }, 'param.openDeliverModelError'],
    ['a space model without supportForward', { imGroupOpenSpaceModel: {} }, 'param.openSpaceModelInvalid'],
    [
      'a list summary in an unknown language',
      { imGroupOpenSpaceModel: { supportForward: true, lastMessageI18n: { zh: '问题' } } },
      'param.openSpaceModelInvalid',
    ],
    [
      'mentions that are not a map of names',
      { imGroupOpenDeliverModel: { robotCode: app.clientId, atUserIds: ['staff-0001'] } },
      'param.openDeliverModelError',
    ],
    [
      'a mention of somebody unknown',
      { imGroupOpenDeliverModel: { robotCode: app.clientId, atUserIds: { nobody: 'x' } } },
      'param.userIdNotExist',
    ],
    [
      'a single chat without its deliver model',
      { ...singleCard, imRobotOpenDeliverModel: undefined },
      'param.spaceDeliverModelEmpty',
    ],
    [
      'a single chat whose deliver model has another space type',
      { ...singleCard, imRobotOpenDeliverModel: { spaceType: 'IM_GROUP', robotCode: app.clientId } },
      'param.openDeliverModelError',
    ],
    ['an HTTP callback without a route key', { callbackType: 'HTTP' }, 'param.callbackRouteKeyEmpty'],
    ['a route key nobody registered', { callbackType: 'HTTP', callbackRouteKey: 'nowhere' }, 'param.invalid'],
    ['an unknown callback type', { callbackType: 'http' }, 'param.invalid'],
  ];
  test.each(cases)('%s, as a violation', async (_what, changes, code) => {
    const { dingtalk, create } = await startDingTalk();
    expect(await create(changes)).toMatchObject({ status: 400, body: { code } });
    expect(dingtalk.violations).toMatchObject([{ api: 'createAndDeliver', code }]);
    expect(dingtalk.cards.size).toBe(0);
  });

  test('an empty body', async () => {
    const { call } = await startDingTalk();
    const reply = await call('POST', '/v1.0/card/instances/createAndDeliver', {});
    expect(reply.body['code']).toBe('param.empty');
  });

  const tenantCases: [what: string, changes: Json, code: string][] = [
    ['a template that does not exist', { cardTemplateId: 'none.schema' }, 'param.templateNotExist'],
    ['a template that is not published', { cardTemplateId: 'draft.schema' }, 'param.templateUnpublished'],
    ['unsafe content', { cardData: { cardParamMap: { content: '违禁词' } } }, 'param.contentUnsafe'],
  ];
  test.each(tenantCases)('%s, which is not the client’s fault', async (_what, changes, code) => {
    const { dingtalk, create } = await startDingTalk({ unsafeWords: ['违禁'] });
    expect(await create(changes)).toMatchObject({ status: 400, body: { code } });
    expect(dingtalk.violations).toEqual([]);
  });

  test('an outTrackId that is taken, as a violation only where the first answer arrived', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'lost-response' });
    await expect(create()).rejects.toThrow('fetch failed');
    expect(await create()).toMatchObject({ status: 400, body: { code: 'param.cardAlreadyExist' } });
    expect(dingtalk.violations).toEqual([]);
    await create({ outTrackId: 'card-2' });
    expect((await create({ outTrackId: 'card-2' })).status).toBe(400);
    expect(dingtalk.violations).toMatchObject([{ code: 'param.cardAlreadyExist', outTrackId: 'card-2' }]);
  });
});

describe('a tenant that refuses newer fields', () => {
  const extension = { dynamicSummary: 'true' };
  const modern = { imGroupOpenDeliverModel: { robotCode: app.clientId, extension } };
  const delivery = {
    outTrackId: 'card-1',
    openSpaceId: `dtv1.card//IM_GROUP.${groupId}`,
    imGroupOpenDeliverModel: { robotCode: app.clientId },
  };
  const refusing = (by: 'call' | 'failure' | 'delivery') =>
    startDingTalk({ refusedFields: { names: ['config', 'extension'], by } });

  test.each([
    ['call', 400, 'param.invalid'],
    ['failure', 500, 'system.error'],
  ] as const)('by the %s makes no card with them, and one without', async (by, status, code) => {
    const { dingtalk, create } = await refusing(by);
    expect(await create(modern)).toMatchObject({ status, body: { code } });
    expect(await create({ cardData: { cardParamMap: { config: '{"autoLayout":true}' } } })).toMatchObject({ status });
    expect(await create()).toMatchObject({ status: 200 });
    expect(dingtalk.cards.size).toBe(1);
    expect(dingtalk.violations).toEqual([]);
  });

  test('by the delivery makes a card that no one sees until it is delivered without them', async () => {
    const { dingtalk, call, create } = await refusing('delivery');
    const deliver = (body: Json) => call('POST', '/v1.0/card/instances/deliver', body);
    expect(await create(modern)).toMatchObject({ body: { result: { deliverResults: [{ success: false }] } } });
    expect(dingtalk.cards.size).toBe(0);
    expect(await deliver({ ...delivery, ...modern })).toMatchObject({ body: { result: [{ success: false }] } });
    expect(await deliver(delivery)).toMatchObject({ status: 200, body: { result: [{ success: true }] } });
    expect(dingtalk.cards.get('card-1')).toMatchObject({ conversationId: groupId, summaryFollows: false });
    expect(await deliver({ ...delivery, outTrackId: 'card-2' })).toMatchObject({
      body: { code: 'param.cardNotExist' },
    });
    expect(dingtalk.violations).toEqual([]);
    // The card is there, also while no one sees it.
    expect(await create()).toMatchObject({ body: { code: 'param.cardAlreadyExist' } });
  });
});

test.each(['{"autoLayout":"true"}', 'true', '{}'])('a width of %s is taken, and is a violation', async (config) => {
  const { dingtalk, create } = await startDingTalk();
  expect(await create({ cardData: { cardParamMap: { content: '', config } } })).toMatchObject({ status: 200 });
  expect(dingtalk.violations).toMatchObject([{ api: 'createAndDeliver', message: expect.stringContaining('config') }]);
});

const update = (body: Json) => ['PUT', '/v1.0/card/instances', { outTrackId: 'card-1', ...body }] as const;

describe('PUT card/instances', () => {
  test('changes single variables by key and overwrites everything without it', async () => {
    const { dingtalk, call, create } = await startDingTalk();
    await create({ cardData: { cardParamMap: { content: '旧', note: 'kept' } } });
    const cardUpdateOptions = { updateCardDataByKey: true };
    await call(...update({ cardData: { cardParamMap: { content: '新' } }, cardUpdateOptions }));
    expect(dingtalk.cards.get('card-1')).toMatchObject({ content: '新', variables: { content: '新', note: 'kept' } });
    await call(...update({ cardData: { cardParamMap: { note: 'alone' } } }));
    expect(dingtalk.cards.get('card-1')).toMatchObject({ content: '', variables: { note: 'alone' } });
  });

  test('moves the card by flowStatus, and works after the last frame', async () => {
    const { dingtalk, call, create, stream } = await startDingTalk();
    await create();
    await stream({ isFinalize: true });
    const cardUpdateOptions = { updateCardDataByKey: true };
    const reply = await call(...update({ cardData: { cardParamMap: { flowStatus: '5' } }, cardUpdateOptions }));
    expect(reply.status).toBe(200);
    expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'failed', content: '你好' });
  });

  test('keeps private variables for one person', async () => {
    const { dingtalk, call, create } = await startDingTalk();
    await create();
    await call(...update({ privateData: { 'staff-0001': { cardParamMap: { liked: 'true' } } } }));
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({ 'staff-0001': { liked: 'true' } });
  });

  const cases: [what: string, body: Json, code: string][] = [
    ['no data at all', {}, 'param.cardDataAndPrivateDataBothEmpty'],
    ['no outTrackId', { outTrackId: '' }, 'param.outTrackIdEmpty'],
    ['values that are not strings', { cardData: { cardParamMap: { content: true } } }, 'param.invalid'],
    ['a card nobody knows', { outTrackId: 'none', cardData: { cardParamMap: { content: 'x' } } }, 'param.cardNotExist'],
    ['private data of somebody unknown', { privateData: { nobody: { cardParamMap: {} } } }, 'param.userIdNotExist'],
  ];
  test.each(cases)('refuses %s', async (_what, body, code) => {
    const { dingtalk, call, create } = await startDingTalk();
    await create();
    expect(await call(...update(body))).toMatchObject({ status: 400, body: { code } });
    expect(dingtalk.violations).toMatchObject([{ api: 'updateCard', code }]);
  });

  test('refuses unsafe content', async () => {
    const { call, create } = await startDingTalk({ unsafeWords: ['违禁'] });
    await create();
    const reply = await call(...update({ cardData: { cardParamMap: { content: '违禁' } } }));
    expect(reply.body['code']).toBe('param.contentUnsafe');
  });
});

const register = (body: Json) => ['POST', '/v1.0/card/callbacks/register', body] as const;

describe('callbacks/register', () => {
  const route = { callbackRouteKey: 'key-1', callbackUrl: 'https://bot.example.com/api/dingtalk', apiSecret: 'one' };

  test('remembers the address of a route key, and then cards may name the key', async () => {
    const { call, create, dingtalk } = await startDingTalk();
    expect(await call(...register(route))).toMatchObject({ status: 200, body: { success: true } });
    await create({ callbackType: 'HTTP', callbackRouteKey: 'key-1' });
    expect(dingtalk.callbackUrl('card-1')).toBe(route.callbackUrl);
  });

  test('keeps the first registration unless it is forced', async () => {
    const { call } = await startDingTalk();
    await call(...register(route));
    expect((await call(...register({ ...route, apiSecret: 'two' }))).body['result']).toMatchObject({
      apiSecret: 'one',
    });
    const moved = { ...route, callbackUrl: 'https://other.example.com' };
    expect(await call(...register(moved))).toMatchObject({
      status: 500,
      body: { code: 'param.callbackRouteKeyExist' },
    });
    expect((await call(...register({ ...moved, forceUpdate: true }))).status).toBe(200);
  });

  test.each([
    ['a route key', { ...route, callbackRouteKey: '' }, 'param.callbackRouteKeyEmpty'],
    ['an address', { ...route, callbackUrl: '' }, 'param.callbackUrlEmpty'],
    ['an address that is a URL', { ...route, callbackUrl: 'bot.example.com' }, 'param.invalid'],
  ])('needs %s', async (_what, body, code) => {
    const { call } = await startDingTalk();
    expect(await call(...register(body))).toMatchObject({ status: 400, body: { code } });
  });
});

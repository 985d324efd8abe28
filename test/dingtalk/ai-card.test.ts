import { describe, expect, test } from 'vitest';
import { createAiCard, openedCard, updateCard, type AiCardOptions } from '../../lib/dingtalk/ai-card.ts';
import { createCardExtras } from '../../lib/dingtalk/card-extras.ts';
import { STREAM } from '../../lib/dingtalk/card-callback.ts';
import { cardRefusals, refusal } from '../../lib/dingtalk/failures.ts';
import { BridgeError } from '../../lib/errors.ts';
import { codeOf, settle, type Outcome } from '../support/delivery.ts';
import { robotConfig, senderOf } from '../support/dingtalk.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const { dingtalk: config } = robotConfig();

/** A client whose calls end so; when these are used up, they succeed. */
function clientOf(outcomes: Outcome[] = []) {
  const bodies: Record<string, unknown>[] = [];
  const apis: string[] = [];
  return {
    bodies,
    apis,
    client: {
      async call(api: string, { body }: { body: unknown }) {
        apis.push(api);
        bodies.push(body as Record<string, unknown>);
        settle(outcomes.shift());
        return { result: api === 'deliver' ? [{ success: true }] : { deliverResults: [{ success: true }] } };
      },
      upload: () => Promise.reject(new Error('nothing is to be uploaded here')),
    },
  };
}

async function open(outcomes: Outcome[], changes: Partial<AiCardOptions> = {}) {
  const refusals: string[] = [];
  const { client, bodies, apis } = clientOf([...outcomes]);
  const card = createAiCard({
    client,
    config,
    templateId: 'template-1.schema',
    message: { chat: { id: 'cid1', isGroup: true, title: null }, sender: senderOf() },
    cardId: 'card-1',
    summary: 'Hello',
    question: 'Hello?',
    app: () => 'HR',
    routeKey: async () => null,
    extras: createCardExtras(createVirtualClock()),
    onExtrasRefused: (error) => refusals.push(error.code),
    ...changes,
  });
  return { outcome: await codeOf(card.open()), bodies, apis, refusals, card };
}

/** The chat list follows the answer. */
const extension = { dynamicSummary: 'true' };

const single = { id: 'cid2', isGroup: false, title: null };
const group = { id: 'cid1', isGroup: true, title: null };
const lost = 'dingtalk_unreachable';
const late = 'dingtalk_timeout';

describe('opening a card', () => {
  test.each<[string, Outcome[], string, number]>([
    ['at once', [], 'fine', 1],
    ['that is refused is left to the caller', ['dingtalk_server_error'], 'dingtalk_server_error', 1],
    ['without an answer is repeated twice', [lost, lost], 'fine', 3],
    ['without an answer is then given up', [lost, lost, lost], lost, 3],
    ['after a time-out, which takes long, is repeated once', [late, late], late, 2],
    ['after a time-out and a broken connection is given up like one', [lost, late], late, 2],
    ['whose first try has made the card', [late, 'dingtalk_card_exists'], 'fine', 2],
    ['that fails in an unexpected way is not repeated', [new TypeError('on purpose')], 'unexpected', 1],
  ])('%s', async (_what, outcomes, outcome, tries) => {
    const opened = await open(outcomes);
    expect(opened).toMatchObject({ outcome });
    expect(opened.bodies).toHaveLength(tries);
    expect(new Set(opened.bodies.map(({ outTrackId }) => outTrackId))).toEqual(new Set(['card-1']));
  });
});

describe('a card goes to', () => {
  test.each<[string, AiCardOptions['message'], object]>([
    [
      'a group, and mentions the asker',
      { chat: group, sender: senderOf() },
      {
        openSpaceId: 'dtv1.card//IM_GROUP.cid1',
        userIdType: 1,
        imGroupOpenDeliverModel: { robotCode: config.robotCode, extension, atUserIds: { 'staff-1': '王小明' } },
      },
    ],
    [
      'a group, and mentions an asker without a name by the id',
      { chat: group, sender: senderOf({ nick: '' }) },
      { imGroupOpenDeliverModel: { robotCode: config.robotCode, extension, atUserIds: { 'staff-1': 'staff-1' } } },
    ],
    [
      'a group, and mentions no asker without a staff id',
      { chat: group, sender: senderOf({ staffId: null, unionId: 'union-1' }) },
      { openSpaceId: 'dtv1.card//IM_GROUP.cid1', imGroupOpenDeliverModel: { robotCode: config.robotCode, extension } },
    ],
    [
      'the single chat by staff id',
      { chat: single, sender: senderOf({ unionId: 'union-1' }) },
      {
        openSpaceId: 'dtv1.card//IM_ROBOT.staff-1',
        userIdType: 1,
        imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode: config.robotCode, extension },
      },
    ],
    [
      'the single chat by union id',
      { chat: single, sender: senderOf({ staffId: null, unionId: 'union-1' }) },
      { openSpaceId: 'dtv1.card//IM_ROBOT.union-1', userIdType: 2 },
    ],
  ])('%s', async (_where, message, body) => {
    const { outcome, bodies } = await open([], { message });
    expect(outcome).toBe('fine');
    expect(bodies).toMatchObject([body]);
    if ('imGroupOpenDeliverModel' in body) {
      expect(bodies[0]?.['imGroupOpenDeliverModel']).toEqual(body.imGroupOpenDeliverModel);
    }
  });

  test('no asker without any id', async () => {
    const { outcome, bodies } = await open([], { message: { chat: single, sender: senderOf({ staffId: null }) } });
    expect(outcome).toBe('dingtalk_card_no_target');
    expect(bodies).toEqual([]);
  });
});

describe('the fields that a card can do without', () => {
  const hasExtras = (body: Record<string, unknown>) => JSON.stringify(body).includes('dynamicSummary');
  const inside = 'dingtalk_server_error';

  test.each<[string, Outcome[], string, string[], boolean[], string[]]>([
    [
      'refused',
      ['dingtalk_refused'],
      'fine',
      ['createAndDeliver', 'createAndDeliver'],
      [true, false],
      ['dingtalk_refused'],
    ],
    [
      'refused as an unknown variable',
      ['dingtalk_card_variable'],
      'fine',
      ['createAndDeliver', 'createAndDeliver'],
      [true, false],
      ['dingtalk_card_variable'],
    ],
    [
      'that leave the card without a chat: it is there, so it is shown',
      ['dingtalk_card_undelivered'],
      'fine',
      ['createAndDeliver', 'deliver'],
      [true, false],
      ['dingtalk_card_undelivered'],
    ],
    [
      'that are not the reason',
      ['dingtalk_refused', 'dingtalk_refused'],
      'dingtalk_refused',
      ['createAndDeliver', 'createAndDeliver'],
      [true, false],
      [],
    ],
    [
      'that are not the reason why no chat has it',
      ['dingtalk_card_undelivered', lost],
      'dingtalk_card_undelivered',
      ['createAndDeliver', 'deliver'],
      [true, false],
      [],
    ],
    ['beside a limit are not asked about', ['dingtalk_qps'], 'dingtalk_qps', ['createAndDeliver'], [true], []],
  ])('%s', async (_what, outcomes, outcome, apis, extras, refusals) => {
    const opened = await open(outcomes);
    expect(opened).toMatchObject({ outcome, apis, refusals });
    expect(opened.bodies.map(hasExtras)).toEqual(extras);
    expect(new Set(opened.bodies.map(({ outTrackId }) => outTrackId))).toEqual(new Set(['card-1']));
  });

  test('are left out of the next try where DingTalk fails, which the caller repeats', async () => {
    const { outcome, bodies, card } = await open([inside]);
    expect(outcome).toBe(inside);
    await card.open();
    expect(bodies.map(hasExtras)).toEqual([true, false]);
  });

  test('are left out for a day, then tried again', async () => {
    const clock = createVirtualClock();
    const extras = createCardExtras(clock);
    await open(['dingtalk_refused'], { extras });
    const { bodies } = await open([], { extras });
    expect(bodies.map(hasExtras)).toEqual([false]);
    await clock.advance(86_400_000);
    expect((await open([], { extras })).bodies.map(hasExtras)).toEqual([true]);
  });

  test('are tried with the next card where a text is not allowed', async () => {
    const extras = createCardExtras(createVirtualClock());
    const { bodies, refusals } = await open(['dingtalk_content_unsafe'], { extras });
    expect(bodies.map(hasExtras)).toEqual([true, false]);
    expect(refusals).toEqual(['dingtalk_content_unsafe']);
    expect((await open([], { extras })).bodies.map(hasExtras)).toEqual([true]);
  });
});

describe('the width of a card', () => {
  const variablesOf = async (env: Record<string, string>) => {
    const { bodies } = await open([], { config: robotConfig(env).dingtalk });
    return bodies[0]?.['cardData'];
  };

  test('is that of the chat', async () => {
    const cardParamMap = { content: '', question: 'Hello?', app: 'HR', waiting_for: '', config: '{"autoLayout":true}' };
    expect(await variablesOf({})).toEqual({ cardParamMap });
  });

  test('is that of the template where DINGTALK_CARD_WIDE says so', async () => {
    expect(await variablesOf({ DINGTALK_CARD_WIDE: 'false' })).not.toHaveProperty('cardParamMap.config');
  });

  test('takes no streaming variable of the same name away', async () => {
    expect(await variablesOf({ DINGTALK_CARD_CONTENT_KEY: 'config' })).toMatchObject({ cardParamMap: { config: '' } });
  });
});

test.each([
  ['a registered address', 'bridge-1', { callbackType: 'HTTP', callbackRouteKey: 'bridge-1' }],
  ['the Stream connection', STREAM, { callbackType: 'STREAM' }],
  ['nowhere', null, {}],
] as const)('what is pressed goes to %s', async (_where, key, fields) => {
  const { bodies } = await open([], { routeKey: async () => key });
  const { callbackType, callbackRouteKey } = bodies[0] ?? {};
  expect(JSON.parse(JSON.stringify({ callbackType, callbackRouteKey }))).toEqual(fields);
});

describe('a change of variables', () => {
  const byKey = { updateCardDataByKey: true, updatePrivateDataByKey: true };

  test.each([
    [
      'for everybody',
      { variables: { a: '1' } },
      { outTrackId: 'card-1', cardData: { cardParamMap: { a: '1' } }, cardUpdateOptions: byKey },
    ],
    [
      'for one person by staff id',
      { own: { userId: 'staff-1', isUnionId: false, variables: { a: '1' } } },
      {
        outTrackId: 'card-1',
        privateData: { 'staff-1': { cardParamMap: { a: '1' } } },
        userIdType: 1,
        cardUpdateOptions: byKey,
      },
    ],
    [
      'for one person by union id',
      { own: { userId: 'union-1', isUnionId: true, variables: {} } },
      {
        outTrackId: 'card-1',
        privateData: { 'union-1': { cardParamMap: {} } },
        userIdType: 2,
        cardUpdateOptions: byKey,
      },
    ],
  ])('%s leaves all others as they are', async (_for, change, body) => {
    const { client, bodies } = clientOf();
    await updateCard(client, 'card-1', change);
    expect(bodies).toEqual([body]);
  });
});

test('a card is closed by its text and the state of the template’s own', async () => {
  const { client, bodies } = clientOf();
  await openedCard(client, config, 'card-1').close('below');
  expect(bodies).toEqual([
    {
      outTrackId: 'card-1',
      cardData: { cardParamMap: { content: 'below', flowStatus: '3' } },
      cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    },
  ]);
});

test.each([
  [400, { code: 'system.error' }, 'dingtalk_server_error'],
  [500, { code: 'system.busy' }, 'dingtalk_server_error'],
  [503, {}, 'dingtalk_server_error'],
  [502, {}, 'dingtalk_unreachable'],
  [504, { code: 'ServiceTimeout' }, 'dingtalk_unreachable'],
  [400, { code: 'param.stream.content' }, 'dingtalk_card_too_long'],
  [400, { code: 200092 }, 'dingtalk_card_too_long'],
  [400, { code: 'param.contentUnsafe' }, 'dingtalk_content_unsafe'],
  [400, { code: 'contain.notAllowed.text' }, 'dingtalk_content_unsafe'],
  [400, { code: 'contain.unsafe.url' }, 'dingtalk_content_unsafe'],
  [500, { code: 'unknownError' }, 'dingtalk_card_variable'],
  [400, { code: 'param.other' }, 'dingtalk_refused'],
])('a call that gets %i %j', (status, body, code) => {
  expect(refusal('streaming', status, body)).toMatchObject({ code, facts: { status } });
});

describe('the refusal of a frame', () => {
  test.each<[string, Error, boolean, boolean]>([
    [
      'may be about its state, or come from a card that has ended',
      refusal('streaming', 400, { code: 'x' }),
      true,
      true,
    ],
    [
      'may come from a card that does not exist',
      refusal('streaming', 400, { code: 'param.cardNotExist' }),
      false,
      true,
    ],
    ['may name the id', refusal('streaming', 400, { code: 'param.stream.outTrackId' }), false, true],
    ['may be about its text', refusal('streaming', 400, { code: 'param.stream.content' }), false, false],
    ['may be about its size', refusal('streaming', 400, { code: 'content.tooLong' }), false, true],
    ['may be about its size, by its status', refusal('streaming', 413, {}), false, true],
    ['may be about its form', refusal('streaming', 400, { code: 'param.stream.guidEmpty' }), false, true],
    ['may be about its variable', refusal('streaming', 500, { code: 'unknownError' }), false, true],
    ['may be about speed', refusal('streaming', 429, {}), false, false],
    ['may be about the permission', new BridgeError('dingtalk_permission_missing', ''), false, false],
    ['may be unexpected', new TypeError('on purpose'), false, false],
  ])('%s', (_what, error, saysEnded, refusesState) => {
    expect({ saysEnded: cardRefusals.saysEnded(error), refusesState: cardRefusals.refusesState(error) }).toEqual({
      saysEnded,
      refusesState,
    });
  });
});

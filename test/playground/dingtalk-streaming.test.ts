import { describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createCards } from '../../playground/dingtalk/create-card.ts';
import { createCardStreaming } from '../../playground/dingtalk/stream-card.ts';
import { createWorld } from '../../playground/dingtalk/world.ts';
import type { Json } from '../../playground/http/shape.ts';
import { app, startDingTalk } from './support.ts';

test('frames replace the text, the last one finishes the card', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  await stream({ content: '你' });
  expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'typing', content: '你', endedAt: null });
  await stream({ content: '你好', isFinalize: true });
  const card = dingtalk.cards.get('card-1');
  expect(card).toMatchObject({ phase: 'finished', content: '你好' });
  expect(card?.endedAt).not.toBeNull();
  expect(card?.frames.map(({ content, final }) => [content, final])).toEqual([
    ['你', false],
    ['你好', true],
  ]);
});

test('a frame of thousands of frames ago is forgotten, so its guid stands for a new one', () => {
  const world = createWorld({
    clock: systemClock,
    createId: () => 'id',
    ...app,
    robotCode: app.clientId,
    corpId: 'corp',
    settings: {
      permissions: [],
      templates: { 'answer.schema': { published: true, variables: ['content'], failedState: true } },
      latencyMs: 0,
      qps: 20,
      monthlyCalls: Infinity,
      unsafeWords: [],
      people: [],
      groups: [],
    },
    media: new Map(),
  });
  const { createAndDeliver } = createCards(world);
  const { stream } = createCardStreaming(world);
  world.settings.groups.push({ conversationId: 'cid', title: 'a', members: [] });
  createAndDeliver({
    cardTemplateId: 'answer.schema',
    outTrackId: 'card-1',
    cardData: { cardParamMap: { content: '' } },
    openSpaceId: 'dtv1.card//IM_GROUP.cid',
    imGroupOpenSpaceModel: { supportForward: true },
    imGroupOpenDeliverModel: { robotCode: app.clientId },
  });
  const send = (guid: string) =>
    stream({ outTrackId: 'card-1', key: 'content', content: 'x', isFull: true, guid }, { abandoned: false });
  const frames = () => world.cards.get('card-1')?.frames.length;
  for (let count = 0; count < 5000; count += 1) send(`guid-${count}`);
  send('guid-0');
  expect(frames()).toBe(5000);
  send('guid-5000');
  send('guid-0');
  expect(frames()).toBe(5002);
});

test('isError puts the card into its failed state', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  await stream({ content: '', isError: true });
  expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'failed', content: '' });
});

describe('a frame is refused, as a violation, when', () => {
  const cases: [what: string, changes: Json, code: string][] = [
    ['the card is unknown', { outTrackId: 'none' }, 'param.stream.outTrackId'],
    ['outTrackId is missing', { outTrackId: undefined }, 'param.stream.outTrackId'],
    ['guid is empty', { guid: '' }, 'param.stream.guidEmpty'],
    ['key is empty', { key: '' }, 'param.stream.keyEmpty'],
    ['content is null', { content: null }, 'param.stream.contentEmpty'],
    ['isFull is missing', { isFull: undefined }, 'param.stream.isFull'],
    ['isFull is false', { isFull: false }, 'param.stream.isFull'],
    ['isFinalize is not a boolean', { isFinalize: 'true' }, 'param.invalid'],
    ['content has more than 20,000 characters', { content: 'x'.repeat(20_001) }, 'param.stream.content'],
  ];
  test.each(cases)('%s', async (_what, changes, code) => {
    const { dingtalk, create, stream } = await startDingTalk();
    await create();
    expect(await stream(changes)).toMatchObject({ status: 400, body: { code } });
    expect(dingtalk.violations).toMatchObject([{ api: 'streaming', code }]);
    expect(dingtalk.cards.get('card-1')?.frames).toEqual([]);
  });

  test.each(['isFinalize', 'isError'])('the card has ended by %s', async (flag) => {
    const { dingtalk, create, stream } = await startDingTalk();
    await create();
    await stream({ [flag]: true });
    expect((await stream({ content: '再来' })).status).toBe(400);
    expect(dingtalk.violations).toHaveLength(1);
    expect(dingtalk.cards.get('card-1')?.content).toBe('你好');
  });

  test('another frame of the same card is still under way', async () => {
    const { dingtalk, create, stream } = await startDingTalk({ latencyMs: 50 });
    await create();
    const [first, second] = await Promise.all([stream({ content: '一' }), stream({ content: '二' })]);
    expect([first.status, second.status]).toEqual(expect.arrayContaining([200, 500]));
    expect(dingtalk.violations).toMatchObject([{ message: 'concurrent streaming of one card' }]);
  });
});

test('frames of two cards may be under way at the same time', async () => {
  const { dingtalk, create, stream } = await startDingTalk({ latencyMs: 30 });
  await create();
  await create({ outTrackId: 'card-2' });
  await Promise.all([stream(), stream({ outTrackId: 'card-2' })]);
  expect(dingtalk.violations).toEqual([]);
});

test('exactly 20,000 characters and an empty text are accepted', async () => {
  const { create, stream } = await startDingTalk();
  await create();
  expect((await stream({ content: '字'.repeat(20_000) })).status).toBe(200);
  expect((await stream({ content: '' })).status).toBe(200);
});

test('the same guid again is a success that changes nothing', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  await stream({ guid: 'one', isFinalize: true });
  expect((await stream({ guid: 'one', isFinalize: true })).status).toBe(200);
  expect(dingtalk.cards.get('card-1')?.frames).toHaveLength(1);
  expect(dingtalk.violations).toEqual([]);
});

test('a guid that is used again for other content is a violation, and the content is dropped', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  await stream({ guid: 'one', content: '一' });
  await stream({ guid: 'one', content: '二' });
  expect(dingtalk.cards.get('card-1')?.content).toBe('一');
  expect(dingtalk.violations).toHaveLength(1);
});

test('a variable the template does not have is 500 unknownError', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  expect(await stream({ key: 'text' })).toMatchObject({ status: 500, body: { code: 'unknownError' } });
  expect(dingtalk.violations).toEqual([]);
});

test('isError fails where the template has no failed state', async () => {
  const template = { published: true, variables: ['content'], failedState: false };
  const { dingtalk, create, stream } = await startDingTalk({ templates: { 'answer.schema': template } });
  await create();
  expect((await stream({ isError: true })).status).toBe(500);
  expect((await stream({ isFinalize: true })).status).toBe(200);
  expect(dingtalk.cards.get('card-1')?.phase).toBe('finished');
});

test('unsafe text is refused and the card stays open', async () => {
  const { dingtalk, create, stream } = await startDingTalk({ unsafeWords: ['违禁'] });
  await create();
  expect(await stream({ content: '含违禁词' })).toMatchObject({ status: 400, body: { code: 'param.contentUnsafe' } });
  expect(dingtalk.cards.get('card-1')?.endedAt).toBeNull();
});

test('who never heard that the card had ended may send a last frame again', async () => {
  const { dingtalk, create, stream } = await startDingTalk();
  await create();
  dingtalk.faults.inject({ api: 'streaming', kind: 'lost-response' });
  await expect(stream({ isFinalize: true })).rejects.toThrow('fetch failed');
  expect((await stream({ isFinalize: true })).status).toBe(400);
  expect(dingtalk.violations).toEqual([]);
});

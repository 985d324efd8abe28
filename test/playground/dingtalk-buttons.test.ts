import { describe, expect, onTestFinished, test } from 'vitest';
import { signCardCallback } from '../../playground/dingtalk/callback.ts';
import { closed, readBody, reply } from '../../playground/http/exchange.ts';
import { startServer } from '../../playground/http/server.ts';
import { parseJson, recordOf, type Json } from '../../playground/http/shape.ts';
import { groupId, startDingTalk } from './support.ts';

const templates = {
  'answer.schema': { published: true, variables: ['content'], failedState: true, buttons: true },
};
const byKey = { updateCardDataByKey: true, updatePrivateDataByKey: true };

/** A card with buttons in the group, its taps registered with a robot that answers as told. */
async function startCard(answer: { body: string; status?: number; delayMs?: number } = { body: '{}' }) {
  const started = await startDingTalk({ templates });
  const seen: { headers: Json; body: Json }[] = [];
  const server = await startServer(async (request, response) => {
    seen.push({ headers: request.headers, body: recordOf(parseJson((await readBody(request)).toString('utf8'))) });
    if (answer.delayMs !== undefined) {
      const timer = setTimeout(() => reply(response, 200, 'application/json', answer.body), answer.delayMs);
      await closed(response);
      clearTimeout(timer);
      return;
    }
    reply(response, answer.status ?? 200, 'application/json', answer.body);
  });
  onTestFinished(() => server.close());
  const url = `${server.origin}/api/dingtalk`;
  const route = { callbackRouteKey: 'key', callbackUrl: url, apiSecret: 'card secret' };
  await started.call('POST', '/v1.0/card/callbacks/register', route);
  await started.create({ callbackType: 'HTTP', callbackRouteKey: 'key' });
  const update = (body: Json) =>
    started.call('PUT', '/v1.0/card/instances', { outTrackId: 'card-1', cardUpdateOptions: byKey, ...body });
  const labels = (userId = 'staff-0001') => started.dingtalk.buttonsOf('card-1', userId).map(({ label }) => label);
  const tap = (actionId = 'like', userId = 'staff-0001') =>
    started.dingtalk.tap({ outTrackId: 'card-1', userId, actionId, params: { action: actionId } });
  return { ...started, seen, url, update, labels, tap };
}

describe('the buttons of a card', () => {
  test('follow its state: none, then stop, then opinions and a new conversation', async () => {
    const { labels, stream } = await startCard();
    expect(labels()).toEqual([]);
    await stream();
    expect(labels()).toEqual(['停止']);
    await stream({ isFinalize: true });
    expect(labels()).toEqual(['有用', '没用', '新会话']);
  });

  test('offer another try where it failed', async () => {
    const { dingtalk, stream } = await startCard();
    await stream({ isError: true });
    expect(dingtalk.buttonsOf('card-1', 'staff-0001')).toEqual([
      { actionId: 'retry', params: { action: 'retry' }, label: '重试', color: 'blue' },
    ]);
  });

  test('are one for each suggestion and each action of a form, with its fields', async () => {
    const { dingtalk, stream, update } = await startCard();
    await stream({ isFinalize: true });
    const fields = [
      { name: 'days', label: '天数', type: 'text', value: '3' },
      { name: 'kind', label: '类型', type: 'select', options: ['年假', '病假'] },
    ];
    const cardParamMap = {
      suggestions: '[{"question":"年假怎么申请？"}]',
      form_actions: '[{"id":"ok","title":"提交"}]',
      form_fields: JSON.stringify({
        fields: [
          { name: 'days', label: '天数', type: 'TEXT', defaultValue: '3' },
          {
            name: 'kind',
            label: '类型',
            type: 'SELECT',
            options: ['年假', '病假'].map((text) => ({ value: text, text })),
          },
        ],
      }),
    };
    await update({ cardData: { cardParamMap } });
    const form = { action: 'form', action_id: 'ok', title: '提交' };
    expect(dingtalk.buttonsOf('card-1', 'staff-0002')).toMatchObject([
      { actionId: 'form', params: form, label: '提交', fields },
      { actionId: 'like' },
      { actionId: 'dislike' },
      { actionId: 'ask', params: { action: 'ask', question: '年假怎么申请？' }, label: '年假怎么申请？' },
      { actionId: 'new' },
    ]);
    expect(dingtalk.violations).toEqual([]);
  });

  test('show an opinion only to the one who has it', async () => {
    const { dingtalk, stream, update } = await startCard();
    await stream({ isFinalize: true });
    await update({ privateData: { 'staff-0002': { cardParamMap: { like_status: 'dislike' } } } });
    const lines = (userId: string) =>
      dingtalk.drawingOf('card-1', userId).flatMap((part) => (part.kind === 'text' ? part.text : []));
    expect(lines('staff-0002')).toEqual(['已评价：没用']);
    expect(lines('staff-0001')).toEqual([]);
  });

  test.each([
    ['suggestions', '["only a text"]'],
    ['form_actions', '{"id":"ok","title":"提交"}'],
    ['form_fields', '{"fields":[{"name":"x","label":"X","type":"SELECT"}]}'],
    ['suggestions', 'not json'],
  ])('cannot be made of %s = %s: taken, but a violation', async (name, value) => {
    const { dingtalk, update } = await startCard();
    expect((await update({ cardData: { cardParamMap: { [name]: value } } })).status).toBe(200);
    expect(dingtalk.violations).toMatchObject([{ api: 'updateCard', outTrackId: 'card-1' }]);
  });

  test('are not there in a template without them, nor on a card that is not there', async () => {
    const { dingtalk, create, stream } = await startDingTalk();
    await create();
    await stream();
    expect(dingtalk.buttonsOf('card-1', 'staff-0001')).toEqual([]);
    expect(dingtalk.buttonsOf('card-2', 'staff-0001')).toEqual([]);
  });
});

describe('a tap', () => {
  test('goes signed to the registered address, and its answer changes the card for who tapped alone', async () => {
    const body = JSON.stringify({
      cardUpdateOptions: byKey,
      cardData: { cardParamMap: { content: '只有你看到' } },
      userPrivateData: { cardParamMap: { like_status: 'like', notice: '谢谢' } },
    });
    const { dingtalk, stream, seen, tap } = await startCard({ body });
    await stream({ isFinalize: true });
    expect(await tap()).toMatchObject({ status: 200, body, update: { userPrivateData: { notice: '谢谢' } } });
    const timestamp = String(seen[0]?.headers['x-ddpaas-signature-timestamp']);
    expect(timestamp).toMatch(/^\d{13}$/u);
    expect(seen[0]?.headers['x-ddpaas-signature']).toBe(signCardCallback(timestamp, 'card secret'));
    expect(dingtalk.cards.get('card-1')).toMatchObject({
      content: '你好',
      privateVariables: { 'staff-0001': { content: '只有你看到', like_status: 'like', notice: '谢谢' } },
    });
    expect(dingtalk.cards.get('card-1')?.privateVariables).not.toHaveProperty('staff-0002');
    expect(dingtalk.violations).toEqual([]);
  });

  test('keeps earlier private values by key, and forgets them without', async () => {
    const answer = { body: '{"userPrivateData":{"cardParamMap":{"notice":"b"}}}' };
    const { dingtalk, update, tap } = await startCard(answer);
    const own = () => dingtalk.cards.get('card-1')?.privateVariables['staff-0001'];
    await update({ privateData: { 'staff-0001': { cardParamMap: { like_status: 'like', notice: 'a' } } } });
    answer.body = JSON.stringify({ cardUpdateOptions: byKey, ...recordOf(parseJson(answer.body)) });
    await tap();
    expect(own()).toEqual({ like_status: 'like', notice: 'b' });
    answer.body = '{"userPrivateData":{"cardParamMap":{"notice":"c"}}}';
    await tap();
    expect(own()).toEqual({ notice: 'c' });
  });

  test('whose answer has card data without the option blanks the rest of the card for who tapped', async () => {
    const { dingtalk, tap } = await startCard({ body: '{"cardData":{"cardParamMap":{"note":"x"}}}' });
    await tap();
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({ 'staff-0001': { content: '', note: 'x' } });
  });

  test.each([
    ['not JSON', 'ok'],
    ['empty', ''],
    ['without a map', '{"userPrivateData":{"notice":"x"}}'],
    ['with a value that is not a string', '{"userPrivateData":{"cardParamMap":{"notice":1}}}'],
    ['with private data by user id', '{"privateData":{"staff-0001":{"cardParamMap":{}}}}'],
    ['with options that are not booleans', '{"cardUpdateOptions":{"updateCardDataByKey":"true"}}'],
  ])('whose answer is %s changes nothing and is a violation', async (_what, body) => {
    const { dingtalk, tap } = await startCard({ body });
    expect(await tap()).toMatchObject({ status: 200, update: null });
    expect(dingtalk.violations).toMatchObject([{ api: 'cardCallback', code: 'response.malformed' }]);
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({});
  });

  test('that is refused changes nothing and is no violation', async () => {
    const { dingtalk, tap } = await startCard({ status: 401, body: '{"userPrivateData":{"cardParamMap":{"a":"b"}}}' });
    expect(await tap()).toMatchObject({ status: 401, update: null });
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({});
    expect(dingtalk.violations).toEqual([]);
  });

  test('that is not answered within 2 s is given up, as a violation', async () => {
    const { dingtalk, tap } = await startCard({
      delayMs: 2500,
      body: '{"userPrivateData":{"cardParamMap":{"a":"b"}}}',
    });
    const given = await tap();
    expect(given).toMatchObject({ status: 0, update: null });
    expect(given.ms).toBeGreaterThanOrEqual(1990);
    expect(given.ms).toBeLessThan(2400);
    expect(dingtalk.violations).toMatchObject([{ code: 'response.late', outTrackId: 'card-1' }]);
    expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({});
  });

  test('can be forged: another body, other headers, an old timestamp', async () => {
    const { dingtalk, seen } = await startCard();
    const input = { outTrackId: 'card-1', userId: 'staff-0001', actionId: 'stop' };
    await dingtalk.tap(input, {
      at: 1_577_262_236_757,
      body: { userId: 'nobody', corpId: undefined },
      headers: { 'x-forged': 'yes' },
    });
    await dingtalk.tap(input, { headers: { 'x-ddpaas-signature': undefined } });
    expect(seen[0]?.body).toMatchObject({ userId: 'nobody' });
    expect(seen[0]?.body).not.toHaveProperty('corpId');
    expect(seen[0]?.headers).toMatchObject({
      'x-forged': 'yes',
      'x-ddpaas-signature-timestamp': '1577262236757',
      'x-ddpaas-signature': signCardCallback('1577262236757', 'card secret'),
    });
    expect(seen[1]?.headers).not.toHaveProperty('x-ddpaas-signature');
  });

  test.each([
    ['no callback', {}],
    ['a callback by stream', { callbackType: 'STREAM', callbackRouteKey: 'key' }],
  ])('on a card with %s goes nowhere', async (_what, changes) => {
    const { dingtalk, create, seen } = await startCard();
    await create({ outTrackId: 'card-2', ...changes });
    const nowhere = await dingtalk.tap({ outTrackId: 'card-2', userId: 'staff-0001', actionId: 'stop' });
    expect(nowhere).toEqual({ status: 0, body: '', ms: 0, update: null });
    expect(seen).toEqual([]);
  });
});

test('a card that has ended takes new texts by key, but no frames, whatever its flowStatus becomes', async () => {
  const { dingtalk, stream, update } = await startCard();
  await stream({ isFinalize: true });
  expect((await update({ cardData: { cardParamMap: { content: '补充', flowStatus: '2' } } })).status).toBe(200);
  expect(dingtalk.cards.get('card-1')).toMatchObject({ content: '补充', phase: 'typing' });
  expect(await stream()).toMatchObject({ status: 400, body: { code: 'param.stream.finished' } });
});

test('private data is addressed by staff id, or by union id with userIdType 2', async () => {
  const { dingtalk, update } = await startCard();
  const data = { cardParamMap: { notice: 'x' } };
  expect((await update({ privateData: { 'union-0001': data } })).body['code']).toBe('param.userIdNotExist');
  expect((await update({ privateData: { 'union-0001': data }, userIdType: 2 })).status).toBe(200);
  expect(dingtalk.cards.get('card-1')?.privateVariables).toEqual({ 'staff-0001': { notice: 'x' } });
});

describe('a link that sends a text', () => {
  const link = 'dtmd://dingtalkclient/sendMessage?content=%E9%87%8D%E8%AF%95%201%2B1';

  test('is that text from the person who follows it, in their single chat', async () => {
    const { dingtalk } = await startDingTalk();
    const input = dingtalk.tapLink(dingtalk.singleConversation('staff-0001'), 'staff-0001', link);
    expect(input).toEqual({ from: 'staff-0001', text: '重试 1+1' });
  });

  test.each([
    ['in a group', groupId, link],
    ['without a text', null, 'dtmd://dingtalkclient/sendMessage?content='],
    ['with a broken encoding', null, 'dtmd://dingtalkclient/sendMessage?content=%E9'],
    ['to another page', null, 'https://x.example/sendMessage?content=x'],
  ])('sends nothing %s', async (_what, conversation, url) => {
    const { dingtalk } = await startDingTalk();
    const chat = conversation ?? dingtalk.singleConversation('staff-0001');
    expect(dingtalk.tapLink(chat, 'staff-0001', url)).toBeNull();
  });
});

import { expect, test } from 'vitest';
import { app, createManualClock, startDingTalk } from './support.ts';

test('a token is the same while it is valid, and another one after two hours', async () => {
  const manual = createManualClock();
  const { getToken } = await startDingTalk({ clock: manual.clock });
  const first = await getToken();
  manual.advance(7_000_000);
  expect(await getToken()).toBe(first);
  manual.advance(7_200_001);
  expect(await getToken()).not.toBe(first);
});

test('wrong credentials are refused with invalidClientIdOrSecret', async () => {
  const { send } = await startDingTalk();
  const reply = await send('POST', '/v1.0/oauth2/accessToken', { appKey: app.clientId, appSecret: 'wrong' });
  expect(reply).toMatchObject({ status: 400, body: { code: 'invalidClientIdOrSecret' } });
});

test('token calls do not count for the month, other calls do', async () => {
  const { dingtalk, create, stream, getToken } = await startDingTalk();
  await getToken();
  expect(dingtalk.countedCalls()).toBe(0);
  await create();
  await stream();
  expect(dingtalk.countedCalls()).toBe(2);
});

test('an invalidated token is refused with InvalidAuthentication until a new one is fetched', async () => {
  const { dingtalk, create, call, getToken } = await startDingTalk();
  dingtalk.invalidateTokens();
  expect(await create()).toMatchObject({ status: 400, body: { code: 'InvalidAuthentication' } });
  const token = await getToken();
  const reply = await call('PUT', '/v1.0/card/streaming', {}, token);
  expect(reply.body['code']).not.toBe('InvalidAuthentication');
});

test('a call without a token header is refused and recorded as a violation', async () => {
  const { dingtalk, send } = await startDingTalk();
  const reply = await send('PUT', '/v1.0/card/streaming', {});
  expect(reply).toMatchObject({ status: 400, body: { code: 'InvalidAuthentication' } });
  expect(dingtalk.violations).toMatchObject([{ api: 'streaming' }]);
});

test('a missing permission is named in accessdenieddetail, and can be granted', async () => {
  const { dingtalk, create, stream } = await startDingTalk({ permissions: ['Card.Instance.Write'] });
  expect((await create()).status).toBe(200);
  expect(await stream()).toMatchObject({
    status: 403,
    body: {
      code: 'Forbidden.AccessDenied.AccessTokenPermissionDenied',
      accessdenieddetail: { requiredScopes: ['Card.Streaming.Write'] },
    },
  });
  dingtalk.settings.permissions.push('Card.Streaming.Write');
  expect((await stream()).status).toBe(200);
  expect(dingtalk.violations).toEqual([]);
});

test('more calls a second than allowed are refused, API by API, without counting', async () => {
  const manual = createManualClock();
  const { dingtalk, create, stream } = await startDingTalk({ clock: manual.clock, qps: 2 });
  await create();
  await stream();
  await stream();
  expect(await stream()).toMatchObject({
    status: 403,
    body: { code: 'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi' },
  });
  expect((await create({ outTrackId: 'card-2' })).status).toBe(200);
  expect(dingtalk.countedCalls()).toBe(4);
  manual.advance(1001);
  expect((await stream()).status).toBe(200);
});

test('when the month is used up calls are refused until the next month in China', async () => {
  const manual = createManualClock(Date.UTC(2026, 6, 31, 15, 59));
  const { dingtalk, create, stream } = await startDingTalk({ clock: manual.clock, monthlyCalls: 2 });
  await create();
  await stream();
  expect(await stream()).toMatchObject({ status: 403, body: { code: 'Forbidden.AccessDenied.ApiCountLimitForOrg' } });
  expect(dingtalk.countedCalls()).toBe(2);
  manual.advance(60_000);
  expect((await stream({ content: '八月' })).status).toBe(200);
});

test('an unknown path is 404 and a violation', async () => {
  const { dingtalk, call } = await startDingTalk();
  expect((await call('POST', '/v1.0/card/nothing', {})).status).toBe(404);
  expect(dingtalk.violations).toMatchObject([{ api: 'unknown' }]);
});

test('a body that is not JSON is refused', async () => {
  const { dingtalk, call } = await startDingTalk();
  expect((await call('PUT', '/v1.0/card/streaming', '{"outTrackId":')).status).toBe(400);
  expect(dingtalk.violations).toHaveLength(1);
});

test('every call is on record with its time, sizes and result, and without credentials', async () => {
  const { dingtalk, create } = await startDingTalk({ latencyMs: (api) => (api === 'createAndDeliver' ? 30 : 0) });
  const seen: string[] = [];
  dingtalk.subscribe((event) => seen.push(event.type));
  await create();
  const [token, card] = dingtalk.calls;
  expect(token).toMatchObject({ api: 'accessToken', counted: false, request: {} });
  expect(card).toMatchObject({ api: 'createAndDeliver', status: 200, code: 'ok', counted: true, outcome: 'answered' });
  expect(card?.durationMs).toBeGreaterThanOrEqual(29);
  expect(card?.requestBytes).toBeGreaterThan(100);
  expect(card?.responseBytes).toBeGreaterThan(50);
  expect(seen).toEqual(['card', 'call']);
});

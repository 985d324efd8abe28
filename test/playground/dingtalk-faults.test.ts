import { describe, expect, test } from 'vitest';
import { createFaults } from '../../playground/http/faults.ts';
import { createRandom } from '../../playground/http/random.ts';
import { recordOf } from '../../playground/http/shape.ts';
import { eventually, groupId, startDingTalk } from './support.ts';

describe('an injected fault', () => {
  const answers = [
    ['qps', 403, 'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi', false],
    ['too-many-requests', 429, 'Throttling', false],
    ['busy', 500, 'system.busy', true],
    ['gateway-timeout', 504, 'ServiceTimeout', false],
  ] as const;
  test.each(answers)('of kind %s answers %i and is not applied', async (kind, status, code, counted) => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind });
    expect(await create()).toMatchObject({ status, body: { code } });
    expect(dingtalk.cards.size).toBe(0);
    expect(dingtalk.calls.at(-1)).toMatchObject({ fault: kind, counted });
    expect((await create()).status).toBe(200);
  });

  test.each([
    [{ kind: 'gateway-timeout' }, 504, 'ServiceTimeout'],
    [{ kind: 'status', status: 400, code: 'system.error' }, 400, 'system.error'],
  ] as const)('of kind %j can be carried out all the same', async (effect, status, code) => {
    const { dingtalk, create, stream } = await startDingTalk();
    await create();
    dingtalk.faults.inject({ api: 'streaming', ...effect, carriedOut: true });
    expect(await stream({ content: '完', isFinalize: true, guid: 'g1' })).toMatchObject({ status, body: { code } });
    expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'finished', content: '完' });
    // The client cannot know, so it may send the frame again: with its id it is taken, with another one refused.
    expect((await stream({ content: '完', isFinalize: true, guid: 'g1' })).status).toBe(200);
    expect((await stream({ content: '完', isFinalize: true, guid: 'g2' })).status).toBe(400);
    expect(dingtalk.violations).toEqual([]);
  });

  test('of kind status answers whatever is wanted', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: '*', kind: 'status', status: 418, code: 'teapot' });
    expect(await create()).toMatchObject({ status: 418, body: { code: 'teapot' } });
  });

  test('of kind errcode answers 200 with the code', async () => {
    const { dingtalk, send } = await startDingTalk();
    dingtalk.faults.inject({ api: 'sendBySession', kind: 'errcode', errcode: -1 });
    const { body } = dingtalk.callback({ from: 'staff-0001', conversation: groupId, text: 'x' });
    const webhook = new URL(String(body['sessionWebhook']));
    const message = { msgtype: 'text', text: { content: '好' } };
    expect(await send('POST', webhook.pathname + webhook.search, message)).toMatchObject({
      status: 200,
      body: { errcode: -1 },
    });
    expect(dingtalk.messages).toEqual([]);
  });

  test('of kind hang never answers; when the client gives up the call is closed', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'hang' });
    await expect(create()).rejects.toThrow('timeout');
    await eventually(() => dingtalk.calls.at(-1)?.outcome === 'hung');
    expect(dingtalk.cards.size).toBe(0);
  });

  test('of kind reset breaks the connection before anything is applied', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'reset' });
    await expect(create()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(dingtalk.cards.size).toBe(0);
    expect(dingtalk.countedCalls()).toBe(0);
  });

  test('of kind lost-response applies the call and breaks the connection', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'lost-response' });
    await expect(create()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(dingtalk.cards.size).toBe(1);
    expect(dingtalk.calls.at(-1)).toMatchObject({ outcome: 'lost', status: null, counted: true });
  });

  test('of kind slow answers as usual after the delay', async () => {
    const { dingtalk, create } = await startDingTalk();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'slow', delayMs: 80 });
    expect((await create()).status).toBe(200);
    expect(dingtalk.calls.at(-1)?.durationMs).toBeGreaterThanOrEqual(78);
  });

  test('of kind slow is applied even when the client gave up, which may then go on at once', async () => {
    const { dingtalk, create, stream } = await startDingTalk();
    await create();
    dingtalk.faults.inject({ api: 'streaming', kind: 'slow', delayMs: 1700 });
    await expect(stream({ content: '一' })).rejects.toThrow('timeout');
    expect((await stream({ content: '一二', isFinalize: true })).status).toBe(200);
    await eventually(() => dingtalk.calls.some(({ outcome }) => outcome === 'abandoned'));
    expect(dingtalk.cards.get('card-1')).toMatchObject({ phase: 'finished', content: '一二' });
    expect(dingtalk.violations).toEqual([]);
  });

  test('fires as often as it was told to, only for its API and only where the body fits', async () => {
    const { dingtalk, create, stream } = await startDingTalk();
    const final = dingtalk.faults.inject({
      api: 'streaming',
      times: 2,
      kind: 'busy',
      when: (body) => recordOf(body)['isFinalize'] === true,
    });
    expect((await create()).status).toBe(200);
    expect((await stream()).status).toBe(200);
    expect((await stream({ isFinalize: true })).status).toBe(500);
    expect((await stream({ isFinalize: true })).status).toBe(500);
    expect((await stream({ isFinalize: true })).status).toBe(200);
    expect(final.fired).toBe(2);
  });

  test('can be removed, alone or with all others', async () => {
    const { dingtalk, create } = await startDingTalk();
    const one = dingtalk.faults.inject({ api: '*', times: Infinity, kind: 'busy' });
    expect((await create()).status).toBe(500);
    one.remove();
    expect((await create()).status).toBe(200);
    dingtalk.faults.inject({ api: '*', times: Infinity, kind: 'busy' });
    dingtalk.faults.clear();
    expect((await create({ outTrackId: 'card-2' })).status).toBe(200);
  });
});

const draw = (seed: number) => {
  const faults = createFaults<'a' | 'b', string>();
  const effects = ['hang', 'reset', 'slow'];
  faults.random({ random: createRandom(seed), chance: 0.3, effects, apis: ['a'], limit: 20 });
  return Array.from({ length: 200 }, (_, index) => faults.next(index % 2 === 0 ? 'a' : 'b', {}) ?? '-');
};

describe('random faults', () => {
  test('repeat exactly with the same seed and differ with another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('keep to their APIs, their share and their limit', () => {
    const drawn = draw(7);
    expect(drawn.filter((_, index) => index % 2 === 1).every((effect) => effect === '-')).toBe(true);
    const hits = drawn.filter((effect) => effect !== '-');
    expect(hits).toHaveLength(20);
    expect(new Set(hits).size).toBe(3);
    expect(drawn.slice(0, 40).filter((effect) => effect !== '-').length).toBeLessThan(15);
  });

  test('disturb real requests until they are ended', async () => {
    const { dingtalk, create } = await startDingTalk();
    const end = dingtalk.faults.random({ random: createRandom(1), chance: 1, effects: [{ kind: 'busy' }] });
    expect((await create()).status).toBe(500);
    end();
    expect((await create()).status).toBe(200);
  });
});

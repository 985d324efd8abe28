// What an answer costs: calls to DingTalk, requests to the store, and what the acknowledgement waits for.
import { beforeEach, expect, test } from 'vitest';
import { GROUP } from '../support/bridge.ts';
import { describeWith } from '../support/require.ts';
import { door, fast, stage, TAKEN, words } from '../support/stage.ts';
import { useStore } from '../support/use-store.ts';

const { start, bridge } = stage();

/** 600 characters in 300 events over 4.5 s, or that many times longer and slower. */
const answer = (times: number) => ({
  chunks: Array.from({ length: 300 * times }, (_, index) => ({
    afterMs: 15,
    text: index % 25 === 24 ? '。\n' : '答案',
  })),
});
const textOf = (times: number) =>
  answer(times)
    .chunks.map(({ text }) => text)
    .join('');
const latencyMs = 80;

test.each([
  ['balanced', 1, 8, 4],
  ['balanced', 4, 14, 8],
  ['balanced', 16, 24, 16],
  ['smooth', 1, 14, 4],
  ['thrifty', 4, 5, 16],
  ['off', 1, 2, 8],
] as const)(
  '%s: an answer %i times 600 characters long costs at most %i calls',
  async (streaming, times, most, speed) => {
    await start({
      app: { script: answer(times) },
      dingtalk: { latencyMs },
      env: { STREAMING: streaming, DINGTALK_CARD_MAX_CHARS: '20000' },
      ...fast(speed),
    });
    await bridge().ask('tell me');
    const { phase, content } = bridge().card();
    expect(phase).toBe('finished');
    expect(content.replaceAll('<br>', '\n')).toBe(textOf(times).trim());
    // Once for an address, which a Stream connection does not need; where an answer has frames, one of them is given up for it.
    const registrations = bridge().dingtalk.calls.filter(({ api }) => api === 'registerCallback').length;
    expect(registrations).toBe(door === 'stream' ? 0 : 1);
    const once = streaming === 'off' ? registrations : 0;
    expect(bridge().dingtalk.countedCalls() - once).toBeLessThanOrEqual(most);
  },
);

test('with a pause around the first and the last frame the answer is as exact and as cheap', async () => {
  await start({
    app: { script: answer(1) },
    dingtalk: { latencyMs },
    env: { DINGTALK_CARD_SETTLE_MS: '500' },
    ...fast(8),
  });
  await bridge().ask('tell me');
  const { content, createdAt, frames } = bridge().card();
  expect(content.replaceAll('<br>', '\n')).toBe(textOf(1).trim());
  expect(bridge().dingtalk.countedCalls()).toBeLessThanOrEqual(8);
  expect((frames[0]?.at ?? 0) - createdAt).toBeGreaterThanOrEqual(500);
});

test('the acknowledgement waits neither for DingTalk nor for Dify', async () => {
  await start({ app: { script: words('Hello') }, ...fast(60) });
  bridge().dingtalk.faults.inject({ api: '*', kind: 'hang', times: Infinity });
  bridge().dify.faults.inject({ api: '*', kind: 'hang', times: Infinity });
  // Both hang, so this would not return if it waited for either.
  expect(await bridge().send('hello')).toMatchObject({ status: 200, body: TAKEN });
  expect(bridge().dingtalk.cards.size).toBe(0);
  await bridge().idle();
});

describeWith('redis-server', 'with a store', () => {
  const store = useStore();
  beforeEach(() => store().clear());

  test('an answer costs at most four requests, and only one of them before the acknowledgement', async () => {
    await start({ app: { script: words('Hello') }, env: store().env });
    await bridge().ask('warm up');
    store().front.requests.length = 0;
    bridge().dify.faults.inject({ api: 'chat', kind: 'slow', delayMs: 200 });
    await bridge().send('hello');
    expect(store().front.requests).toHaveLength(1);
    await bridge().idle();
    expect(store().front.requests.length).toBeLessThanOrEqual(4);
  });

  test('a message redelivered five times at once, and again after a restart, is answered once', async () => {
    const { env } = store();
    await start({ app: { script: words('Hello') }, env });
    const { dingtalk, dify, callbackUrl } = bridge();
    const callback = dingtalk.callback({ from: 'staff-1', conversation: GROUP, text: 'hello', msgId: 'msg-restart' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => dingtalk.deliver(callbackUrl, callback)));
    await bridge().idle();
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(5).fill(`200 ${TAKEN}`));
    await bridge().restart();
    await dingtalk.deliver(bridge().callbackUrl, callback);
    await bridge().idle();
    expect(dify.runs).toHaveLength(1);
    expect(dingtalk.cards.size).toBe(1);
  });

  test('while the store is down every question is answered, without memory, and the log says so once', async () => {
    await start({ app: { script: words('Hello') }, env: store().env });
    await bridge().ask('before');
    store().front.down = true;
    for (const text of ['one', 'two']) await bridge().ask(text);
    store().front.down = false;
    await bridge().ask('after');
    expect(
      bridge()
        .cards()
        .map(({ phase }) => phase),
    ).toEqual(Array(4).fill('finished'));
    expect(bridge().logs.filter(({ event }) => event === 'store_down')).toHaveLength(1);
    const conversations = bridge().dify.runs.map(({ conversationId }) => conversationId);
    expect(conversations[3]).toBe(conversations[0]);
    expect(new Set(conversations).size).toBe(3);
  });

  test('a claim whose answers are lost is settled after the acknowledgement, and nothing is forgotten', async () => {
    await start({ app: { script: words('Hello') }, env: store().env });
    store().front.faults.push({ kind: 'lost-response', times: 2 });
    await bridge().ask('one');
    await bridge().ask('two');
    expect(bridge().dify.runs.map(({ query, turn }) => `${turn} ${query}`)).toEqual(['1 one', '2 two']);
    expect(
      bridge()
        .cards()
        .map(({ phase }) => phase),
    ).toEqual(['finished', 'finished']);
  });

  test('a store that hangs does not hold up the acknowledgement for ever', async () => {
    await start({ app: { script: words('Hello') }, env: store().env });
    store().front.faults.push({ kind: 'hang', times: 9 });
    expect((await bridge().send('hello')).status).toBe(200);
    store().front.faults.length = 0;
    await bridge().idle();
    expect(bridge().card().phase).toBe('finished');
  });
});

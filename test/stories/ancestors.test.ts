// Faults of the bridges before this one that have no place in another story.
import { expect, test } from 'vitest';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { stage, words } from '../support/stage.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const { start, bridge } = stage();

test('thirty people at once are answered at the same time, not two by two', async () => {
  const people = Array.from({ length: 30 }, (_, index) => ({
    staffId: `p${index}`,
    unionId: `u${index}`,
    nick: `P${index}`,
  }));
  const { promise: when, resolve: answer } = Promise.withResolvers<void>();
  await start({
    app: { script: { chunks: [{ when, text: 'Hello' }] } },
    dingtalk: { people, qps: 1_000 },
  });
  await Promise.all(people.map(({ staffId }) => bridge().send({ from: staffId, text: 'hello' })));
  await expect.poll(() => bridge().dify.openStreams.length).toBe(30);
  answer();
  await bridge().idle();
  expect(
    bridge()
      .cards()
      .map(({ phase }) => phase),
  ).toEqual(Array(30).fill('finished'));
});

test('no secret, token, question or answer is logged, not even at the debug level', async () => {
  await start({ app: { script: words('the ANSWER text') }, env: { LOG_LEVEL: 'debug' } });
  await bridge().ask('the QUESTION text');
  bridge().dify.faults.inject({ api: 'chat', kind: 'http', name: 'provider-not-initialize' });
  await bridge().ask('the QUESTION again');
  bridge().dingtalk.faults.inject({
    api: 'createAndDeliver',
    kind: 'status',
    status: 400,
    code: 'has text in it',
    message: 'LEAK',
  });
  await bridge().ask('the QUESTION once more');
  const logged = JSON.stringify(bridge().logs);
  const tokens = bridge().dingtalk.calls.flatMap(({ response }) =>
    typeof response['accessToken'] === 'string' ? response['accessToken'] : [],
  );
  for (const secret of [
    'client-secret-1',
    'app-key-1',
    'ANSWER',
    'QUESTION',
    'credentials',
    'LEAK',
    'has text',
    'session=',
    '王小明',
    'staff-1',
    ...tokens,
  ]) {
    expect(logged).not.toContain(secret);
  }
  expect(bridge().logs.filter(({ event }) => event === 'turn_finished')).toHaveLength(3);
});

test('the in-process store does not grow for ever', async () => {
  const clock = createVirtualClock();
  const state = createMemoryState(clock);
  const keysAfter = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const turnId = `m-${clock.now()}-${index}`;
      const conversationKey = `c-${index}`;
      await state.accept({
        turnId,
        owner: 'o',
        asker: 'a',
        conversationKey,
        conversationTtlMs: 60_000,
        payload: 'p',
        nowMs: clock.now(),
        leaseUntilMs: clock.now() + 40_000,
        queueLimit: 5,
        heldFiles: 'take',
        budget: null,
        rate: null,
      });
      await state.finish({
        turnId,
        fence: 1,
        owner: 'o',
        nowMs: clock.now(),
        failure: null,
        remembered: { conversationKey, generation: '', difyConversationId: 'd', ttlMs: 60_000 },
        spent: 0,
        receipt: '',
        form: { kind: 'keep' },
        nextLeaseUntilMs: 0,
      });
    }
    return state.size();
  };
  const first = await keysAfter(2_000);
  await clock.advance(31 * 86_400_000);
  expect(await keysAfter(10)).toBeLessThan(first / 10);
});

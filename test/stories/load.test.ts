// Many at once, and a store that goes away: nobody notices more than a delay.
import { expect, test } from 'vitest';
import { STORE_TIMEOUT_MS } from '../../lib/state/redis/failure.ts';
import { LEASE_TIMING } from '../../lib/turn/lease-timing.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import { thisCode } from '../chaos/code.ts';
import { startFleet } from '../chaos/fleet.ts';
import { LOAD, runLoad, until } from '../chaos/load.ts';
import { createSharedClock } from '../chaos/shared-clock.ts';
import { startVendors } from '../support/bridge.ts';
import { describeWith } from '../support/require.ts';
import { fast, stage } from '../support/stage.ts';
import { startStore } from '../support/store.ts';
import { useStore } from '../support/use-store.ts';

describeWith('redis-server', 'sixty answers at once over three processes', () => {
  test('stay below the limit, are exact, and end soon after Dify', async () => {
    const figures = await runLoad();
    const { calls, refused, lastCardAfterMs, exact, streamed, violations, runs } = figures;
    process.stdout.write(
      `load: ${calls} calls, ${((100 * refused) / calls).toFixed(1)} % refused, last card ${lastCardAfterMs} ms after Dify's last end, ${streamed} answers streamed\n`,
    );
    expect(violations).toEqual([]);
    expect(runs).toBe(LOAD.answers);
    expect(exact).toBe(LOAD.answers);
    // Who gets a frame in between depends on how busy the machine is; that most get none would be a fault.
    expect(streamed).toBeGreaterThan(LOAD.answers * 0.5);
    expect(refused / calls).toBeLessThanOrEqual(0.05);
    // The one bound in time that is a promise: each last frame is a call, and half as much again is for the others.
    expect(lastCardAfterMs).toBeLessThanOrEqual(1.5 * (LOAD.answers / LOAD.qps) * 1_000);
  }, 120_000);
});

describeWith('redis-server', 'with a store', () => {
  const store = useStore();
  const { start, bridge } = stage();

  test.each([
    [20, 4],
    [45, 5],
    [70, 6],
    [120, 8],
  ])('an answer of %i s costs at most %i requests', async (seconds, most) => {
    const chunks = Array.from({ length: seconds * 4 }, (_, index) => ({ afterMs: 250, text: `w${index + 1} ` }));
    await start({
      app: { script: ({ text }) => ({ chunks: text === 'long' ? chunks : [{ text: 'warm' }] }) },
      env: store().env,
      ...fast(30),
    });
    await bridge().ask('warm up');
    store().front.requests.length = 0;
    await bridge().ask('long');
    const [, card] = bridge().cards();
    expect(card).toMatchObject({
      phase: 'finished',
      content: chunks
        .map(({ text }) => text)
        .join('')
        .trim(),
    });
    expect(store().front.requests.length).toBeLessThanOrEqual(most);
  });
});

describeWith('redis-server', 'the store goes away for ten seconds, in mid-traffic', () => {
  const SPEED = 4;
  const SECOND_MS = 1_000;

  test('every question is answered, the context comes back, nothing crashes, each instance says it once', async () => {
    const store = await startStore();
    const timing = { startMs: Date.now(), speed: SPEED };
    const clock = createSharedClock(timing);
    const people = Array.from({ length: 6 }, (_, index) => ({
      staffId: `p${index}`,
      unionId: `u${index}`,
      nick: `P${index}`,
    }));
    const wordsOf = (text: string) => Array.from({ length: 20 }, (_, index) => `${text}-${index + 1} `);
    const { dingtalk, dify, env } = await startVendors(
      {
        app: { script: ({ text }) => ({ chunks: wordsOf(text).map((word) => ({ afterMs: 100, text: word })) }) },
        dingtalk: { people, latencyMs: 60 },
      },
      clock,
    );
    const fleet = await startFleet([thisCode, thisCode, thisCode], {
      clock: timing,
      leaseTiming: LEASE_TIMING,
      storeTimeoutMs: STORE_TIMEOUT_MS * SPEED,
      env: { ...env, ...store.env },
    });
    try {
      const asked: string[] = [];
      const ask = async (person: number, text: string) => {
        asked.push(text);
        const callback = dingtalk.callback({ from: `p${person}`, text });
        expect(await dingtalk.deliver(fleet.url(person % 3), callback)).toMatchObject({ status: 200 });
      };
      const ended = () => [...dingtalk.cards.values()].filter(({ endedAt }) => endedAt !== null);
      // Each person asks every three seconds: before, while the store goes, while it is away, and after.
      for (let second = 0; second < 24; second += 1) {
        store.front.down = second >= 7 && second < 17;
        await Promise.all(
          people.map(async (_, person) => {
            if (second % 3 === person % 3) await ask(person, `p${person}s${second}`);
          }),
        );
        await sleep(clock, SECOND_MS);
      }
      await until(() => ended().length === asked.length, 20_000);
      const expected = asked.map((text) => wordsOf(text).join('').trim());
      expect(
        ended()
          .map(({ content }) => content.replace(/^> .*\n\n/u, ''))
          .toSorted(),
      ).toEqual(expected.toSorted());
      expect(ended().every(({ phase }) => phase === 'finished')).toBe(true);
      expect(dify.runs.map(({ query }) => query).toSorted()).toEqual(asked.toSorted());
      expect(dify.violations).toEqual([]);
      expect(dingtalk.violations).toEqual([]);
      for (const [person] of people.entries()) {
        const conversations = dify.runs
          .filter(({ user }) => user === `p${person}`)
          .map(({ conversationId }) => conversationId);
        expect(conversations.at(-1), `p${person}`).toBe(conversations[0]);
        expect(new Set(conversations).size, `p${person}`).toBeGreaterThan(1);
      }
      expect(fleet.crashes).toEqual([]);
      const said = (event: string) =>
        fleet.logs
          .filter(({ line }) => line['event'] === event)
          .map(({ instance }) => instance)
          .toSorted((a, b) => a - b);
      expect(said('store_down')).toEqual([0, 1, 2]);
      expect(said('store_back')).toEqual([0, 1, 2]);
    } finally {
      await fleet.close();
      await Promise.all([dingtalk.close(), dify.close(), store.close()]);
    }
  });
});

// Functions die in mid-answer; their cards end all the same.
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Chunk, DifySimulator } from '../../playground/dify/types.ts';
import type { DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { createSharedClock } from '../chaos/shared-clock.ts';
import { startVendors, type BridgeOptions } from '../support/bridge.ts';
import { startInstance, type Instance } from '../support/instance.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { describeWith } from '../support/require.ts';
import { stage } from '../support/stage.ts';
import { useStore } from '../support/store.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const CRON_SECRET = 'cron-secret';
const leaseTiming = { leaseMs: 1_200, renewMs: 400 };
const sleepMs = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describeWith('redis-server', 'after a function was killed', () => {
  const store = useStore();

  let dingtalk: DingTalkSimulator;
  let dify: DifySimulator;
  let instance: Instance;
  let env: Record<string, string>;
  let run = 0;
  let timing: { startMs: number; speed: number };
  const restart = async (aheadMs = 0) =>
    (instance = await startInstance({ env, port: 0, leaseTiming, clock: { ...timing, aheadMs } }));
  const begin = async (options: BridgeOptions, speed = 1) => {
    // Each story begins with an empty store: an instance is killed at its end, with whatever it had not yet told.
    await store().clear();
    timing = { startMs: Date.now(), speed };
    const vendors = await startVendors(options, createSharedClock(timing));
    ({ dingtalk, dify } = vendors);
    run += 1;
    env = { ...vendors.env, ...store().env, CRON_SECRET };
    await restart();
  };
  afterEach(async () => {
    await instance.kill();
    expect(dingtalk.violations.filter(({ code }) => code !== 'param.stream.finished')).toEqual([]);
    await Promise.all([dingtalk.close(), dify.close()]);
  });
  const send = (text: string, from = 'staff-1') =>
    dingtalk.deliver(instance.url, dingtalk.callback({ from, text, msgId: `m-${run}-${text}-${from}` }));
  const sweep = async () => {
    const response = await fetch(`${instance.url}?sweep`, { headers: { authorization: `Bearer ${CRON_SECRET}` } });
    return (await response.json()) as { overdue: number; takenOver: number };
  };
  /** Runs a script in the store. */
  const evaluate = async (script: string): Promise<string> => {
    const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = store().env;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(['EVAL', script, '0']) });
    return answer.text();
  };
  /** What is on record of the answers that are being written. */
  const progresses = () =>
    evaluate(
      "local all = '' for _, key in ipairs(redis.call('KEYS', '*:turn:*')) do " +
        "all = all .. (redis.call('HGET', key, 'progress') or '') end return all",
    );
  const cards = () => [...dingtalk.cards.values()];
  const firstWords = () => expect.poll(() => cards()[0]?.content ?? '', { timeout: 10_000 }).toContain('first words');

  /** Dify writes the rest when it is told to. */
  let goOn: () => void;
  let chunks: Chunk[];
  beforeEach(() => {
    const { promise: when, resolve } = Promise.withResolvers<void>();
    goOn = resolve;
    chunks = [
      { afterMs: 100, text: 'first words' },
      { when, text: ' and more' },
      { afterMs: 100, text: ' and the end.' },
    ];
  });

  /** Kills the instance in mid-answer, of which the record has so much; Dify goes on meanwhile. */
  const die = async (recorded = 'first words') => {
    await expect.poll(progresses, { timeout: 10_000 }).toContain(recorded);
    await instance.kill();
    goOn();
  };
  /** The card of the question that waits is open, and on record. */
  const waits = () => expect.poll(progresses, { timeout: 10_000 }).toMatch(/(?:hasCard\W+true.*){2}/s);
  /** Another instance starts after the lease of the dead one has lapsed. */
  const restartLater = () => restart(leaseTiming.leaseMs);

  test.each(['advanced-chat', 'workflow'] as const)('one sweep completes the card of a %s', async (mode) => {
    await begin({ app: { mode, script: { chunks } } });
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    expect(await sweep()).toEqual({ overdue: 1, takenOver: 1 });
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()).toMatchObject([{ content: 'first words and more and the end.' }]);
    expect(dify.runs).toHaveLength(1);
    expect(await sweep()).toEqual({ overdue: 0, takenOver: 0 });
  });

  test('a workflow that failed meanwhile keeps the text that was shown', async () => {
    const failing = { chunks, ending: { kind: 'failed', message: 'x' } } as const;
    await begin({ app: { mode: 'workflow', script: failing } });
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('failed');
    expect(cards()[0]?.content).toMatch(/^first words.*流程运行失败/s);
  });

  test('a workflow that has shown no text yet is found again', async () => {
    await begin({ app: { mode: 'workflow', script: { chunks: [{ ...chunks[1], text: 'the answer' }] } } });
    await send('question');
    await expect.poll(() => dify.runs.length, { timeout: 5_000 }).toBe(1);
    await die('runId');
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()).toMatchObject([{ content: 'the answer' }]);
    expect(dify.runs).toHaveLength(1);
  });

  test("somebody else's next message completes it as well", async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    await send('another', 'staff-2');
    await expect.poll(() => cards().map(({ phase }) => phase), { timeout: 15_000 }).toEqual(['finished', 'finished']);
    expect(cards()[0]?.content).toBe('first words and more and the end.');
    expect(dify.runs).toHaveLength(2);
  });

  test('a chat whose answer Dify lost ends with the text that was shown, and says so', async () => {
    await begin({ app: { script: { chunks } }, dify: { behaviour: { easyAnswers: 'lost' } } }, 4);
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 30_000 }).toBe('finished');
    expect(cards()[0]?.content).toMatch(/^first words.*可能不完整/s);
    expect(dify.runs).toHaveLength(1);
  }, 40_000);

  test('a turn that has been through too many hands ends with the text that was shown', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await die();
    await evaluate("for _, key in ipairs(redis.call('KEYS', '*:turn:*')) do redis.call('HSET', key, 'claim', 40) end");
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()[0]?.content).toMatch(/^first words.*可能不完整/s);
    expect(dify.requests.filter(({ path }) => path.startsWith('/workflow'))).toEqual([]);
  });

  test('a turn that nobody can read any more ends, and those behind it have their turn', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await send('next');
    await waits();
    await die();
    await evaluate(`redis.call('SET', redis.call('KEYS', '*:payload:${cards()[0]?.outTrackId}')[1], 'unreadable')`);
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()[0]?.content).toContain('处理时出现了意外问题');
    await expect.poll(sweep, { timeout: 5_000 }).toMatchObject({ takenOver: 1 });
    await expect.poll(() => cards()[1]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()[1]?.content).toBe('first words and more and the end.');
  }, 40_000);

  test('a question that waited is asked by whoever takes over', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await send('waiting');
    await waits();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards().map(({ phase }) => phase), { timeout: 20_000 }).toEqual(['finished', 'finished']);
    expect(dify.runs.map(({ query }) => query)).toEqual(['question', 'waiting']);
    expect(dify.violations).toEqual([]);
  }, 30_000);

  test('a card that opens while its question is given up ends, also when the store is away for a moment', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'slow', delayMs: 500 });
    await send('waiting');
    await send('/stop');
    // What tells the record of the card: a look before it says that it waits, and two tries to note it, with a repeat each.
    const isNote = (script = '') => script.includes("'state', 'progress')");
    store().front.faults.push({ kind: 'reset', times: 5, only: ({ commands }) => isNote(commands[0]?.[1]) });
    await expect.poll(() => cards().map(({ phase }) => phase), { timeout: 10_000 }).toEqual(['finished', 'finished']);
    expect(dify.runs).toHaveLength(1);
  });

  test('a card whose question is given up ends also when whoever opened it died meanwhile', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    // The word that it waits is under way when the instance dies, so that nobody has noted the card.
    dingtalk.faults.inject({ api: 'streaming', kind: 'hang' });
    await send('waiting');
    await expect.poll(() => cards().length, { timeout: 5_000 }).toBe(2);
    await send('/stop');
    await expect.poll(() => cards()[0]?.phase, { timeout: 10_000 }).toBe('finished');
    await instance.kill();
    await restartLater();
    await sweep();
    await expect
      .poll(() => cards()[1], { timeout: 10_000 })
      .toMatchObject({ phase: 'finished', content: '（已停止）' });
    expect(dify.runs).toHaveLength(1);
  }, 40_000);

  test('an instance that was only slow does not write over the one that took over', async () => {
    const slowly = chunks.map(({ when: _, ...chunk }) => ({ ...chunk, afterMs: 700 }));
    await begin({ app: { mode: 'advanced-chat', script: { chunks: slowly } } });
    await send('question');
    await firstWords();
    // The store does not hear of it for longer than its lease.
    store().front.faults.push({
      kind: 'hang',
      times: 40,
      only: ({ commands }) => commands[0]?.[1]?.includes("return {'held'") ?? false,
    });
    await sleepMs(leaseTiming.leaseMs + 600);
    store().front.faults.length = 0;
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    await sleepMs(1_500);
    expect(cards()).toMatchObject([{ content: 'first words and more and the end.' }]);
    expect(dify.runs).toHaveLength(1);
  });

  test('the sweep needs its secret, and without one it is closed', async () => {
    await begin({});
    expect((await fetch(`${instance.url}?sweep`)).status).toBe(401);
    expect((await fetch(`${instance.url}?sweep`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect(await sweep()).toEqual({ overdue: 0, takenOver: 0 });
  });
});

describe('before the time is up', () => {
  const { start, bridge } = stage();
  const workflow = (seconds: number) => ({
    mode: 'workflow' as const,
    script: {
      chunks: Array.from({ length: seconds }, (_, index) => ({ afterMs: 1_000, text: `${index + 1} ` })),
    },
  });
  const whole = (seconds: number) => Array.from({ length: seconds }, (_, index) => index + 1).join(' ');
  const limit = { FUNCTION_MAX_DURATION_S: '12', CRON_SECRET };

  test('a workflow of 40 s goes through invocations of 12 s into one complete card', async () => {
    const clock = createFastClock(8);
    await start({ app: workflow(40), env: limit, clock });
    await bridge().ask('long');
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: whole(40) });
    expect(bridge().dify.runs).toHaveLength(1);
    const resumed = bridge()
      .logs.filter(({ event }) => event === 'turn_taken_over')
      .map(({ hop }) => Number(hop));
    expect(resumed).toEqual(resumed.map((_, index) => index + 1));
    expect(Math.max(...resumed)).toBeLessThanOrEqual(4);
    const held = bridge().dify.requests.filter(({ api }) => api === 'workflow' || api === 'runEvents');
    for (const { at, endedAt } of held) expect((endedAt ?? Infinity) - at).toBeLessThan(13_000);
  });

  test('text that was shown before is never shown twice, and the card says that it goes on', async () => {
    await start({ app: workflow(20), env: limit, clock: createFastClock(8) });
    await bridge().ask('long');
    const contents = bridge()
      .card()
      .frames.map(({ content }) => content);
    expect(contents.some((content) => content.includes('还在生成'))).toBe(true);
    const texts = contents.filter((content) => !content.startsWith('⏳ 正在执行'));
    for (const content of texts) expect(whole(20).startsWith(content.split('\n')[0]?.trim() ?? '')).toBe(true);
    expect(contents.at(-1)).toBe(whole(20));
  });

  test.each([508, 401, null])(
    'where every hop is refused (%j), one sweep afterwards completes the card',
    async (status) => {
      const refusing = createServer((_, response) => {
        if (status !== null) response.writeHead(status).end();
      });
      const port = await listenOnLoopback(refusing);
      const clock = createFastClock(8);
      await start({ app: workflow(30), env: { ...limit, PUBLIC_URL: `http://127.0.0.1:${port}` }, clock });
      await bridge().ask('long');
      expect(bridge().card()).toMatchObject({
        phase: 'typing',
        content: expect.stringContaining('还在生成') as string,
      });
      await expect.poll(() => bridge().dify.runs[0]?.status, { timeout: 10_000 }).toBe('succeeded');
      const response = await fetch(`${bridge().url}?sweep`, { headers: { authorization: `Bearer ${CRON_SECRET}` } });
      expect(await response.json()).toEqual({ overdue: 1, takenOver: 1 });
      await bridge().idle();
      expect(bridge().card()).toMatchObject({ phase: 'finished', content: whole(30) });
      refusing.closeAllConnections();
      refusing.close();
    },
  );

  test('an answer that ends with its connection ends with its text and a sentence', async () => {
    await start({ app: { ...workflow(30), mode: 'chat' }, env: limit, clock: createFastClock(8) });
    await bridge().ask('long');
    expect(bridge().card()).toMatchObject({
      phase: 'failed',
      content: expect.stringMatching(/^1 2 3.*超出了限制/s) as string,
    });
  });

  test('a forged, old or repeated handover changes nothing', async () => {
    await start({ app: workflow(3), env: limit, clock: createFastClock(2) });
    const body = JSON.stringify({ turnId: 'x', claim: 1, hop: 1 });
    const headers = {
      'content-type': 'application/json',
      'x-bridge-timestamp': String(Date.now()),
      'x-bridge-signature': 'x',
    };
    expect((await fetch(`${bridge().url}?resume`, { method: 'POST', body, headers })).status).toBe(401);
    expect((await fetch(`${bridge().url}?resume`, { method: 'POST', body })).status).toBe(401);
  });
});

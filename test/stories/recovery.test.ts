// Functions die in mid-answer; their cards end all the same.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WAITING } from '../../lib/state/redis/conversation-scripts.ts';
import { RENEW } from '../../lib/state/redis/scripts.ts';
import type { Chunk, DifySimulator } from '../../playground/dify/types.ts';
import type { DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { runsScript } from '../chaos/code.ts';
import { createSharedClock } from '../chaos/shared-clock.ts';
import { startVendors, type BridgeOptions } from '../support/bridge.ts';
import { startInstance, type Instance } from '../support/instance.ts';
import { describeWith } from '../support/require.ts';
import { useStore } from '../support/use-store.ts';

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
    (instance = await startInstance({ env, leaseTiming, clock: { ...timing, aheadMs } }));
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
  const firstWords = () => expect.poll(() => cards()[0]?.content ?? '').toContain('first words');

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
    await expect.poll(progresses).toContain(recorded);
    await instance.kill();
    goOn();
  };
  /** The card of the question that waits is open, and on record. */
  const waits = () => expect.poll(progresses).toMatch(/(?:hasCard\W+true.*){2}/s);
  /** Another instance starts after the lease of the dead one has lapsed. */
  const restartLater = () => restart(leaseTiming.leaseMs);

  test.each(['advanced-chat', 'workflow'] as const)('one sweep completes the card of a %s', async (mode) => {
    await begin({ app: { mode, script: { chunks } } });
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    expect(await sweep()).toEqual({ overdue: 1, takenOver: 1 });
    await expect.poll(() => cards()[0]?.phase).toBe('finished');
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
    await expect.poll(() => cards()[0]?.phase).toBe('failed');
    expect(cards()[0]?.content).toMatch(/^first words.*流程运行失败/s);
  });

  test('a workflow that has shown no text yet is found again', async () => {
    await begin({ app: { mode: 'workflow', script: { chunks: [{ ...chunks[1], text: 'the answer' }] } } });
    await send('question');
    await expect.poll(() => dify.runs.length).toBe(1);
    await die('runId');
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase).toBe('finished');
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
    await expect.poll(() => cards().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
    expect(cards()[0]?.content).toBe('first words and more and the end.');
    expect(dify.runs).toHaveLength(2);
  });

  test.each(['chat', 'completion'] as const)('a %s, which Dify loses, is asked once more on its card', async (mode) => {
    await begin({ app: { mode, script: { chunks } }, dify: { version: '1.14' } });
    await send('question');
    await firstWords();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()).toMatchObject([{ content: 'first words and more and the end.' }]);
    // The card never shows less than before.
    const lengths = cards()[0]?.frames.map(({ content }) => content.length) ?? [];
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(dify.runs).toHaveLength(2);
  });

  test('a chat that dies twice is asked twice, not three times', async () => {
    await begin({ app: { script: { chunks } }, dify: { version: '1.14' } });
    await send('question');
    await firstWords();
    await expect.poll(progresses, { timeout: 10_000 }).toContain('first words');
    await instance.kill();
    await restartLater();
    await sweep();
    await expect.poll(() => dify.runs.length, { timeout: 10_000 }).toBe(2);
    await die('isAskedAgain');
    await restart(2 * leaseTiming.leaseMs);
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('failed');
    expect(cards()[0]?.content).toMatch(/^first words.*可能不完整/s);
    expect(dify.runs).toHaveLength(2);
  });

  test('a chat is not asked again where its asker has asked something else meanwhile', async () => {
    await begin({ app: { script: { chunks } }, dify: { version: '1.14' } });
    await send('question');
    await firstWords();
    await send('another');
    await waits();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards().map(({ phase }) => phase), { timeout: 15_000 }).toEqual(['failed', 'finished']);
    expect(cards()[0]?.content).toMatch(/^first words.*可能不完整/s);
    expect(dify.runs.map(({ query }) => query)).toEqual(['question', 'another']);
  });

  test('an answer that was stopped ends with the text so far, though Dify says that it runs', async () => {
    await begin({ app: { mode: 'workflow', script: { chunks } }, dify: { version: '1.14' } });
    await send('question');
    await firstWords();
    await expect.poll(progresses, { timeout: 10_000 }).toContain('first words');
    // The stop is on record, but does not reach Dify, when the instance dies.
    dify.faults.inject({ api: 'stop', kind: 'hang' });
    await send('/stop');
    await expect.poll(() => dify.requests.filter(({ api }) => api === 'stop').length, { timeout: 5_000 }).toBe(1);
    await instance.kill();
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()[0]?.content).toMatch(/^first words.*（已停止）[^\n]*$/s);
    expect(dify.requests.filter(({ api }) => api === 'stop')).toHaveLength(2);
  });

  test('an instance at work goes on with it, without a sweep and without another message', async () => {
    const busy = [{ text: 'busy' }, { when: new Promise<void>(() => undefined), text: '' }];
    await begin({
      app: { mode: 'advanced-chat', script: ({ text }) => ({ chunks: text === 'busy' ? busy : chunks }) },
      dify: { version: '1.14' },
    });
    await send('question');
    await firstWords();
    const dead = instance;
    await restart();
    await send('busy', 'staff-2');
    await dead.kill();
    goOn();
    await expect.poll(() => cards()[0]?.phase, { timeout: 15_000 }).toBe('finished');
    expect(cards()[0]?.content).toBe('first words and more and the end.');
    expect(cards()[1]?.phase).not.toBe('finished');
    expect(instance.logs.filter(({ event }) => event === 'turn_taken_over')).toHaveLength(1);
  });

  test('a turn that has been through too many hands ends with the text that was shown', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await die();
    await evaluate("for _, key in ipairs(redis.call('KEYS', '*:turn:*')) do redis.call('HSET', key, 'claim', 40) end");
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[0]?.phase).toBe('failed');
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
    await expect.poll(() => cards()[0]?.phase).toBe('finished');
    expect(cards()[0]?.content).toContain('处理时出现了意外问题');
    await expect.poll(sweep).toMatchObject({ takenOver: 1 });
    await expect.poll(() => cards()[1]?.phase).toBe('finished');
    expect(cards()[1]?.content).toBe('> next\n\nfirst words and more and the end.');
  });

  test('a question that waited is asked by whoever takes over', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await send('waiting');
    await waits();
    await die();
    await restartLater();
    await sweep();
    await expect.poll(() => cards().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
    expect(dify.runs.map(({ query }) => query)).toEqual(['question', 'waiting']);
    expect(dify.violations).toEqual([]);
  });

  test('a card that opens while its question is given up ends, also when the store is away for a moment', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    dingtalk.faults.inject({ api: 'createAndDeliver', kind: 'slow', delayMs: 500 });
    await send('waiting');
    await send('/stop');
    // What tells the record of the card: a look before it says that it waits, and two tries to note it, with a repeat each.
    store().front.faults.push({ kind: 'reset', times: 5, only: ({ commands }) => runsScript(commands[0], WAITING) });
    await expect.poll(() => cards().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
    expect(store().front.faults).toEqual([]);
    expect(dify.runs).toHaveLength(1);
  });

  test('a card whose question is given up ends also when whoever opened it died meanwhile', async () => {
    // Over before the lease of the waiting question lapses: the instance at work would end its card.
    const behaviour = { stopNoticeMs: 100 };
    await begin({ app: { mode: 'advanced-chat', script: { chunks } }, dify: { behaviour } });
    await send('question');
    await firstWords();
    // The word that it waits is under way when the instance dies, so that nobody has noted the card.
    dingtalk.faults.inject({ api: 'streaming', kind: 'hang' });
    await send('waiting');
    await expect.poll(() => cards().length).toBe(2);
    await send('/stop');
    await expect.poll(() => cards()[0]?.phase).toBe('finished');
    await instance.kill();
    await restartLater();
    await sweep();
    await expect.poll(() => cards()[1]).toMatchObject({ phase: 'finished', content: '（已停止）' });
    expect(dify.runs).toHaveLength(1);
  });

  test('an instance that was only slow does not write over the one that took over', async () => {
    await begin({ app: { mode: 'advanced-chat', script: { chunks } } });
    await send('question');
    await firstWords();
    await expect.poll(progresses).toContain('first words');
    // The store hears nothing of it for longer than its lease.
    const isOfSlow = ([, , keys, ...more]: readonly string[]) => more[Number(keys)] === '1';
    store().front.faults.push({
      kind: 'hang',
      times: Infinity,
      only: ({ commands: [command = []] }) => runsScript(command, RENEW) && isOfSlow(command),
    });
    const slow = instance;
    try {
      await restart();
      await sleepMs(leaseTiming.leaseMs);
      await expect.poll(sweep).toEqual({ overdue: 1, takenOver: 1 });
      goOn();
      await expect.poll(() => cards()[0]?.phase).toBe('finished');
      await sleepMs(1_500);
      expect(cards()).toMatchObject([{ content: 'first words and more and the end.' }]);
      expect(dify.runs).toHaveLength(1);
    } finally {
      await slow.kill();
    }
  });

  test('the sweep needs its secret, and without one it is closed', async () => {
    await begin({});
    expect((await fetch(`${instance.url}?sweep`)).status).toBe(401);
    expect((await fetch(`${instance.url}?sweep`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect(await sweep()).toEqual({ overdue: 0, takenOver: 0 });
  });
});

// Instances of two commits side by side, as far as it can be tested without a chaos run.
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LEASE_TIMING } from '../../lib/turn/lease-timing.ts';
import { zhCN } from '../../lib/texts/zh-CN.ts';
import { layOut, thisCode } from './code.ts';
import { startFleet } from './fleet.ts';
import { createSentences } from './sentences.ts';
import { tallyOf } from './tally.ts';

const env = {
  DINGTALK_CLIENT_ID: 'ding-1',
  DINGTALK_CLIENT_SECRET: 'secret-1',
  DIFY_API_URL: 'http://127.0.0.1:9/v1',
  DIFY_API_KEY: 'key-1',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9',
  UPSTASH_REDIS_REST_TOKEN: 'token-1',
};

describe('the code of another commit', () => {
  test('runs beside this version, and is deleted afterwards', async () => {
    const other = await layOut('HEAD');
    // In a worker of the test runner no exit of a process deletes it.
    onTestFinished(() => other.remove());
    const clock = { startMs: Date.now(), speed: 1 };
    const fleet = await startFleet([thisCode, other], { env, clock, leaseTiming: LEASE_TIMING });
    const answers = await Promise.all(
      [0, 1].map((instance) => fetch(fleet.url(instance), { method: 'POST', body: 'x' })),
    );
    await fleet.close();
    other.remove();
    expect(other.host).not.toBe(thisCode.host);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(new Set(fleet.logs.map(({ instance }) => instance))).toEqual(new Set([0, 1]));
    expect(fleet.crashes).toEqual([]);
    expect(existsSync(other.host)).toBe(false);
  });

  test('is refused when git does not know the commit', async () => {
    await expect(layOut('no-such-commit')).rejects.toThrow('git finds no commit no-such-commit here');
    await expect(layOut('--all')).rejects.toThrow('git finds no commit --all here');
  });
});

test('sentences of both versions are known, other text is foreign', () => {
  const sentences = createSentences([zhCN, { ...zhCN, stopped: '已停' }]);
  expect(sentences.read(`a1w1 a1w2\n\n${zhCN.stopped}`, 'a1w1 a1w2 a1w3')).toMatchObject({
    isEnded: true,
    foreign: [],
  });
  expect(sentences.read('a1w1\n\n已停', 'a1w1 a1w2')).toMatchObject({ answer: 'a1w1', isEnded: true, foreign: [] });
  const { queued, unseen, node } = zhCN.progress;
  for (const progress of [queued, unseen, node('查资料')])
    expect(sentences.read(progress, 'a1w1')).toMatchObject({ isPassing: true, foreign: [] });
  for (const untilMs of [null, Date.UTC(2026, 10, 30)])
    expect(sentences.read(`a1w1\n\n${zhCN.form.waiting(untilMs)}`, 'a1w1')).toMatchObject({
      isEnded: true,
      foreign: [],
    });
  const quoted = (line: string) => sentences.read(`> ${line}\n\na1w1`, 'a1w1', 'q1q please');
  for (const line of ['q1q please', 'Wang Xiaoming: q1q please', '王小明：q1q please'])
    expect(quoted(line)).toMatchObject({ answer: 'a1w1', foreign: [] });
  expect(quoted('q2q please').foreign).toEqual(['> q2q please']);
  expect(sentences.read('a1w1\n\n停', 'a1w1 a1w2')).toMatchObject({ isEnded: false, foreign: ['停'] });
});

test('the tally counts what each instance did, and each question that goes on at other code', () => {
  const codes = [thisCode, { ...thisCode, name: 'b114c53' }];
  const line = (second: number, instance: number, event: string, turn: string, kind?: string) => ({
    instance,
    line: { time: `2026-07-23T08:00:0${second}.000Z`, event, turn, kind },
  });
  const logs = [
    line(1, 0, 'message_accepted', 'one', 'question-started'),
    line(2, 1, 'message_accepted', 'two', 'question-queued'),
    line(3, 1, 'message_accepted', 'three', 'command'),
    line(6, 0, 'turn_finished', 'two'),
    // Pipes of two processes: the lines come in another order than they were written.
    line(5, 1, 'turn_finished', 'one'),
    line(4, 1, 'turn_taken_over', 'one'),
  ];
  const { instances, passed } = tallyOf({ codes, kills: [{ instance: 1, atMs: 0 }], logs });
  expect(instances).toEqual([
    { instance: 0, code: 'this version', accepted: 1, ended: 1, takenOver: 0, handedOver: 0, kills: 0 },
    { instance: 1, code: 'b114c53', accepted: 1, ended: 1, takenOver: 1, handedOver: 0, kills: 1 },
  ]);
  expect(passed).toEqual({ 'this version → b114c53': 1, 'b114c53 → this version': 1 });
});

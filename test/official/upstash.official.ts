// Upstash's own client against the front that stands before a real Redis.
import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCEPT } from '../../lib/state/redis/scripts.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const connect = (token = store.front.token) => new Redis({ url: store.front.url, token, retry: false });

test('scripts run whole and by their digest', async () => {
  const redis = connect();
  expect(await redis.eval('return {KEYS[1], ARGV[1]}', ['k'], ['1'])).toEqual(['k', 1]);
  const digest = await redis.scriptLoad(ACCEPT);
  expect(digest).toMatch(/^[0-9a-f]{40}$/u);
  expect(await redis.scriptExists(digest)).toEqual([1]);
  const script = redis.createScript<number>("return redis.call('INCR', KEYS[1])");
  expect([await script.exec(['n'], []), await script.exec(['n'], [])]).toEqual([1, 2]);
});

test('pipelines, transactions and values of every kind', async () => {
  const redis = connect();
  expect(await redis.pipeline().set('a', { x: 1 }).get('a').exec()).toEqual(['OK', { x: 1 }]);
  expect(await redis.multi().incr('m').incr('m').exec()).toEqual([1, 2]);
  expect(await redis.set('once', 'me', { nx: true, get: true })).toBeNull();
});

test('the read-only token reads, and lists nothing', async () => {
  const reader = connect(store.front.readOnlyToken);
  expect(await reader.get('none')).toBeNull();
  await expect(reader.set('a', '1')).rejects.toThrow('NOPERM');
  await expect(reader.keys('*')).rejects.toThrow('NOPERM');
});

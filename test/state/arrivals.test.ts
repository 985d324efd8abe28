import { expect, test } from 'vitest';
import { carryArrivals } from '../../lib/state/redis/carry-arrivals.ts';
import { READ_TOKEN } from '../../lib/state/redis/record-scripts.ts';
import { CLAIM } from '../../lib/state/redis/scripts.ts';

test('an arrival costs no call of its own, and bytes once a minute', async () => {
  const calls: { keys: readonly string[]; args: readonly string[] }[] = [];
  const carrier = carryArrivals(async (_script, keys, args) => void calls.push({ keys, args }), 'arrivals');
  const arrive = (atMs: number) => carrier.note({ door: 'http', atMs, offsetMs: 12 });
  arrive(1_000);
  expect(calls).toEqual([]);
  // This script does not keep arrivals.
  await carrier.run(READ_TOKEN, ['token'], []);
  for (const atMs of [2_000, 61_000, 62_000]) {
    await carrier.run(CLAIM, ['turn'], ['owner']);
    arrive(atMs);
  }
  await carrier.run(CLAIM, ['turn'], ['owner']);
  const plain = { keys: ['turn'], args: ['owner'] };
  expect(calls).toEqual([
    { keys: ['token'], args: [] },
    { keys: ['turn', 'arrivals'], args: ['owner', 'http', '1000 12'] },
    plain,
    { keys: ['turn', 'arrivals'], args: ['owner', 'http', '61000 12'] },
    plain,
  ]);
});

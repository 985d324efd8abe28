// What a question costs the store, as counts: `npm run bench` shows the same figures.
import { expect, test } from 'vitest';
import { footprintOf } from '../support/footprint.ts';
import { describeWith } from '../support/require.ts';
import { useStore } from '../support/use-store.ts';
import { foundKeys } from './found-keys.ts';

describeWith('redis-server', 'an answered question', () => {
  const store = useStore({ foundKeys });

  test('takes three requests, at most 4.5 kB to the store, and at most 900 B of it for 30 days', async () => {
    const { requests, bytes, memory, memoryInAll } = await footprintOf(store());
    expect(requests).toBe(3);
    expect(bytes).toBeLessThanOrEqual(4_500);
    expect(memoryInAll).toBeLessThanOrEqual(900);
    expect(Object.keys(memory).toSorted()).toEqual(['answered', 'card']);
    // Each is one round trip.
    const names = store().front.requests.map(({ commands }) => commands.map(([name]) => name).join());
    expect(names).toEqual(['evalsha', 'evalsha', 'evalsha']);
  });
});

// The same over Stream mode: connections are cut, replaced and forgotten.
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { judge } from './invariants.ts';
import { planOf } from './plan.ts';
import { runChaos, TEST_SPEED } from './world.ts';

const SEED = 20_260;
const TURNS = 40;

describeWith('redis-server', 'chaos over Stream connections', () => {
  test(`${TURNS} turns, seed ${SEED}: each is answered once, and every card ends`, async () => {
    const door = { name: 'stream', seed: SEED } as const;
    const plan = planOf(SEED, TURNS, 'stream');
    const { broken, excused, outcomes } = await runChaos({ plan, door, speed: TEST_SPEED, judge });
    process.stdout.write(`chaos over Stream mode: ${JSON.stringify({ outcomes, excused })}\n`);
    expect(broken, `seed ${SEED}`).toEqual([]);
  }, 300_000);
});

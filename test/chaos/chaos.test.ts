// Calls fail at random and instances are killed; still no answer is lost and none comes twice.
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { judge } from './invariants.ts';
import { planOf } from './plan.ts';
import { runChaos, TEST_SPEED } from './world.ts';

const SEED = 20_260;
const TURNS = 300;
/** The clocks of two instances are so much before and after that of the third. */
const APART_MS = 120_000;

describeWith('redis-server', 'chaos', () => {
  test(`${TURNS} turns, seed ${SEED}: each is answered once, and every card ends`, async () => {
    const { broken, excused, outcomes } = await runChaos({
      plan: planOf(SEED, TURNS),
      speed: TEST_SPEED,
      apartMs: APART_MS,
      judge,
    });
    process.stdout.write(`chaos: ${JSON.stringify({ outcomes, excused })}\n`);
    expect(broken, `seed ${SEED}`).toEqual([]);
  }, 300_000);
});

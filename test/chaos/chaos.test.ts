// Calls fail at random and instances are killed; still no answer is lost and none comes twice.
import { expect, test } from 'vitest';
import { describeWith } from '../support/require.ts';
import { judge } from './invariants.ts';
import { planOf } from './plan.ts';
import { runChaos } from './world.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_260);
const TURNS = Number(process.env['CHAOS_TURNS'] ?? 300);
/** The clocks of two instances are so much before and after that of the third. */
const APART_MS = 120_000;
/** Slower takes longer; faster, and a busy machine makes the store seem down. */
const SPEED = 4;

describeWith('redis-server', 'chaos', () => {
  test(`${TURNS} turns, seed ${SEED}: each is answered once, and every card ends`, async () => {
    process.stdout.write(`chaos: seed ${SEED}, ${TURNS} turns\n`);
    const { broken, excused, outcomes } = await runChaos({
      plan: planOf(SEED, TURNS),
      speed: SPEED,
      apartMs: APART_MS,
      judge,
    });
    process.stdout.write(`chaos: ${JSON.stringify({ outcomes, excused })}\n`);
    expect(broken, `seed ${SEED}`).toEqual([]);
  }, 300_000);

  test('40 turns over Stream connections that are cut, replaced and forgotten', async () => {
    const door = { name: 'stream', seed: SEED } as const;
    const plan = planOf(SEED, 40, 'stream');
    const { broken, excused, outcomes } = await runChaos({ plan, door, speed: SPEED, judge });
    process.stdout.write(`chaos over Stream mode: ${JSON.stringify({ outcomes, excused })}\n`);
    expect(broken, `seed ${SEED}`).toEqual([]);
  }, 300_000);
});

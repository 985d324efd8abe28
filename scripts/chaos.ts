// `npm run chaos -- --turns 3000 --seed 7`: the chaos test for as long as one likes, with any seed.
import { parseArgs } from 'node:util';
import { judge } from '../test/chaos/invariants.ts';
import { planOf } from '../test/chaos/plan.ts';
import { runChaos } from '../test/chaos/world.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    /** How much faster than real time; less on a slow machine, where a store that is late counts as down. */
    speed: { type: 'string', default: '4' },
  },
});
const turns = Number(values.turns);
const seed = Number(values.seed);
const plan = planOf(seed, turns);
console.log(`chaos: seed ${seed}, ${turns} turns, ${plan.length} events`);
const beganAtMs = Date.now();
await runChaos({
  plan,
  speed: Number(values.speed),
  judge(records) {
    const { broken, excused, outcomes } = judge(records);
    const seconds = Math.round((Date.now() - beganAtMs) / 1000);
    console.log(`${seconds} s, ${records.kills.length} kills, ${records.store.length} store requests`);
    console.log('outcomes', outcomes);
    console.log('let pass', excused);
    for (const line of broken) console.log(`BROKEN ${line}`);
    console.log(broken.length === 0 ? `seed ${seed}: all invariants hold` : `seed ${seed}: ${broken.length} broken`);
    if (broken.length > 0) process.exitCode = 1;
  },
});

// `npm run chaos -- --turns 3000 --seed 7`: a chaos run with any number of questions and any seed; `--door stream` for
// Stream mode. With `--beside COMMIT`, one of the instances has the code of that commit, on the same store and for the
// same robots.
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { layOut, thisCommit, type LaidOutCode } from '../test/chaos/code.ts';
import { judge } from '../test/chaos/invariants.ts';
import { planOf, type DoorName } from '../test/chaos/plan.ts';
import { tallyOf } from '../test/chaos/tally.ts';
import { runChaos, type Records } from '../test/chaos/world.ts';
import { numberOf } from './number-of.ts';

const { values } = parseArgs({
  options: {
    /** 1000; 150 with `--beside`. */
    turns: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    /**
     * How much faster than real time: 4, or 1 with `--beside`. Less on a busy machine, where instances take a slow store
     * for one that is down.
     */
    speed: { type: 'string' },
    beside: { type: 'string' },
    /**
     * By how many seconds the clocks of two instances differ from that of the third: 120, or 0 with `--beside`, for versions
     * before store time compare their own.
     */
    apart: { type: 'string' },
    /** `stream`: over Stream connections, which are cut, replaced and forgotten. */
    door: { type: 'string', default: 'http' },
  },
});

// The directory of the other commit's code is deleted when this process exits, which a signal alone would not do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const beside = values.beside === undefined ? undefined : await otherCode(values.beside);
const turns = numberOf('turns', values.turns ?? (beside ? '150' : '1000'));
const seed = numberOf('seed', values.seed);
const door = doorNamed(values.door);
const plan = planOf(seed, turns, door);
console.log(`chaos: seed ${seed}, ${turns} turns, ${plan.length} events, door ${door}`);
if (beside) console.log(`this version (${thisCommit()}) beside ${beside.name}`);
const beganAtMs = Date.now();
await runChaos({
  plan,
  door: { name: door, seed },
  speed: numberOf('speed', values.speed ?? (beside ? '1' : '4')),
  beside,
  apartMs: numberOf('apart', values.apart ?? (beside ? '0' : '120')) * 1_000,
  judge(records) {
    const { broken, excused, outcomes } = judge(records);
    const seconds = Math.round((Date.now() - beganAtMs) / 1000);
    console.log(`${seconds} s, ${records.kills.length} kills, ${records.store.length} store requests`);
    if (beside) broken.push(...printTally(records));
    console.log('outcomes', outcomes);
    console.log('excused', excused);
    for (const line of broken) console.log(`BROKEN ${line}`);
    console.log(broken.length === 0 ? `seed ${seed}: all invariants hold` : `seed ${seed}: ${broken.length} broken`);
    if (broken.length > 0) process.exitCode = 1;
  },
});
beside?.remove();

function doorNamed(name: string): DoorName {
  if (name === 'http' || (name === 'stream' && beside === undefined)) return name;
  console.error('usage: --door http, or --door stream without --beside: hosts of other commits may have no such door');
  return process.exit(1);
}

async function otherCode(revision: string): Promise<LaidOutCode> {
  try {
    return await layOut(revision);
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(1);
  }
}

/** Prints what each instance did. A run in which no question passes from one version to the other proves nothing. */
function printTally(records: Records): string[] {
  const { instances, passed } = tallyOf(records);
  console.table(instances);
  for (const [way, count] of Object.entries(passed)) console.log(`${count} times a question went on: ${way}`);
  return Object.entries(passed)
    .filter(([, count]) => count === 0)
    .map(([way]) => `nothing shown: no question went on from ${way}; ask for more --turns`);
}

// npm run fuzz -- [--minutes 10] [--seed 1] [--target NAME] [--out DIRECTORY]: fuzzes for so long, all kinds of input in turn.
// A find is printed and kept as a file. Put into test/fixtures/fuzz it is tested from then on.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { targets } from '../test/fuzz/targets.ts';
import { numberOf } from './number-of.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    target: { type: 'string' },
    out: { type: 'string', default: '.cache/fuzz' },
  },
});

/** Inputs of one kind before the next kind has its turn. */
const BATCH = 100;

/** The heap after a collection may grow by so much over the whole run: what a world holds goes with it. */
const MOST_GROWTH_BYTES = 64 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heap = () => {
  collect();
  return process.memoryUsage().heapUsed;
};

const rejections: unknown[] = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0) throw new Error(`no such target; there are ${targets.map(({ name }) => name).join(', ')}`);

const untilMs = Date.now() + numberOf('minutes', values.minutes) * 60_000;
let seed = values.seed === undefined ? Date.now() % 2 ** 31 : numberOf('seed', values.seed);
const runs = new Map<string, number>();
const finds = new Map<string, string>();
let atFirst = 0;

function keep(name: string, input: unknown, words: string): void {
  // One find of a kind is enough: the same fault is met again and again.
  const key = `${name}: ${words.replaceAll(/[0-9a-f]{6,}|\d+/g, '#')}`;
  if (finds.has(key)) return;
  const text = JSON.stringify({ target: name, found: words, input }, null, 1);
  const file = `${values.out}/${name}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.json`;
  mkdirSync(values.out, { recursive: true });
  writeFileSync(file, `${text}\n`);
  finds.set(key, file);
  console.log(`FOUND  ${key}\n       kept as ${file}`);
}

for (let round = 0; Date.now() < untilMs; round += 1) {
  for (const { name, property } of chosen) {
    if (Date.now() >= untilMs) break;
    const details = await fc.check(property, { seed, numRuns: BATCH, interruptAfterTimeLimit: untilMs - Date.now() });
    runs.set(name, (runs.get(name) ?? 0) + details.numRuns);
    if (details.failed && details.counterexample) {
      const error: unknown = details.errorInstance;
      keep(name, details.counterexample[0], error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
    for (const reason of rejections.splice(0)) {
      const words = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
      keep(name, { seed, runs: BATCH }, `unhandled rejection: ${words}`);
    }
    seed += 1;
  }
  if (round === 0) atFirst = heap();
}

const grown = heap() - atFirst;
for (const [name, count] of runs) console.log(`${String(count).padStart(9)}  ${name}`);
console.log(`heap ${(grown / 1024 / 1024).toFixed(1)} MB larger than after the first round`);
console.log(`${finds.size} found`);
process.exitCode = finds.size > 0 || grown > MOST_GROWTH_BYTES ? 1 : 0;

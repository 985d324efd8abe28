// The places of the sample: drawn with a seed from all places of the mutated files, until they hold so many mutants.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');

const FILES = [
  'lib/answer/*.ts',
  'lib/markdown/*.ts',
  'lib/delivery/pace.ts',
  'lib/delivery/limiter.ts',
  'lib/dingtalk/signature.ts',
];

/** A place that holds more, such as the body of a long function, would bring them all into the sample. */
const MOST_IN_A_PLACE = 3;

/** mulberry32 */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const logger = {
  ...Object.fromEntries(levels.map((level) => [level, () => undefined])),
  isDebugEnabled: () => false,
};

async function allMutants() {
  const { Instrumenter } = await import(
    pathToFileURL(join(here, 'node_modules/@stryker-mutator/instrumenter/dist/src/instrumenter.js')).href
  );
  const { createParser } = await import(
    pathToFileURL(join(here, 'node_modules/@stryker-mutator/instrumenter/dist/src/parsers/index.js')).href
  );
  const files = FILES.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .toSorted()
    .map((name) => ({ name, mutate: true, content: readFileSync(join(root, name), 'utf8') }));
  const instrumenter = new Instrumenter(logger, createParser, undefined, undefined);
  const { mutants } = await instrumenter.instrument(files, {
    plugins: null,
    excludedMutations: [],
    ignorers: [],
    noHeader: true,
  });
  return mutants;
}

const within = (inner, outer) =>
  inner.fileName === outer.fileName &&
  isBefore(outer.location.start, inner.location.start) &&
  isBefore(inner.location.end, outer.location.end);
const isBefore = (a, b) => a.line < b.line || (a.line === b.line && a.column <= b.column);

/** Patterns for Stryker's `mutate`. */
export async function sample({ seed, size, part, parts }) {
  const mutants = await allMutants();
  const random = randomOf(seed);
  const shuffled = mutants
    .map((mutant) => ({ mutant, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ mutant }) => mutant);
  const chosen = new Set();
  const places = [];
  for (const place of shuffled) {
    if (chosen.size >= size) break;
    if (chosen.has(place)) continue;
    const inside = mutants.filter((mutant) => within(mutant, place));
    if (inside.length > MOST_IN_A_PLACE) continue;
    for (const mutant of inside) chosen.add(mutant);
    places.push(place);
  }
  // The places stay in the order in which they were drawn, so that each part is a sample by itself.
  const patterns = places
    .filter((_place, index) => index % parts === part - 1)
    .map(({ fileName, location: { start, end } }) => {
      const at = ({ line, column }) => `${line + 1}:${column}`;
      return `${fileName}:${at(start)}-${at(end)}`;
    });
  return { all: mutants.length, chosen: chosen.size, patterns };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(
    await sample({ seed: 16, size: 500, part: 1, parts: 1 }).then(({ all, chosen, patterns }) => ({
      all,
      chosen,
      places: patterns.length,
      first: patterns.slice(0, 5),
    })),
  );
}

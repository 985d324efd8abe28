// The mutants: drawn with a seed from all places of the mutated files, until there are so many.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');

const FILES = [
  'lib/answer/*.ts',
  'lib/markdown/*.ts',
  'lib/delivery/pace.ts',
  'lib/delivery/limiter.ts',
  'lib/dingtalk/signature.ts',
];

/** A place that holds more, such as the body of a long function, would bring them all into the sample. */
const MOST_IN_A_PLACE = 3;

const contentOf = (name) => readFileSync(join(root, name), 'utf8');

const known = new Map();
function linesOf(name) {
  if (!known.has(name)) known.set(name, contentOf(name).split('\n'));
  return known.get(name);
}

/**
 * The place of a mutant in the order of this seed. It depends on its line alone, so that the rest of the sample stays as
 * it is where code changes or moves.
 */
function rankOf(seed, { fileName, location: { start, end }, replacement }) {
  const lines = linesOf(fileName).slice(start.line, end.line + 1);
  const [first] = lines;
  const column = start.column - first.length + first.trimStart().length;
  const what = [seed, column, replacement, ...lines.map((line) => line.trim())];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

const isBefore = (a, b) => a.line < b.line || (a.line === b.line && a.column <= b.column);
const within = (inner, outer) =>
  inner.fileName === outer.fileName &&
  isBefore(outer.location.start, inner.location.start) &&
  isBefore(inner.location.end, outer.location.end);

const stryker = (path) =>
  import(pathToFileURL(join(here, '../node_modules/@stryker-mutator/instrumenter/dist/src', path)).href);
const { Instrumenter } = await stryker('instrumenter.js');
const { createParser } = await stryker('parsers/index.js');

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const logger = {
  ...Object.fromEntries(levels.map((level) => [level, () => undefined])),
  isDebugEnabled: () => false,
};

/** `placesOf` says what to mutate in a file: all (`true`), or these ranges. */
function instrument(placesOf) {
  const files = FILES.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .toSorted()
    .map((name) => ({ name, mutate: placesOf(name), content: contentOf(name) }));
  const instrumenter = new Instrumenter(logger, createParser, undefined, undefined);
  return instrumenter.instrument(files, { plugins: null, excludedMutations: [], ignorers: [], noHeader: false });
}

function draw(mutants, seed, size) {
  const shuffled = mutants
    .map((mutant) => ({ mutant, rank: rankOf(seed, mutant) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ mutant }) => mutant);
  const chosen = new Set();
  for (const place of shuffled) {
    if (chosen.size >= size) break;
    const inside = mutants.filter((mutant) => within(mutant, place));
    if (inside.length <= MOST_IN_A_PLACE) for (const mutant of inside) chosen.add(mutant);
  }
  return [...chosen];
}

/** Where a mutant is and what it is: the same in each run on the same source. */
export function keyOf({ fileName, location: { start, end }, replacement }) {
  const at = ({ line, column }) => `${line + 1}:${column + 1}`;
  return `${fileName}:${at(start)}-${at(end)} ${replacement}`;
}

/**
 * The sources with the mutants in them, each asleep. `choose` picks from the sample.
 * The sample alone is put in: code with all its mutants is several times as slow.
 */
export async function instrumentedSample({ seed, size, choose }) {
  const { mutants: all } = await instrument(() => true);
  const wanted = draw(all, seed, size).filter(choose);
  const places = new Map(wanted.map((mutant, index) => [keyOf(mutant), index]));
  const placeOf = (mutant) => places.get(keyOf(mutant));
  const { files, mutants } = await instrument((name) =>
    wanted.filter(({ fileName }) => fileName === name).map(({ location }) => location),
  );
  return {
    all: all.length,
    // In the order in which they were drawn, so that the first part of a run is a sample by itself.
    mutants: mutants.filter((mutant) => placeOf(mutant) !== undefined).toSorted((a, b) => placeOf(a) - placeOf(b)),
    sources: files.map(({ name, content }) => ({ path: join(root, name), content })),
  };
}

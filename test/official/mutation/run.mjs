// Mutation testing: `npm run mutate` from the root. Stryker makes the mutants; one thread runs the tests of each.
// Ends with 1 where less than 85 % of the mutants are killed.
//   --seed 16 --size 500   which sample
//   --only lib/markdown/   mutants of the sample whose place begins so; may be repeated
//   --again                mutants that the last run did not kill
//   --quick                without the tests that take longer than 50 ms, for a first look
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { instrumentedSample, keyOf } from './sample.mjs';

const root = join(import.meta.dirname, '../../..');
const REPORT = join(root, '.cache/mutation/report.json');

/** Whatever reaches the mutated files without a socket. */
const TESTS = [
  'test/{answer,markdown,delivery}/*.test.ts',
  'test/dingtalk/{signature,card-action,card-callback}.test.ts',
  'test/dify/{recorded,events,activity,form-recordings}.test.ts',
  'test/cases/markdown.test.ts',
  'test/files/answer-files.test.ts',
  'test/characters.test.ts',
  'test/turn/*.test.ts',
  'test/ask/{form,form-reply,form-files,resume}.test.ts',
];

/** Percent. */
const LEAST_KILLED = 85;

/** Processor time, so that a busy machine makes no time-out. The first is for a thread that loads the tests. */
const LOAD_CPU_MS = 60_000;
const LIMIT_CPU_MS = 15_000;
const LIMIT_FACTOR = 5;
/** Stryker's own: a mutant that is reached so many times as often as without it does not end. */
const HIT_FACTOR = 100;

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '16' },
    size: { type: 'string', default: '500' },
    only: { type: 'string', multiple: true },
    again: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

const testFiles = TESTS.flatMap((pattern) => globSync(pattern, { cwd: root }))
  .toSorted()
  .map((name) => join(root, name));

function openThread(sources, facts = {}) {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { sources, testFiles, ...facts },
    resourceLimits: { maxOldGenerationSizeMb: 1_500 },
    stdout: true,
  });
  let answered;
  worker.on('message', (message) => answered(message));
  // Out of memory, or thrown outside of any test.
  worker.on('error', (error) =>
    answered({
      status: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'timeout' : 'killed',
      why: String(error.message),
      isGone: true,
    }),
  );

  async function answer(limitCpuMs) {
    const before = process.cpuUsage();
    const next = new Promise((resolve) => (answered = resolve));
    let watch;
    const late = new Promise((resolve) => {
      watch = setInterval(() => {
        const { user, system } = process.cpuUsage(before);
        if ((user + system) / 1_000 > limitCpuMs) resolve({ status: 'timeout', why: `${limitCpuMs} ms`, isGone: true });
      }, 500);
    });
    const result = await Promise.race([next, late]);
    clearInterval(watch);
    return result;
  }
  return {
    loaded: () => answer(LOAD_CPU_MS),
    ask(limitCpuMs, question) {
      const result = answer(limitCpuMs);
      worker.postMessage(question);
      return result;
    },
    close: () => worker.terminate(),
  };
}

async function loadedThread(sources, facts) {
  const thread = openThread(sources, facts);
  return { thread, loaded: await thread.loaded() };
}

const last = options.again ? JSON.parse(readFileSync(REPORT, 'utf8')).mutants : [];
const isAlive = ({ status }) => status === 'survived' || status === 'no coverage';
const alive = new Set(last.filter(isAlive).map(({ key }) => key));
const { all, mutants, sources } = await instrumentedSample({
  seed: Number(options.seed),
  size: Number(options.size),
  choose: (mutant) =>
    (!options.only || options.only.some((place) => keyOf(mutant).startsWith(place))) &&
    (!options.again || alive.has(keyOf(mutant))),
});
console.log(`${mutants.length} mutants of ${all}`);

let { thread, loaded } = await loadedThread(sources);
if (loaded.status !== 'loaded') throw new Error(loaded.why);
const measured = await thread.ask(Infinity, { ask: 'measure' });
if (measured.failed === undefined) throw new Error(measured.why);
if (measured.failed.length > 0) throw new Error(`fails without a mutant:\n${measured.failed.join('\n')}`);
const { tests, coverage } = measured;
const cpuOf = (order) => order.reduce((sum, index) => sum + tests[index].cpuMs, 0);
const quickFirst = [...tests.keys()]
  .filter((index) => !options.quick || tests[index].cpuMs < 50)
  .toSorted((a, b) => tests[a].cpuMs - tests[b].cpuMs);
console.log(`${quickFirst.length} tests, ${Math.round(cpuOf(quickFirst))} ms of processor time`);

const limitOf = (order) => LIMIT_CPU_MS + LIMIT_FACTOR * cpuOf(order);

/** In a thread of its own, so that the mutant is there while the sources and the test files are loaded. */
async function runFromTheStart(question) {
  const own = await loadedThread(sources, { activeMutant: question.mutant, hitLimit: question.limit });
  const result = own.loaded.status === 'loaded' ? await own.thread.ask(limitOf(question.order), question) : own.loaded;
  await own.thread.close();
  return { ...result, isFromTheStart: true };
}

/** In the thread that all these mutants share. */
async function runHere(question) {
  for (let attempt = 1; ; attempt += 1) {
    const result = await thread.ask(limitOf(question.order), question);
    if (result.isClean && !result.isGone) return result;
    await thread.close();
    ({ thread } = await loadedThread(sources));
    // Perhaps what another mutant left failed the test: once more, in a fresh thread.
    if (result.status === 'timeout' || attempt === 2) return result;
  }
}

async function verdictOf({ id }) {
  const hitsOf = (name) => coverage.perTest[name]?.[id] ?? 0;
  const isByImport = coverage.static[id] !== undefined;
  const byFile = new Set(testFiles.keys().filter((index) => hitsOf(`file ${index}`) > 0));
  const byTest = quickFirst.filter((index) => hitsOf(`test ${index}`) > 0);
  const hits = (coverage.static[id] ?? 0) + Object.keys(coverage.perTest).reduce((sum, name) => sum + hitsOf(name), 0);
  if (hits === 0) return { status: 'no coverage' };
  const question = { ask: 'run', mutant: id, limit: hits * HIT_FACTOR };
  if (byTest.length > 0) {
    const result = await runHere({ ...question, order: byTest });
    if (result.status !== 'survived' || (!isByImport && byFile.size === 0)) return result;
  }
  return runFromTheStart({
    ...question,
    order: quickFirst.filter((index) => isByImport || byFile.has(tests[index].file)),
  });
}

function report() {
  mkdirSync(dirname(REPORT), { recursive: true });
  writeFileSync(REPORT, JSON.stringify({ seed: options.seed, size: options.size, all, mutants: results }, null, 1));
}

const results = [];
for (const mutant of mutants) {
  const before = process.cpuUsage();
  const { status, why, index, isFromTheStart } = await verdictOf(mutant);
  const { user, system } = process.cpuUsage(before);
  results.push({
    key: keyOf(mutant),
    place: `${mutant.fileName}:${mutant.location.start.line + 1}`,
    status,
    mutator: mutant.mutatorName,
    isFromTheStart,
    why,
    test: index === undefined ? undefined : tests[index].id,
    cpuMs: Math.round((user + system) / 1_000),
  });
  const counted = `${results.length} of ${mutants.length}, ${results.filter(isAlive).length} alive`;
  if (isAlive({ status })) {
    console.log(`\n${mutant.fileName}:${mutant.location.start.line + 1} ${mutant.mutatorName}: ${status} (${counted})`);
    console.log(changeOf(mutant));
  }
  if (results.length % 20 === 0) {
    console.log(counted);
    report();
  }
}
await thread.close();

function changeOf({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(join(root, fileName), 'utf8').split('\n');
  const code = lines.slice(start.line, end.line + 1);
  const before = code[0].slice(0, start.column);
  const after = code.at(-1).slice(end.column);
  return `- ${code.join('\n- ')}\n+ ${before}${replacement}${after}`;
}

const count = (of, status) => of.filter((result) => result.status === status).length;
const shareOf = (of) => (100 * (count(of, 'killed') + count(of, 'timeout'))) / of.length;
const row = (name, of) => ({
  name,
  mutants: of.length,
  '%': Number(shareOf(of).toFixed(1)),
  killed: count(of, 'killed'),
  'time-outs': count(of, 'timeout'),
  survived: count(of, 'survived'),
  'no coverage': count(of, 'no coverage'),
});
const nameOf = ({ place }) => place.replace(/:.*/, '');
console.table([
  ...Object.entries(Object.groupBy(results, nameOf)).map(([name, of]) => row(name, of)),
  row('all', results),
]);
report();
if (!options.again && !options.only && shareOf(results) < LEAST_KILLED) process.exitCode = 1;

// A thread with the tests, and with the sources that hold the mutants.
import { registerHooks } from 'node:module';
import { setImmediate as turnOfLoop, setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import * as fc from 'fast-check';

const { sources, testFiles, activeMutant, hitLimit } = workerData;

/** A test that computes this little for this long waits for ever. */
const IDLE_MS = 10_000;
const IDLE_CPU_MS = 20;

// The same random texts for each mutant, and no search for the smallest text that fails.
fc.configureGlobal({ seed: 16, endOnFailure: true });

const stryker = (globalThis.__stryker__ = { activeMutant });
if (activeMutant !== undefined) Object.assign(stryker, { hitCount: 0, hitLimit });

const collector = new URL('vitest.mjs', import.meta.url).href;
const contents = new Map(sources.map(({ path, content }) => [pathToFileURL(path).href, content]));
registerHooks({
  resolve: (name, context, next) =>
    name === 'vitest' && context.parentURL !== collector ? { url: collector, shortCircuit: true } : next(name, context),
  load(url, context, next) {
    const source = contents.get(url);
    return source === undefined ? next(url, context) : { format: 'module-typescript', source, shortCircuit: true };
  },
});

const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

async function idle({ signal }) {
  for (let since = Date.now(), before = cpuMs(); Date.now() - since < IDLE_MS;) {
    await sleep(500, undefined, { signal, ref: false });
    if (cpuMs() - before < IDLE_CPU_MS) continue;
    since = Date.now();
    before = cpuMs();
  }
  throw new Error('waits for ever');
}

/** Why the test fails. */
async function failureOf(test) {
  const over = new AbortController();
  try {
    await Promise.race([test.run(), idle(over)]);
    await turnOfLoop();
    if (rejections.length > 0) throw rejections[0];
    return undefined;
  } catch (error) {
    return String(error?.message ?? error).slice(0, 300);
  } finally {
    over.abort();
    rejections.length = 0;
  }
}

const { tests } = await import(collector);

/** The names under which Stryker counts what is reached, beside the numbers of the tests: by the code of a test file that is in no test. */
async function load() {
  for (const { path } of sources) await import(pathToFileURL(path).href);
  for (const [index, file] of testFiles.entries()) {
    stryker.currentTestId = `file ${index}`;
    const first = tests.length;
    await import(pathToFileURL(file).href);
    for (const test of tests.slice(first)) test.file = index;
  }
  stryker.currentTestId = undefined;
}

/** What each test takes and reaches. */
async function measure() {
  const failed = [];
  for (const [index, test] of tests.entries()) {
    stryker.currentTestId = `test ${index}`;
    const before = cpuMs();
    const why = await failureOf(test);
    if (why !== undefined) failed.push(`${testFiles[test.file]}: ${test.id}: ${why}`);
    test.cpuMs = cpuMs() - before;
  }
  stryker.currentTestId = undefined;
  return {
    failed,
    tests: tests.map(({ id, file, cpuMs: ms }) => ({ id, file, cpuMs: ms })),
    coverage: stryker.mutantCoverage,
  };
}

async function killerOf(order) {
  for (const index of order) {
    const why = await failureOf(tests[index]);
    if (stryker.hitCount > stryker.hitLimit) return { status: 'timeout', why: `${stryker.hitCount} times` };
    if (why !== undefined) return { status: why === 'waits for ever' ? 'timeout' : 'killed', why, index };
  }
  return { status: 'survived' };
}

const answers = {
  measure,
  async run({ mutant, limit, order }) {
    if (activeMutant === undefined) Object.assign(stryker, { activeMutant: mutant, hitCount: 0, hitLimit: limit });
    const result = await killerOf(order);
    if (activeMutant !== undefined) return result;
    Object.assign(stryker, { activeMutant: undefined, hitCount: undefined });
    // The mutant may have left something in this thread.
    const isClean = result.index === undefined || (await failureOf(tests[result.index])) === undefined;
    return { ...result, isClean: isClean && result.status !== 'timeout' };
  },
};

try {
  await load();
  parentPort.postMessage({ status: 'loaded' });
} catch (error) {
  parentPort.postMessage({ status: 'killed', why: String(error?.message ?? error).slice(0, 300) });
}
parentPort.on('message', async ({ ask, ...facts }) => {
  parentPort.postMessage(await answers[ask](facts));
});

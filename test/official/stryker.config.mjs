// Mutation testing of a sample: from the root, `npm run mutate`. PART=1/10 takes a tenth of it.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sample } from './stryker.sample.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [part = 1, parts = 1] = (process.env.PART ?? '1/1').split('/').map(Number);
const { patterns } = await sample({ seed: Number(process.env.SEED ?? 16), size: 500, part, parts });

export default {
  mutate: patterns,
  plugins: [join(here, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
  testRunner: 'vitest',
  vitest: { configFile: 'test/official/vitest.mutation.config.mjs', related: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.WORKERS ?? 1),
  ignorePatterns: ['.cache', 'docs', 'dist', 'public', 'test/official/node_modules'],
  disableTypeChecks: false,
  // A busy machine must not make a time-out, which counts as killed, of a slow test.
  timeoutMS: 120_000,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `.cache/mutation/part-${part}-of-${parts}.json` },
  // The compiler of this project has no interface for Stryker, and its tests need none.
  tsconfigFile: 'none.json',
  tempDirName: '.cache/stryker',
  warnings: { slow: false },
  allowConsoleColors: false,
};

import { defineConfig } from 'vitest/config';

/** The units of `lib/`: they need no program from outside npm. `npm run test:fast` runs these alone. */
const units = [
  'test/{answer,ask,config,delivery,dify,dingtalk,files,markdown,net,recovery,robot,runtime,texts,turn}/**/*.test.ts',
  'test/state/memory.test.ts',
];

/** Several processes, or a clock that runs faster than the wall's: another test beside them would be the bottleneck. */
const alone = [
  'test/chaos/**/*.test.ts',
  'test/stories/{budget,load,recovery}.test.ts',
  // A browser, beside everything else.
  'test/playground-page/{page,buttons,files,gallery,tour}.test.ts',
];

/** The way of a question: units reach at least this share of the branches of each file. */
const TURN_OF_A_QUESTION = 'lib/{turn,robot,ask,answer}/**/*.ts';
/** Switched on once every file is above it. */
const holdsFloor = false;

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    coverage: {
      include: ['lib/**/*.ts'],
      reporter: ['text'],
      thresholds: holdsFloor ? { [TURN_OF_A_QUESTION]: { branches: 90, perFile: true } } : {},
    },
    projects: [
      {
        extends: true,
        test: { name: 'units', include: units, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        // Most of them wait more than they compute.
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, ...units],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, fileParallelism: false, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

/** Several processes, or a clock that runs faster than the wall's: another test beside them would be the bottleneck. */
const alone = [
  'test/chaos/**/*.test.ts',
  'test/stories/{budget,load,recovery}.test.ts',
  // A browser, beside everything else.
  'test/playground-page/{page,buttons,files,gallery,tour}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        // Most of them wait more than they compute.
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: alone,
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

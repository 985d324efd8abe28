import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The units of `lib/`: they need no program from outside npm. `npm run test:fast` runs these alone. */
const units = [
  'test/{answer,ask,config,delivery,dify,dingtalk,files,markdown,net,recovery,robot,runtime,texts,turn}/**/*.test.ts',
  'test/state/memory.test.ts',
];

/** Several processes on a clock that runs faster than the wall's: they need a share of the machine that is theirs. */
const measured = ['test/chaos/**/*.test.ts', 'test/stories/{budget,handover,load,recovery}.test.ts'];

/** What takes longest begins first; what computes and what waits take turns. */
const LONGEST = [
  'chaos/chaos',
  'stories/load',
  'stories/recovery',
  'stories/handover',
  'stories/budget',
  'scripts/shutdown',
  'playground-page/page',
  'playground-page/server',
  'stories/trouble',
  'playground-page/buttons',
  'stories/buttons',
  'playground-page/tour',
  'stories/order',
  'playground-page/files',
  'scripts/dev-stream',
  'stories/stop-elsewhere',
  'scripts/setup',
  'stories/hostile',
  'stories/files',
  'stories/answer',
  'scripts/doctor',
  'tooling/launcher',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(`test/${path}.test.ts`));
      return at === -1 ? LONGEST.length : at;
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** The way of a question: units reach at least this share of the branches of each file. */
const TURN_OF_A_QUESTION = 'lib/{turn,robot,ask,answer}/**/*.ts';
/** Switched on once every file is above it. */
const holdsFloor = false;

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000, interval: 20 } },
    coverage: {
      include: ['lib/**/*.ts'],
      reporter: ['text'],
      thresholds: holdsFloor ? { [TURN_OF_A_QUESTION]: { branches: 90, perFile: true } } : {},
    },
    // No test mocks a module or leaves anything in one: workers load the code once, not for each file.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      // More workers than this machine may have processors: most of these wait more than they compute.
      {
        extends: true,
        test: { name: 'units', include: units, maxWorkers: 4, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...measured, ...units],
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'measured', include: measured, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

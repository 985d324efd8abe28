import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The units of `lib/`: they need no program from outside npm. `npm run test:fast` runs these alone. */
const units = [
  'test/{answer,ask,config,delivery,dify,dingtalk,files,markdown,net,recovery,robot,runtime,texts,turn}/**/*.test.ts',
  'test/state/memory.test.ts',
];

/** The chaos, and what mostly waits: together they leave it the share of the machine that it needs. */
const patient = [
  'test/chaos/**/*.test.ts',
  'test/stories/{budget,handover,load,lost-answers,recovery,refusals,stop-elsewhere,trouble}.test.ts',
  'test/scripts/dev-stream.test.ts',
];

/** The stories that run over Stream mode as well; with `DOOR=stream` all that fit, and nothing else. */
const isStreamOnly = process.env['DOOR'] === 'stream';
const overStream = isStreamOnly
  ? ['test/stories/*.test.ts']
  : ['test/stories/{answer,buttons,conversation,files,forms,order}.test.ts'];

/** Of invocations with an end, and of processes that are fed by HTTP. */
const notOverStream = ['test/stories/{handover,load,recovery,stop-elsewhere,stream}.test.ts'];

/** What takes longest begins first. */
const LONGEST = [
  'chaos/chaos',
  'scripts/shutdown',
  'stories/load',
  'stories/lost-answers',
  'stories/recovery',
  'chaos/stream',
  'stories/trouble',
  'stories/handover',
  'stories/budget',
  'scripts/dev-stream',
  'scripts/setup-terminal',
  'playground-page/chips',
  'playground-page/trouble',
  'playground-page/page',
  'playground-page/server',
  'playground-page/buttons',
  'playground-page/states',
  'stories/buttons',
  'playground-page/tour',
  'playground/dify-forms',
  'ask/resume',
  'stories/silence',
  'stories/stream',
  'playground/dify-streams',
  'scripts/setup',
  'playground-page/files',
  'stories/order',
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

export default defineConfig({
  test: {
    // The machine may be busy with other things: these only end what would never end.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { requireAssertions: true, poll: { timeout: 30_000, interval: 20 } },
    coverage: {
      include: ['lib/**/*.ts'],
      reporter: ['text'],
      thresholds: { [TURN_OF_A_QUESTION]: { branches: 90, perFile: true } },
    },
    // No test mocks a module or leaves anything in one: workers load the code once, not for each file.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      // More workers than there may be processors: a browser or a store is waited for in between.
      ...(isStreamOnly
        ? []
        : [
            {
              extends: true as const,
              test: { name: 'units', include: units, maxWorkers: 6, sequence: { groupOrder: 0 } },
            },
            {
              extends: true as const,
              test: {
                name: 'together',
                include: ['test/**/*.test.ts'],
                exclude: [...patient, ...units],
                maxWorkers: 6,
                sequence: { groupOrder: 0 },
              },
            },
            {
              extends: true as const,
              test: { name: 'patient', include: patient, maxWorkers: 4, sequence: { groupOrder: 1 } },
            },
          ]),
      {
        extends: true,
        test: {
          name: 'stream',
          include: overStream,
          exclude: notOverStream,
          maxWorkers: 6,
          sequence: { groupOrder: 0 },
          provide: { door: 'stream' },
        },
      },
    ],
  },
});

// The tests of the files that are mutated.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/{answer,markdown}/**/*.test.ts',
      'test/delivery/{pace,limiter,writer,writer-exits}.test.ts',
      'test/dingtalk/{signature,card-action}.test.ts',
      'test/dify/{recorded,events}.test.ts',
      'test/cases/markdown.test.ts',
      'test/characters.test.ts',
      'test/turn/{form-shown,question-line,run-turn}*.test.ts',
    ],
    testTimeout: 60_000,
    isolate: false,
  },
});

// The official clients against the simulators: npm run official.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/official/*.official.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

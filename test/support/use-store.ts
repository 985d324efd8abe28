import { afterAll, beforeAll } from 'vitest';
import { startStore, type TestStore } from './store.ts';
import type { FrontOptions } from './upstash-front.ts';

/** A store for all tests of a suite. */
export function useStore(options?: Omit<FrontOptions, 'redisPort'>): () => TestStore {
  let store: TestStore;
  beforeAll(async () => {
    store = await startStore(options);
  });
  afterAll(() => store.close());
  return () => store;
}

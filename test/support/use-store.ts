import { afterAll, beforeAll } from 'vitest';
import { startStore, type TestStore } from './store.ts';

/** A store for all tests of a suite. */
export function useStore(options?: { token?: string }): () => TestStore {
  let store: TestStore;
  beforeAll(async () => {
    store = await startStore(options);
  });
  afterAll(() => store.close());
  return () => store;
}

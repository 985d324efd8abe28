// A short run of the fuzzers with inputs that are the same each time, and every input that a longer run found a fault with.
// `npm run fuzz -- --minutes 10` looks for more.
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { targets } from './targets.ts';

const folder = new URL('../fixtures/fuzz/', import.meta.url);
const finds = readdirSync(folder);

test.each(finds)('%s, which was found, is mended', async (file) => {
  const find = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { target: string; input: unknown };
  const target = targets.find(({ name }) => name === find.target);
  await expect(target?.replay(find.input)).resolves.toBeUndefined();
});

test.each(targets)('$name: no crash, one visible outcome, and an end', async ({ property }) => {
  const run = fc.assert(property, { seed: 16, numRuns: 30, endOnFailure: true });
  await expect(run).resolves.toBeUndefined();
});

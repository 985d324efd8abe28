// What the tests import as `vitest` while mutants are tested: they are only collected, so that one can be run again and again.
import { format, inspect } from 'node:util';

// Outside of Vitest's own threads `expect` looks for one thing more: the settings of snapshots.
globalThis.__vitest_worker__ = { config: { snapshotOptions: {}, expect: {} } };
export { expect } from 'vitest';

export const tests = [];
const titles = [];
let afterwards = [];

export function onTestFinished(run) {
  afterwards.push(run);
}

export function test(title, ...rest) {
  const body = rest.find((part) => typeof part === 'function');
  const name = [...titles, title].join(' › ');
  tests.push({
    id: `${name} #${tests.length}`,
    async run() {
      afterwards = [];
      try {
        await body({});
      } finally {
        for (const end of afterwards) await end();
      }
    },
  });
}

export function describe(title, ...rest) {
  titles.push(title);
  rest.find((part) => typeof part === 'function')();
  titles.pop();
}

function titleOf(title, row) {
  if (title.includes('%')) return format(title, ...(Array.isArray(row) ? row : [row]));
  return title.replace(/\$([\w.]+)/g, (whole, path) => {
    const value = path.split('.').reduce((at, key) => at?.[key], row);
    return value === undefined ? whole : typeof value === 'string' ? value : inspect(value);
  });
}

const eachOf = (declare) => (rows) => (title, body) => {
  for (const row of rows) {
    declare(titleOf(title, row), () => (Array.isArray(row) ? body(...row) : body(row)));
  }
};
test.each = eachOf(test);
describe.each = eachOf(describe);
export const it = test;

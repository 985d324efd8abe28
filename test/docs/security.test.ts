// Each row of the threat list in SECURITY.md names the tests that hold it, and they exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const [, table = ''] = readFileSync(new URL('SECURITY.md', root), 'utf8').split('## What is defended, and how');
const rows = table
  .split('\n## ')[0]!
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split(/(?<!\\)\|/u).map((cell) => cell.trim()))
  .map(([, threat = '', , where = '', tests = '']) => ({ threat, where, tests }));

test('there are threats', () => expect(rows.length).toBeGreaterThan(20));

test.each(rows)('$threat', ({ where, tests }) => {
  for (const [, path = ''] of where.matchAll(/`([^`]+)`/gu)) {
    expect(existsSync(new URL(path, root)), `${path} is not there`).toBe(true);
  }
  const named = [...tests.matchAll(/`(test\/[^`]+\.test\.ts)`: “([^”]+)”/gu)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file = '', title = ''] of named) {
    const source = readFileSync(new URL(file, root), 'utf8').replaceAll("\\'", "'");
    expect(source.includes(title), `${file} has no test “${title}”`).toBe(true);
  }
});

const workflows = readdirSync(new URL('.github/workflows/', root));

test.each(workflows)('%s uses actions by their commit', (name) => {
  const text = readFileSync(new URL(`.github/workflows/${name}`, root), 'utf8');
  const used = [...text.matchAll(/uses: *(\S+)/gu)].map(([, action]) => action);
  expect(used.length).toBeGreaterThan(0);
  for (const action of used) expect(action).toMatch(/@[0-9a-f]{40}$/u);
});

// A long run that counted nothing, because of a slip of the pen, must not say that all is well.
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { startScript } from '../support/script.ts';

test.each([
  ['fuzz', '--minutes', 'ten'],
  ['chaos', '--turns', ''],
  ['soak', '--answers', '2O000'],
])('npm run %s -- %s %j ends with 2', async (script, option, value) => {
  const args = [`${option}=${value}`];
  const { ended, output } = startScript(`scripts/${script}.ts`, { cwd: tmpdir(), env: {}, args });
  expect([await ended, output()]).toEqual([2, `${option} wants a number of 0 or more\n`]);
});

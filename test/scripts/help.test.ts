import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { join } from 'node:path';
import { repositoryRoot } from '../support/artifact.ts';

const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

test.each([
  ['zh_CN.UTF-8', '配置与检查'],
  ['en_GB.UTF-8', 'Configure and check'],
])('npm run help lists every command once, in groups: %s', async (LANG, group) => {
  const script = join(repositoryRoot, 'scripts/help.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env: { LANG } });
  expect(stdout).toContain(group);
  const commands = stdout.split('\n').flatMap((line) => /^ {2}npm (?:run )?(\S+) {2,}\S/.exec(line)?.[1] ?? []);
  // `npm run` alone shows them in the same order.
  expect(commands).toEqual(Object.keys(scripts));
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(100);
});

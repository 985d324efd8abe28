// npm run official, npm run mutate: installs this package where that was not done, and runs what belongs to it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const stamp = join(here, 'node_modules/.installed-lock-hash');
const lock = createHash('sha256')
  .update(readFileSync(join(here, 'package-lock.json')))
  .digest('hex');

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--loglevel=error'], here);
  writeFileSync(stamp, lock);
}

const [what, ...args] = process.argv.slice(2);
if (what === 'mutate') {
  run(process.execPath, [join(here, 'mutation/run.mjs'), ...args], root);
} else {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  run(process.execPath, [vitest, 'run', '--config', 'test/official/vitest.config.mjs', ...args], root);
}

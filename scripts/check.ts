// npm run check: format, lint, types, unused code. They run at the same time, and all of them in any case.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Check {
  title: string;
  /** A command of an installed package, with its arguments. */
  command: string[];
}

interface Outcome {
  check: Check;
  passed: boolean;
  output: string;
  seconds: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

const checks: Check[] = [
  { title: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { title: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { title: 'types', command: ['tsc', '-p', '.'] },
  { title: 'types of the page', command: ['tsc', '-p', 'playground/page/tsconfig.json'] },
  { title: 'unused code', command: ['knip', '--no-progress'] },
];

function run(check: Check): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), ...check.command], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    const finish = (passed: boolean) => {
      resolve({ check, passed, output, seconds: (performance.now() - began) / 1000 });
    };
    child.on('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

const outcomes = await Promise.all(checks.map(run));
for (const { check, passed, output } of outcomes) {
  if (!passed) console.log(`── ${check.title}: ${check.command.join(' ')}\n\n${output.trim()}\n`);
}
for (const { check, passed, seconds } of outcomes) {
  console.log(`${passed ? 'passed' : 'FAILED'}  ${check.title} (${seconds.toFixed(1)} s)`);
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;

// `npm run setup` on a pseudo-terminal, answered by what stands in front of the cursor. `script` of util-linux makes it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { SetupWorld } from './world.ts';

const setup = fileURLToPath(new URL('../../../scripts/setup.ts', import.meta.url));
const preload = fileURLToPath(new URL('./route-hosts.ts', import.meta.url));

/** What to type at which prompt; `\u0003` is Ctrl+C. Each is used once, in any order of the prompts. */
export type Script = readonly (readonly [prompt: string | RegExp, line: string])[];

export async function runOnTerminal(
  world: SetupWorld,
  script: Script,
  more: { env?: Record<string, string>; args?: string[] } = {},
) {
  const quoted = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--import',
    preload,
    setup,
    ...(more.args ?? []),
  ].map((word) => `'${word}'`);
  const child = spawn('/usr/bin/script', ['-qefc', `stty cols 120; ${quoted.join(' ')}`, '/dev/null'], {
    cwd: world.cwd,
    env: { ...world.env, ...more.env },
    stdio: 'pipe',
  });
  child.stdin.on('error', () => undefined);
  let output = '';
  let seen = 0;
  const waiting = [...script];
  const look = () => {
    const fresh = stripVTControlCharacters(output.slice(seen));
    const at = waiting.findIndex(([prompt]) =>
      typeof prompt === 'string' ? fresh.includes(prompt) : prompt.test(fresh),
    );
    const found = waiting[at];
    if (!found) return;
    waiting.splice(at, 1);
    seen = output.length;
    child.stdin.write(found[1] === '\u0003' ? '\u0003' : `${found[1]}\r`);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    look();
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), 110_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  return { code, output: stripVTControlCharacters(output), left: waiting.map(([prompt]) => String(prompt)) };
}

// The launcher behind the npm scripts, in a project of its own with a stand-in for npm.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';

/**
 * Writes its arguments down, takes its time, and installs one package with one command anew; fails when told to, and with
 * NPM_WAITS waits until there is a file `go`. It ends when its project is deleted.
 */
const NPM = `#!${process.execPath}
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
writeFileSync('npm-pid', String(process.pid));
appendFileSync('npm-calls.log', process.argv.slice(2).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
const install = () => {
  if (!existsSync('npm-pid')) process.exit(1);
  if (process.env.NPM_WAITS && !existsSync('go')) return void setTimeout(install, 10);
  if (process.env.NPM_FAILS) process.exit(1);
  mkdirSync('node_modules');
  mkdirSync('node_modules/greeter');
  writeFileSync('node_modules/greeter/package.json', '{"bin":{"greet":"./greet.cjs"}}');
  writeFileSync('node_modules/greeter/greet.cjs', 'console.log("hello " + process.argv.slice(2).join(" "))');
};
setTimeout(install, 100);
`;

interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

describe('the launcher', () => {
  let project: string;

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'launcher-'));
    await mkdir(join(project, 'scripts'));
    await mkdir(join(project, 'bin'));
    await copyFile(join(repositoryRoot, 'scripts/run.mjs'), join(project, 'scripts/run.mjs'));
    await writeFile(join(project, 'package.json'), '{"type":"module","dependencies":{"greeter":"1"}}');
    await writeFile(join(project, 'package-lock.json'), '{"version":1}');
    await writeFile(join(project, 'bin/npm'), NPM);
    await chmod(join(project, 'bin/npm'), 0o755);
  });
  afterEach(() => rm(project, { recursive: true, force: true }));

  function start(args: string[], environment: Record<string, string> = {}) {
    const path = [join(project, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter);
    const child = spawn(process.execPath, [join(project, 'scripts/run.mjs'), ...args], {
      cwd: tmpdir(),
      env: { PATH: path, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]).then(
      ([[code], output, errors]): Ended => ({ code, output, errors }),
    );
    return { child, ended };
  }

  const launch = (args: string[], environment?: Record<string, string>) => start(args, environment).ended;
  const npmCalls = async () => (await readFile(join(project, 'npm-calls.log'), 'utf8')).trim().split('\n');

  it('says how it is used, and installs nothing for that', async () => {
    expect(await launch([])).toMatchObject({ code: 2, errors: expect.stringContaining('usage:') });
    await expect(npmCalls()).rejects.toThrow('ENOENT');
  });

  it('installs once, and again when the lock file has changed', async () => {
    expect(await launch(['greet', 'a', 'b'])).toMatchObject({ code: 0, output: 'hello a b\n' });
    expect(await launch(['greet'])).toMatchObject({ code: 0, errors: '' });
    expect(await npmCalls()).toEqual([expect.stringMatching(/^ci .*--include=dev --include=optional/u)]);
    await writeFile(join(project, 'package-lock.json'), '{"version":2}');
    await launch(['greet']);
    expect(await npmCalls()).toHaveLength(2);
  });

  it('installs once when several commands start together in a fresh clone', async () => {
    const all = await Promise.all([launch(['greet', '1']), launch(['greet', '2']), launch(['greet', '3'])]);
    expect(all.map(({ code, output }) => [code, output])).toEqual([
      [0, 'hello 1\n'],
      [0, 'hello 2\n'],
      [0, 'hello 3\n'],
    ]);
    expect(await npmCalls()).toHaveLength(1);
  });

  it('is not held up by a command that was killed while it installed', async () => {
    const killed = start(['greet'], { NPM_WAITS: '1' });
    await expect.poll(npmCalls).toHaveLength(1);
    killed.child.kill('SIGKILL');
    await writeFile(join(project, 'go'), '');
    await killed.ended;
    expect(await launch(['greet'])).toMatchObject({ code: 0, output: 'hello \n' });
  });

  it('ends npm before it ends itself, so that the next command does not install beside it', async () => {
    const stopped = start(['greet'], { NPM_WAITS: '1' });
    await expect.poll(npmCalls).toHaveLength(1);
    stopped.child.kill('SIGTERM');
    await once(stopped.child, 'exit');
    const npm = Number(await readFile(join(project, 'npm-pid'), 'utf8'));
    expect(() => process.kill(npm, 0)).toThrow('ESRCH');
    expect(await stopped.ended).toMatchObject({ code: 128 + 15 });
    expect(await launch(['greet'])).toMatchObject({ code: 0, output: 'hello \n' });
  });

  it('can be stopped while it waits for another command', async () => {
    const installing = start(['greet'], { NPM_WAITS: '1' });
    await expect.poll(npmCalls).toHaveLength(1);
    const waiting = start(['greet']);
    await once(waiting.child.stderr, 'data');
    waiting.child.kill('SIGTERM');
    expect(await waiting.ended).toMatchObject({ code: 128 + 15, output: '' });
    await writeFile(join(project, 'go'), '');
    expect(await installing.ended).toMatchObject({ code: 0, output: 'hello \n' });
  });

  it('stops when the installation fails, and tries again the next time', async () => {
    const failed = await launch(['greet'], { NPM_FAILS: '1' });
    expect(failed).toMatchObject({ code: 1, output: '', errors: expect.stringContaining('npm registry') });
    expect(await launch(['greet'])).toMatchObject({ code: 0 });
  });

  it('refuses a command that no dependency has', async () => {
    expect(await launch(['nonsense'])).toMatchObject({ code: 2, errors: expect.stringContaining('nonsense') });
  });

  it('runs TypeScript and passes its exit code on', async () => {
    await writeFile(join(project, 'scripts/exit.ts'), 'const code: number = 7;\nprocess.exit(code);\n');
    expect(await launch(['scripts/exit.ts'])).toMatchObject({ code: 7 });
  });

  it('runs a script that is no TypeScript', async () => {
    await writeFile(join(project, 'scripts/exit.mjs'), 'process.exit(7);\n');
    expect((await launch(['scripts/exit.mjs'])).code).toBe(7);
  });

  it('passes signals on, and the way the command ended', async () => {
    const polite = 'process.on("SIGTERM", () => { console.log("bye"); process.exit(3); });';
    await writeFile(
      join(project, 'scripts/polite.ts'),
      `${polite}\nsetInterval(() => {}, 1000);\nconsole.log("up");\n`,
    );
    const running = start(['scripts/polite.ts']);
    await once(running.child.stdout, 'data');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 3 });

    await writeFile(join(project, 'scripts/killed.ts'), 'process.kill(process.pid, "SIGKILL");\n');
    expect(await launch(['scripts/killed.ts'])).toMatchObject({ code: 128 + 9 });
  });

  it('ends its command when the shell that npm runs it in has been told to end', async () => {
    const polite = 'process.on("SIGTERM", () => { console.log("bye"); process.exit(0); });';
    await writeFile(
      join(project, 'scripts/polite.ts'),
      `${polite}\nsetInterval(() => {}, 1000);\nconsole.log("up");\n`,
    );
    // What comes after it keeps any shell from becoming the command itself.
    const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" scripts/run.mjs scripts/polite.ts; exit $?`], {
      cwd: project,
      env: { PATH: [join(project, 'bin'), process.env['PATH']].join(delimiter), npm_lifecycle_event: 'serve' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    await expect.poll(() => output).toBe('up\n');
    shell.kill('SIGTERM');
    await expect.poll(() => output).toBe('up\nbye\n');
  });
});

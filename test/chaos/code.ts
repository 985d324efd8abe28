// The code that the instances of a chaos run have: this version's, or that of another commit beside it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ACCEPT, TAKE_OVER } from '../../lib/state/redis/scripts.ts';
import type { Texts } from '../../lib/texts/texts.ts';
import { zhCN } from '../../lib/texts/zh-CN.ts';

export interface Code {
  name: string;
  /** The file that runs one instance of this code; `host.ts` beside this file, of its commit. */
  host: string;
  /** The store's scripts by which the judge finds acceptances and take-overs. */
  accept: string;
  takeOver: string;
  /** The sentences that it shows. */
  texts: Texts;
}

/** Whether a command runs this script: whole, or by its digest. */
export function runsScript(command: readonly string[] | undefined, script: string): boolean {
  const sent = command?.[1];
  return sent === script || sent === createHash('sha1').update(script).digest('hex');
}

/** What a script of these codes got as the argument of this name. The versions have them in different places. */
export function argumentOf(
  command: readonly string[],
  codes: readonly Code[],
  script: 'accept' | 'takeOver',
  name: RegExp,
): string | undefined {
  const code = codes.find((each) => runsScript(command, each[script]));
  const [, names = ''] = /^local ([\w,\s]+) =\s+unpack\(ARGV\)/mu.exec(code?.[script] ?? '') ?? [];
  const place = names.split(',').findIndex((each) => name.test(each.trim()));
  // EVAL or EVALSHA, the script, the number of keys, the keys.
  return place < 0 ? undefined : command[3 + Number(command[2]) + place];
}

export interface LaidOutCode extends Code {
  /** Deletes its directory. */
  remove(): void;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const HOST = 'test/chaos/host.ts';
const TEXTS = 'lib/texts/zh-CN.ts';
/** Where the scripts stand, in this version and in those before it. */
const SCRIPTS = ['lib/state/redis/scripts.ts', 'lib/state/scripts.ts'];

export const thisCode: Code = {
  name: 'this version',
  host: fileURLToPath(new URL('host.ts', import.meta.url)),
  accept: ACCEPT,
  takeOver: TAKE_OVER,
  texts: zhCN,
};

/**
 * Lays the code of a commit out in a temporary directory, with the dependencies of this project or, where its lock file
 * asks for others, its own. The directory goes with `remove`, or when this process exits.
 *
 * @throws Error when git does not know the commit here, or its code cannot run beside this one.
 */
export async function layOut(revision: string): Promise<LaidOutCode> {
  const commit = commitOf(revision);
  const directory = mkdtempSync(join(tmpdir(), 'chaos-code-'));
  const remove = () => {
    process.off('exit', remove);
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', remove);
  try {
    const archive = join(directory, 'code.tar');
    git('archive', '--format=tar', `--output=${archive}`, commit);
    execFileSync('tar', ['-xf', archive, '-C', directory]);
    const scripts = SCRIPTS.find((path) => existsSync(join(directory, path)));
    if (!existsSync(join(directory, HOST)) || scripts === undefined)
      throw new Error(`The commit ${revision} has no ${HOST}, so its instances cannot run in a chaos run.`);
    provideDependencies(directory);
    const load = async (path: string) => (await import(pathToFileURL(join(directory, path)).href)) as unknown;
    const [{ ACCEPT: accept, TAKE_OVER: takeOver }, { zhCN: texts }] = [
      (await load(scripts)) as { ACCEPT: string; TAKE_OVER: string },
      (await load(TEXTS)) as { zhCN: Texts },
    ];
    const host = join(directory, HOST);
    // A sentence that the commit does not have is one that it does not show.
    return { name: commit.slice(0, 7), host, accept, takeOver, texts: { ...zhCN, ...texts }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** The commit that this version is at, with `-dirty` when files differ from it. */
export const thisCommit = (): string => git('describe', '--always', '--abbrev=7', '--dirty', '--exclude=*');

function commitOf(revision: string): string {
  try {
    return git('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(
      `git finds no commit ${revision} here: ${(stderr ?? message).trim()}. In a shallow clone, fetch the history first: git fetch --unshallow`,
      { cause: error },
    );
  }
}

/** What runs needs none of the tools, so only the other packages of the two lock files have to be the same. */
function provideDependencies(directory: string): void {
  const ours = new Set(packagesOf(root));
  if (packagesOf(directory).every((each) => ours.has(each))) {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'junction');
    return;
  }
  process.stderr.write('[setup] installing the dependencies of the other commit\n');
  const args = ['install', '--no-save', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm prints to standard error here, so that the command's own output stays clean.
  execFileSync('npm', args, { cwd: directory, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}

function packagesOf(directory: string): string[] {
  const lock = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path, { version }]) => `${path} ${version}`);
}

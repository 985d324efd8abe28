// The launcher behind every npm script. It makes each of them work on a fresh clone:
// it installs the dependencies when the lock file says they are missing or old, fetches
// Node 24 when this Node is another major version, and then runs what it was asked to.
//
//   node scripts/run.mjs <file.ts | command of an installed package> [arguments]
//
// Plain JavaScript without dependencies, because it runs before there are any and on older Nodes.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache');
const isWindows = process.platform === 'win32';

/** A piece of set-up: npm in a directory. Its stamp is written when it is done; an interrupted one is repeated. */
const dependencies = {
  purpose: 'installing the dependencies (once)',
  directory: root,
  // Not `npm ci`: it refuses a lock file that lacks the binaries of some other platform. This keeps to the lock
  // file as well, does not write to it, and adds what this platform needs.
  args: ['install', '--no-save', '--include=dev', '--include=optional', '--loglevel=error'],
  stamp: join(root, 'node_modules', '.installed-lock-hash'),
  content: createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex'),
};

const nodeHome = join(cache, `node-${NODE_MAJOR}`);
const fetchedNode = {
  purpose: `this is Node ${process.version}; fetching Node ${NODE_MAJOR} (once)`,
  directory: nodeHome,
  // The package gets its binary by an install script, which many people and newer npms do not run unless told to.
  manifest: { private: true, allowScripts: { node: true } },
  args: [
    'install',
    `node@${NODE_MAJOR}`,
    '--no-save',
    '--no-package-lock',
    '--ignore-scripts=false',
    '--loglevel=error',
  ],
  stamp: join(nodeHome, '.installed'),
  content: String(NODE_MAJOR),
};

const isWantedNode = Number(process.versions.node.split('.')[0]) === NODE_MAJOR;
const steps = isWantedNode ? [dependencies] : [dependencies, fetchedNode];
const binary = isWantedNode
  ? process.execPath
  : join(nodeHome, 'node_modules', 'node', 'bin', isWindows ? 'node.exe' : 'node');

function isMissing({ stamp, content }) {
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== content;
}

function perform({ purpose, directory, manifest, args, stamp, content }) {
  console.error(`[setup] ${purpose}`);
  mkdirSync(directory, { recursive: true });
  if (manifest) writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  // npm prints to standard error here, so that a command's own output stays clean.
  const done = spawnSync(isWindows ? 'npm.cmd' : 'npm', args, {
    cwd: directory,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
  });
  if (done.status !== 0) {
    console.error(`[setup] failed: npm ${args.join(' ')}\n[setup] is the npm registry reachable?`);
    process.exit(1);
  }
  writeFileSync(stamp, content);
}

/** Whether whoever holds the lock is gone, or was killed before it could say who it is. */
function isAbandoned(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    if (error.code === 'ESRCH') return true;
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    return error.code === 'ENOENT' && age > 5_000;
  }
}

/** Waits until this process alone is setting up: two at once would install into each other. */
function takeLock() {
  const lock = join(cache, 'setup.lock');
  mkdirSync(cache, { recursive: true });
  for (let isFirstTry = true; ; isFirstTry = false) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(lock)) {
      rmSync(lock, { recursive: true, force: true });
      continue;
    }
    if (isFirstTry) console.error('[setup] waiting for another command that is setting up');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

function setUp() {
  if (!steps.some(isMissing)) return;
  const release = takeLock();
  // Another command may have done it meanwhile.
  steps.filter(isMissing).forEach(perform);
  release();
}

/** The file behind a command of one of our dependencies, for example `vitest` or `tsc`. */
function commandFile(command) {
  const { dependencies: needed, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys({ ...needed, ...devDependencies })) {
    const home = join(root, 'node_modules', name);
    const { bin = {} } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const file = typeof bin === 'string' ? { [name]: bin }[command] : bin[command];
    if (file !== undefined) return join(home, file);
  }
  console.error(`no dependency has a command ${command}`);
  return process.exit(2);
}

const [target, ...args] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node scripts/run.mjs <file.ts | command> [arguments]');
  process.exit(2);
}
setUp();
const file = target.endsWith('.ts') ? join(root, target) : commandFile(target);
const child = spawn(binary, ['--disable-warning=ExperimentalWarning', file, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}` },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // Ctrl+C in a terminal has reached the child already; a second one would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
// npm tells only the shell between it and this process to end, and a shell that ends tells nobody.
if (process.env.npm_lifecycle_event) {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 250);
}
child.on('error', (error) => {
  console.error(`[setup] cannot run ${binary}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));

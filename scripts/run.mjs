// The launcher behind every npm script. It makes each of them work on a fresh clone:
// it installs the dependencies when the lock file says they are missing or old, fetches
// Node 24 when this Node is another major version, and then runs what it was asked to.
//
//   node scripts/run.mjs <file.ts | command of an installed package> [arguments]
//
// Plain JavaScript without dependencies, because it runs before there are any and on older Nodes.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache');
const isWindows = process.platform === 'win32';

/** A piece of set-up: npm in a directory. Its stamp is written when it is done; an interrupted one is repeated. */
const dependencies = {
  purpose: 'installing the dependencies (once)',
  directory: root,
  // `npm ci` removes node_modules first, and the stamp with it. From npm's cache it needs no registry.
  args: ['ci', '--include=dev', '--include=optional', '--prefer-offline', '--loglevel=error'],
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

/** npm while it installs, and then the command. */
let child;
let stopSignal;

/** Ends the child, and this process after it: an npm that went on by itself would install beside the next command. */
function stop(signal) {
  stopSignal = signal;
  if (child === undefined) process.exit(128 + constants.signals[signal]);
  // Ctrl+C in a terminal has reached the child already; a second one would mean "at once".
  if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
}

function stopWhenTold() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  if (!process.env.npm_lifecycle_event) return;
  // npm tells only the shell between it and this process to end, and that shell does not pass it on.
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    stop('SIGTERM');
  }, 250);
}

async function perform({ purpose, directory, manifest, args, stamp, content }) {
  console.error(`[setup] ${purpose}`);
  mkdirSync(directory, { recursive: true });
  if (manifest) writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  // npm prints to standard error here, so that a command's own output stays clean.
  child = spawn(isWindows ? 'npm.cmd' : 'npm', args, {
    cwd: directory,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
  });
  const status = await new Promise((resolve) => {
    child.on('error', resolve).on('exit', resolve);
  });
  child = undefined;
  if (stopSignal) stop(stopSignal);
  if (status !== 0) {
    console.error(`[setup] failed: npm ${args.join(' ')}\n[setup] npm says why above. Is the npm registry reachable?`);
    process.exit(1);
  }
  writeFileSync(stamp, content);
}

/** Whether the process that holds the lock is gone, or was killed before it wrote its id. */
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
async function takeLock() {
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
    await sleep(200);
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
}

async function setUp() {
  if (!steps.some(isMissing)) return;
  const release = await takeLock();
  // Another command may have done it meanwhile.
  for (const step of steps.filter(isMissing)) await perform(step);
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
  console.error('usage: node scripts/run.mjs <file | command> [arguments]');
  process.exit(2);
}
stopWhenTold();
await setUp();
const file = /\.(?:ts|mjs)$/.test(target) ? join(root, target) : commandFile(target);
child = spawn(binary, ['--disable-warning=ExperimentalWarning', file, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: {
    // Node strips the types of each file at each start, and compiles it: from here it does so once for each change of it.
    NODE_COMPILE_CACHE: join(cache, 'compiled'),
    ...process.env,
    PATH: `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}`,
  },
});
child.on('error', (error) => {
  console.error(`[setup] cannot run ${binary}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));

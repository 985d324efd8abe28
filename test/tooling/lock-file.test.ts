// The lock file is complete for every platform; otherwise `npm ci` refuses it and `npm install` rewrites it.
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';

type Ranges = Record<string, string>;

interface LockedPackage {
  version?: string;
  integrity?: string;
  resolved?: string;
  dependencies?: Ranges;
  devDependencies?: Ranges;
  optionalDependencies?: Ranges;
  peerDependencies?: Ranges;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  await readFile(join(repositoryRoot, 'package-lock.json'), 'utf8'),
);
const { '': project = {}, ...packages } = lock.packages;

/** The entry that the package at `path` gets when it loads `name`: the nearest node_modules has it. */
function entryFor(name: string, path: string): LockedPackage | undefined {
  const entry = packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`];
  if (entry !== undefined || path === '') return entry;
  return entryFor(name, path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))));
}

/** All that a package asks for. Its binaries for each platform are among the optional dependencies. */
function wantedBy(locked: LockedPackage): [name: string, range: string][] {
  const peers = Object.entries(locked.peerDependencies ?? {});
  return [
    ...Object.entries({ ...locked.dependencies, ...locked.devDependencies, ...locked.optionalDependencies }),
    ...peers.filter(([name]) => !locked.peerDependenciesMeta?.[name]?.optional),
  ];
}

describe('the lock file', () => {
  it('has an entry for everything that a locked package asks for, whichever platform it is for', () => {
    const missing = Object.entries({ '': project, ...packages }).flatMap(([path, locked]) =>
      wantedBy(locked)
        .filter(([name, range]) => {
          const version = entryFor(name, path)?.version;
          // npm itself judges ranges, in the test below. Binaries are asked for by their exact version.
          return version === undefined || (/^\d+\.\d+\.\d+$/u.test(range) && version !== range);
        })
        .map(([name, range]) => `${name} ${range}, for ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('has a version and a hash for each package, and no address', () => {
    const entries = Object.entries(packages);
    expect(entries.length).toBeGreaterThan(300);
    expect(entries.filter(([, { version, integrity }]) => !version || !integrity)).toEqual([]);
    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('is accepted by npm for this package.json, without asking the registry', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lock-file-'));
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
      await copyFile(join(repositoryRoot, name), join(directory, name));
    }
    const npm = promisify(execFile)('npm', ['ci', '--dry-run', '--offline', '--loglevel=error'], {
      cwd: directory,
      shell: process.platform === 'win32',
    });
    await expect(npm).resolves.toBeDefined();
    await rm(directory, { recursive: true, force: true });
  });
});

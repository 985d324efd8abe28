// The licences of the packages that are deployed, from the lock file and from the packages themselves.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Licences that ask for no more than their own text. */
const FITTING: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
]);

export interface Licensed {
  name: string;
  licence: string;
}

interface LockFile {
  packages: Record<string, { dev?: boolean; devOptional?: boolean; license?: string }>;
}

/** The packages that a deployment or the image installs, in the order of the lock file. */
export function deployedPackages(root: string): Licensed[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .map(([path, { license }]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      licence: license ?? licenceIn(root, path),
    }));
}

function licenceIn(root: string, path: string): string {
  const file = join(root, path, 'package.json');
  if (!existsSync(file)) return 'unknown';
  const { license } = JSON.parse(readFileSync(file, 'utf8')) as { license?: unknown };
  return typeof license === 'string' ? license : 'unknown';
}

/** An expression fits when one of its choices does, and all parts of that choice. */
export function fits(licence: string): boolean {
  const words = licence.replaceAll(/[()]/g, '');
  return words.split(' OR ').some((choice) => choice.split(' AND ').every((part) => FITTING.has(part.trim())));
}

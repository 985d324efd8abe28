// The Dockerfile, as far as it can be read: what it copies is all that the server imports, and nothing secret.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { importsBelow, reachableFrom } from '../support/imports.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const dockerfile = read('Dockerfile');
const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gmu)].flatMap(([, paths = '']) => paths.split(' '));
const [, start = ''] = /^CMD \["node", "([^"]+)"\]$/mu.exec(dockerfile) ?? [];

/** Everything that is loaded from the start file on. */
const loaded = reachableFrom(start, importsBelow(repositoryRoot, ['lib', 'scripts']));
const files = loaded.filter((path) => path.endsWith('.ts'));
const packages = loaded.filter((path) => !path.endsWith('.ts') && !path.startsWith('node:'));

describe('the image', () => {
  it('copies every file that the server loads', () => {
    expect(files.length).toBeGreaterThan(50);
    const missing = files.filter((file) => !copied.some((path) => file === path || file.startsWith(`${path}/`)));
    expect(missing).toEqual([]);
  });

  it('has every package that it loads among those that are not for development', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(packages.filter((name) => !Object.hasOwn(dependencies, name))).toEqual([]);
  });

  it('installs exactly what the lock file says', () => {
    expect(dockerfile).toMatch(/^RUN npm ci --omit=dev /mu);
  });

  it('takes nothing else into the build', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(allowed.toSorted()).toEqual(copied.toSorted());
  });

  it('does not run as root, and tells whether it is well', () => {
    expect(dockerfile).toMatch(/^USER node$/mu);
    expect(dockerfile).toMatch(/^HEALTHCHECK /mu);
  });
});

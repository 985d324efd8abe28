// The Dockerfile, as far as it can be read: what it copies is all that the server imports, and nothing secret.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { importsOf } from '../support/imports.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const dockerfile = read('Dockerfile');
const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gmu)].flatMap(([, paths = '']) => paths.split(' '));
const [, start = ''] = /^CMD \["node", "([^"]+)"\]$/mu.exec(dockerfile) ?? [];

/** Everything that is loaded from the start file on. */
function reachable(): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string) => {
    if (files.has(path)) return;
    files.add(path);
    for (const { to, typeOnly } of importsOf(path, read(path))) {
      if (typeOnly || to.startsWith('node:')) continue;
      if (to.endsWith('.ts')) visit(to);
      else packages.add(to);
    }
  };
  visit(start);
  return { files, packages };
}

describe('the image', () => {
  it('copies every file that the server loads', () => {
    const { files } = reachable();
    expect(files.size).toBeGreaterThan(50);
    const missing = [...files].filter((file) => !copied.some((path) => file === path || file.startsWith(`${path}/`)));
    expect(missing).toEqual([]);
  });

  it('has every package that it loads among those that are not for development', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect([...reachable().packages].filter((name) => !Object.hasOwn(dependencies, name))).toEqual([]);
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

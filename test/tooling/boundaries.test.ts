// The picture in docs/architecture.md as a test: who may import whom.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { importsBelow, importsOf, sourceFiles, withoutComments, type Import } from '../support/imports.ts';

/** Where it says so. */
const WHERE = 'see "Allowed imports" in docs/architecture.md';

/** Modules that only compute: the same input always gives the same output. */
const PURE = [
  'lib/answer.ts',
  'lib/view.ts',
  'lib/form-view.ts',
  'lib/quick-links.ts',
  'lib/forms.ts',
  'lib/thinking.ts',
  'lib/outputs.ts',
  'lib/errors.ts',
  'lib/texts/',
];
const MARKDOWN = 'lib/markdown/';

/**
 * What the files of a place may import of our own code, types included; the first place that fits a file
 * counts. A name that ends in a slash stands for the whole folder.
 */
const ALLOWED: readonly (readonly [place: string, may: readonly string[]])[] = [
  ['api/', ['lib/app.ts', 'lib/runtime/']],
  ['lib/app.ts', ['lib/']],
  ['lib/errors.ts', []],
  ['lib/thinking.ts', []],
  ['lib/runtime/', ['lib/runtime/', 'lib/errors.ts']],
  [MARKDOWN, [MARKDOWN]],
  ['lib/texts/', ['lib/texts/', 'lib/errors.ts', MARKDOWN]],
  ['lib/dingtalk/', ['lib/dingtalk/', 'lib/card/', MARKDOWN, 'lib/texts/', 'lib/runtime/', 'lib/errors.ts']],
  ['lib/dify/', ['lib/dify/', 'lib/runtime/', 'lib/errors.ts']],
  ['lib/state/', ['lib/state/', 'lib/runtime/', 'lib/errors.ts']],
  ['lib/card/', ['lib/card/', MARKDOWN, 'lib/texts/', 'lib/runtime/', 'lib/errors.ts']],
  ['playground/dingtalk/', ['playground/', 'lib/runtime/clock.ts']],
  ['playground/dify/', ['playground/', 'lib/runtime/clock.ts']],
  ['playground/', ['playground/', 'lib/', 'api/', 'scripts/host.ts', 'scripts/dotenv.ts']],
];

/** Packages that belong to one place. Test and build tools belong to none of these folders. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@vercel/functions': ['api/'],
  '@upstash/redis': ['lib/state/'],
  '@redis/client': ['lib/state/'],
  'eventsource-parser': ['lib/dify/'],
  marked: [MARKDOWN],
  'ipaddr.js': ['lib/runtime/'],
  fflate: ['lib/dingtalk/'],
  'file-type': ['lib/file-kinds.ts'],
};

const isIn = (path: string, places: readonly string[]) =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));

const isOurs = ({ to }: Import) => /^(?:api|lib|playground|scripts|test)\//u.test(to);

/** The root modules (receiver, turn, …) may use every folder, but not the root that puts them together. */
function mayImport({ from, to, typeOnly }: Import): boolean {
  if (typeOnly && isIn(from, PURE)) return to.startsWith('lib/') && !isIn(from, ['lib/errors.ts', 'lib/thinking.ts']);
  const rule = ALLOWED.find(([place]) => isIn(from, [place]));
  return rule ? isIn(to, rule[1]) : to.startsWith('lib/') && to !== 'lib/app.ts';
}

const codeOf = (path: string) => withoutComments(readFileSync(join(repositoryRoot, path), 'utf8'));

const say = ({ from, to }: Import) => `${from} must not import ${to}; ${WHERE}`;
const all = importsBelow(repositoryRoot, ['api', 'lib', 'playground']);
const inFunction = all.filter(({ from }) => isIn(from, ['api/', 'lib/']));

describe('who may import whom', () => {
  it('holds for our own code', () => {
    expect(all.filter((found) => isOurs(found) && !mayImport(found)).map(say)).toEqual([]);
  });

  it('keeps what only computes free of everything that runs', () => {
    const running = all.filter(({ from, typeOnly }) => isIn(from, PURE) && !typeOnly);
    expect(running.filter(({ to }) => !isIn(to, [...PURE, MARKDOWN])).map(say)).toEqual([]);
    const rendering = all.filter(({ from }) => isIn(from, [MARKDOWN]));
    expect(rendering.filter(({ to }) => !isIn(to, [MARKDOWN, 'marked', 'zod'])).map(say)).toEqual([]);
  });

  it('keeps each package in its place', () => {
    const misplaced = inFunction.filter(({ from, to }) => PACKAGES[to] !== undefined && !isIn(from, PACKAGES[to]));
    expect(misplaced.map(say)).toEqual([]);
  });

  it('keeps files that are written without an extension, which the platform cannot load, out', () => {
    const relative = inFunction.filter(isOurs);
    expect(relative.filter(({ to }) => !to.endsWith('.ts')).map(({ from, to }) => `${from}: ${to}`)).toEqual([]);
  });
});

describe('the rest of the rules that a reader of one file relies on', () => {
  it('reads the environment in one place', () => {
    const readers = ['api', 'lib']
      .flatMap((directory) => sourceFiles(repositoryRoot, directory))
      .filter((path) => /\bprocess\s*\.\s*env\b|['"](?:node:)?process['"]/u.test(codeOf(path)));
    expect(readers, `the environment is read elsewhere too; ${WHERE}`).toEqual(['lib/runtime/environment.ts']);
  });

  it('has no module mocks: tests drive real servers', () => {
    const mocking = sourceFiles(repositoryRoot, 'test').filter((path) =>
      /\bvi\s*\.\s*(?:doMock|mock)\b/u.test(codeOf(path)),
    );
    expect(mocking).toEqual([]);
  });
});

describe('the reader of imports', () => {
  it('finds every form, and nothing in comments', () => {
    const text = [
      "import { a } from '../dify/client.ts';",
      "import type { B } from './b.ts';",
      "import {\n  c,\n  type D,\n} from './c.ts';",
      "export * from './e.ts';",
      "import './f.ts';",
      "const g = await import('zod/mini');",
      "import * as h from '@upstash/redis/cloudflare';",
      "// import { no } from './no.ts';",
      "/* import { no } from './no.ts'; */",
      "const address = 'https://example.com'; export const i = 'text';",
    ].join('\n');
    const found = importsOf('lib/card/x.ts', text).map(({ to, typeOnly }) => (typeOnly ? `type ${to}` : to));
    expect(found.toSorted()).toEqual(
      [
        'lib/dify/client.ts',
        'type lib/card/b.ts',
        'lib/card/c.ts',
        'lib/card/e.ts',
        'lib/card/f.ts',
        'zod',
        '@upstash/redis',
      ].toSorted(),
    );
  });

  it.each([
    ['lib/card/writer.ts', 'lib/dify/client.ts', false],
    ['lib/dingtalk/ai-card.ts', 'lib/card/sink.ts', true],
    ['lib/dingtalk/ai-card.ts', 'lib/state/state.ts', false],
    ['lib/runtime/http.ts', 'lib/texts/index.ts', false],
    ['lib/turn.ts', 'lib/dify/client.ts', true],
    ['lib/turn.ts', 'lib/app.ts', false],
    ['lib/app.ts', 'playground/main.ts', false],
    ['lib/turn.ts', 'test/support/artifact.ts', false],
    ['api/dingtalk.ts', 'lib/turn.ts', false],
    ['playground/dify/app.ts', 'lib/dify/events.ts', false],
    ['playground/main.ts', 'lib/app.ts', true],
  ])('judges %s importing %s: %s', (from, to, allowed) => {
    expect(mayImport({ from, to, typeOnly: false })).toBe(allowed);
  });
});

// The picture in docs/architecture.md as a test: who may import whom.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import {
  importsBelow,
  importsOf,
  reachableFrom,
  sourceFiles,
  withoutComments,
  type Import,
} from '../support/imports.ts';

/** Where it says so. */
const WHERE = 'see "The tree" in docs/architecture.md';

/**
 * The rooms of `lib/`, in the order in which a question travels. A file imports its own folder and what stands on a lower
 * line: never a higher line, never a neighbour on the same one. Types count.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['lib/function.ts'],
  ['lib/app.ts'],
  ['lib/receiver.ts'],
  ['lib/robot/'],
  ['lib/turn/'],
  ['lib/ask/', 'lib/recovery/'],
  ['lib/files/'],
  ['lib/dingtalk/', 'lib/dify/', 'lib/state/'],
  ['lib/delivery/'],
  ['lib/answer/', 'lib/net/'],
  ['lib/texts/', 'lib/runtime/', 'lib/routes.ts'],
  ['lib/markdown/', 'lib/config/', 'lib/errors.ts'],
  ['lib/characters.ts'],
];

/** The words of the commands in the terminal, which `npm start` shares with the others. */
const SAID_IN_TERMINAL = ['scripts/language.ts', 'scripts/problems.ts', 'scripts/words/'];

/** What stands around `lib/`, and what of our own code it may import. */
const AROUND: readonly (readonly [place: string, may: readonly string[]])[] = [
  ['api/', ['lib/function.ts']],
  // It draws a card from the file that the generator writes.
  ['playground/dingtalk/', ['playground/', 'lib/runtime/clock.ts', 'scripts/card-template/']],
  ['playground/dify/', ['playground/', 'lib/runtime/clock.ts']],
  ['playground/', ['playground/', 'lib/', 'api/', 'scripts/host.ts', 'scripts/dotenv.ts', ...SAID_IN_TERMINAL]],
];

/** Rooms that only compute: the same input always gives the same output. At run time they use nothing but each other. */
const PURE = ['lib/answer/', 'lib/texts/', 'lib/markdown/', 'lib/errors.ts', 'lib/characters.ts'];

/** Packages that belong to one place. Test and build tools belong to none of these folders. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@vercel/functions': ['lib/function.ts'],
  '@upstash/redis': ['lib/state/redis/'],
  '@redis/client': ['lib/state/redis/'],
  'eventsource-parser': ['lib/dify/'],
  marked: ['lib/markdown/'],
  'ipaddr.js': ['lib/net/'],
  ws: ['lib/dingtalk/stream/'],
  'file-type': ['lib/files/'],
};

/** What a host hands to `createApp`. The deployed function never uses it, so nothing of it may be deployed. */
const ONLY_HANDED_IN = ['lib/state/memory/', 'lib/state/redis/tcp.ts', '@redis/client', 'lib/dingtalk/stream/', 'ws'];

const isIn = (path: string, places: readonly string[]) =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));

const isOurs = ({ to }: Import) => /^(?:api|lib|playground|scripts|test)\//u.test(to);

/** The room of a file of `lib/` and its line; a place that the list does not name has none. */
function roomOf(path: string): { room: string; floor: number } | null {
  const floor = FLOORS.findIndex((rooms) => isIn(path, rooms));
  const room = FLOORS[floor]?.find((place) => isIn(path, [place]));
  return room === undefined ? null : { room, floor };
}

function mayImport({ from, to }: Pick<Import, 'from' | 'to'>): boolean {
  const around = AROUND.find(([place]) => isIn(from, [place]));
  if (around) return isIn(to, around[1]);
  const [source, target] = [roomOf(from), roomOf(to)];
  if (!source || !target) return false;
  return source.room === target.room || source.floor < target.floor;
}

/** Circles of files, each as the way around it; empty when there is none. */
function circlesIn(imports: readonly Pick<Import, 'from' | 'to'>[]): string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const finished = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
    if (finished.has(path) || way.includes(path)) return;
    for (const { to } of targets.get(path) ?? []) visit(to, [...way, path]);
    finished.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return circles;
}

const codeOf = (path: string) => withoutComments(readFileSync(join(repositoryRoot, path), 'utf8'));

const say = ({ from, to }: Import) => `${from} must not import ${to}; ${WHERE}`;
const all = importsBelow(repositoryRoot, ['api', 'lib', 'playground']);
const inFunction = all.filter(({ from }) => isIn(from, ['api/', 'lib/']));

describe('who may import whom', () => {
  it('holds for our own code', () => {
    expect(all.filter((found) => isOurs(found) && !mayImport(found)).map(say)).toEqual([]);
  });

  it('has a line for every file of lib/', () => {
    expect(sourceFiles(repositoryRoot, 'lib').filter((path) => roomOf(path) === null)).toEqual([]);
  });

  it('has no circle of files, types included', () => {
    const everywhere = importsBelow(repositoryRoot, ['api', 'lib', 'playground', 'scripts', 'test']);
    expect(circlesIn(everywhere.filter(isOurs))).toEqual([]);
  });

  it('keeps what only computes free of everything that runs', () => {
    const running = all.filter(({ from, typeOnly }) => isIn(from, PURE) && !typeOnly);
    const allowed = (from: string) => (isIn(from, ['lib/markdown/']) ? [...PURE, 'marked', 'zod'] : PURE);
    expect(running.filter(({ from, to }) => !isIn(to, allowed(from))).map(say)).toEqual([]);
  });

  it('keeps each package in its place', () => {
    const misplaced = inFunction.filter(({ from, to }) => PACKAGES[to] !== undefined && !isIn(from, PACKAGES[to]));
    expect(misplaced.map(say)).toEqual([]);
  });

  it("leaves what only a server of one's own needs out of the deployed function", () => {
    const carried = reachableFrom('api/dingtalk.ts', inFunction);
    expect(carried).toContain('@upstash/redis');
    expect(carried.filter((path) => isIn(path, ONLY_HANDED_IN))).toEqual([]);
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
    expect(readers, `the environment is read elsewhere too; ${WHERE}`).toEqual(['lib/config/environment.ts']);
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
    const found = importsOf('lib/delivery/x.ts', text).map(({ to, typeOnly }) => (typeOnly ? `type ${to}` : to));
    expect(found.toSorted()).toEqual(
      [
        'lib/dify/client.ts',
        'type lib/delivery/b.ts',
        'lib/delivery/c.ts',
        'lib/delivery/e.ts',
        'lib/delivery/f.ts',
        'zod',
        '@upstash/redis',
      ].toSorted(),
    );
  });

  it.each([
    ['lib/delivery/writer.ts', 'lib/dify/ask.ts', false],
    ['lib/dingtalk/ai-card.ts', 'lib/delivery/sink.ts', true],
    ['lib/dingtalk/ai-card.ts', 'lib/state/state.ts', false],
    ['lib/net/http.ts', 'lib/answer/view.ts', false],
    ['lib/turn/turn.ts', 'lib/dify/ask.ts', true],
    ['lib/turn/turn.ts', 'lib/app.ts', false],
    ['lib/ask/ask.ts', 'lib/recovery/recover.ts', false],
    ['lib/ask/ask.ts', 'lib/ask/question.ts', true],
    ['lib/ask/ask.ts', 'lib/stray.ts', false],
    ['lib/stray.ts', 'lib/errors.ts', false],
    ['lib/app.ts', 'playground/main.ts', false],
    ['lib/turn/turn.ts', 'test/support/artifact.ts', false],
    ['api/dingtalk.ts', 'lib/turn/turn.ts', false],
    ['playground/dify/app.ts', 'lib/dify/events.ts', false],
    ['playground/main.ts', 'lib/app.ts', true],
  ])('judges %s importing %s: %s', (from, to, allowed) => {
    expect(mayImport({ from, to })).toBe(allowed);
  });

  it('finds a circle, and none where two ways lead to one file', () => {
    const ways = (text: string) => text.split(' ').map((way) => ({ from: way[0] ?? '', to: way[1] ?? '' }));
    expect(circlesIn(ways('ab bc ca'))).toEqual(['a → b → c → a']);
    expect(circlesIn(ways('ab ac bd cd'))).toEqual([]);
  });
});

// That the pages for users and operators exist in both languages with the same content, and that their tables hold every
// command, address and word to type.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/artifact.ts';
import { sourceFiles } from '../support/imports.ts';
import {
  bothLanguages,
  codesIn,
  DOCUMENTS,
  inChinese,
  isCode,
  isHeading,
  isTable,
  linksIn,
  onlyCode,
  read,
  rowsUnder,
  tokensOf,
  USER_PAGES,
} from '../support/documents.ts';

const READMES = bothLanguages('README.md');
const CONFIGURATION = bothLanguages('docs/configuration.md');
const MAX_README_BYTES = 15_000;

/** Everything that a reader sees as a unit: headings, tables, code, lists, in order, without its words. */
function outline(path: string): string[] {
  return tokensOf(path).flatMap((token) => {
    // A code is a heading of its own in both languages.
    if (isHeading(token)) return `heading ${token.depth} ${onlyCode(token.text) ?? ''}`.trimEnd();
    if (isTable(token)) return `table of ${token.header.length} columns, ${token.rows.length} rows`;
    if (isCode(token)) return `code ${token.lang ?? ''}, ${token.text.split('\n').length} lines`;
    return token.type === 'space' ? [] : token.type;
  });
}

/** The code of a page without its comments, which are in the language of the page. */
const commandsIn = (path: string) =>
  tokensOf(path)
    .filter(isCode)
    .map(({ text }) => text.replaceAll(/\s+#\s.*$/gmu, ''));

describe.each(USER_PAGES)('%s', (page) => {
  it('exists in both languages, each with a link to the other', () => {
    const missing = bothLanguages(page).filter((path) => !DOCUMENTS.includes(path));
    expect(missing).toEqual([]);
    const name = (path: string) => path.replace(/^docs\//u, '');
    expect(linksIn(page)[0]).toBe(name(inChinese(page)));
    expect(linksIn(inChinese(page))[0]).toBe(name(page));
  });

  it('has the same headings, tables, code and lists in the same order', () => {
    expect(outline(inChinese(page))).toEqual(outline(page));
  });

  it('has the same commands', () => {
    expect(commandsIn(inChinese(page))).toEqual(commandsIn(page));
  });

  it('leads to pages in its own language', () => {
    const pages = USER_PAGES.map((path) => path.replace(/^docs\//u, ''));
    // After the link to the other language at the top.
    const foreign = linksIn(inChinese(page))
      .slice(1)
      .filter((link) => pages.includes(link.replace(/#.*$/u, '').replace(/^(?:\.\.\/|docs\/)/u, '')));
    expect(foreign).toEqual([]);
  });
});

describe.each(READMES)('%s', (path) => {
  it(`has at most ${MAX_README_BYTES} bytes`, () => {
    expect(Buffer.byteLength(read(path))).toBeLessThanOrEqual(MAX_README_BYTES);
  });

  it('has commands that can be typed as they stand', () => {
    const commands = tokensOf(path)
      .filter(isCode)
      .filter(({ lang }) => lang === 'bash')
      .map(({ text }) => text);
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter((text) => /your-|example\.|<|…/u.test(text))).toEqual([]);
  });

  it('names every word that a user can type instead of a question', () => {
    const source = read('lib/robot/commands.ts');
    const words = [...source.matchAll(/words: \[([^\]]+)\]/gu)].flatMap(([, list = '']) =>
      [...list.matchAll(/'([^']+)'/gu)].map(([, word = '']) => word),
    );
    expect(words).toContain('/new');
    const told = rowsUnder(path, ['Typed', '输入']).flatMap(([typed = '']) => codesIn(typed));
    // The number of a form is no word of its own.
    expect(told.filter((word) => !word.includes(' #')).toSorted()).toEqual(words.toSorted());
  });
});

describe.each(CONFIGURATION)('%s', (path) => {
  it('has a row for each npm script, and for no other', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const told = rowsUnder(path, ['Command', '命令']).map(([command]) =>
      (onlyCode(command) ?? '').replace(/^npm (?:run )?/u, ''),
    );
    expect(told.toSorted()).toEqual(Object.keys(scripts).toSorted());
  });

  it('has a row for each argument of the doctor', () => {
    const options = /const OPTIONS = \{([\s\S]*?)\n\}/u.exec(read('scripts/doctor/arguments.ts'))?.[1] ?? '';
    const names = [...options.matchAll(/^ {2}(\w+): \{ type: '(\w+)'/gmu)].map(([, name = '', type]) =>
      // A switch that is on by itself is turned off.
      name === 'color' && type === 'boolean' ? '--no-color' : `--${name}`,
    );
    expect(names).toContain('--card');
    const told = rowsUnder(path, ['Argument after `npm run doctor --`', '写在 `npm run doctor --` 后面的参数']);
    expect(told.flatMap(([argument]) => onlyCode(argument)?.split(' ')[0] ?? []).toSorted()).toEqual(names.toSorted());
  });

  it('has a row for each route', () => {
    const source = read('lib/routes.ts');
    const queries = [...source.matchAll(/query\.has\('(\w+)'\)/gu)].map(([, query = '']) => `?${query}`);
    const methods = [...(/\[('GET'[^\]]*)\]/u.exec(source)?.[1] ?? '').matchAll(/'(\w+)'/gu)].map(([, name]) => name);
    const told = rowsUnder(path, ['Request', '请求']).flatMap(([request = '']) => codesIn(request));
    expect(told.flatMap((request) => request.split(' ')[1] ?? []).toSorted()).toEqual(queries.toSorted());
    expect(new Set(told.map((request) => request.split(' ')[0]))).toEqual(new Set(methods));
  });
});

describe('the decision notes', () => {
  const notes = DOCUMENTS.filter((path) => path.startsWith('docs/decisions/'));
  const statusOf = (path: string) => /^- Status: (.*)$/mu.exec(read(path))?.[1] ?? '';

  const notesIn = (text: string) => [...text.matchAll(/\]\((\d[\w-]+\.md)\)/gu)].map(([, file = '']) => file);

  it.each(notes)('%s says by what it was superseded or changed, if it was', (path) => {
    const file = path.replace('docs/decisions/', '');
    const isOld = /\b(?:superseded|changed by)\b/u.test(statusOf(path));
    if (isOld) expect(notesIn(statusOf(path))).not.toEqual([]);
    const newer = notes.filter((note) => {
      const said = /(?:Supersedes|Changes|Replaces) .*?(?=\.(?:\s|$)|$)/u.exec(statusOf(note))?.[0] ?? '';
      return notesIn(said).includes(file);
    });
    const silent = newer.filter((note) => !notesIn(statusOf(path)).includes(note.replace('docs/decisions/', '')));
    expect(silent).toEqual([]);
  });
});

describe('the code', () => {
  it('names pages that exist', () => {
    const files = ['lib', 'scripts', 'playground'].flatMap((place) => sourceFiles(repositoryRoot, place));
    const named = files.flatMap((file) => read(file).match(/\bdocs\/[\w./-]+\.md\b/gu) ?? []);
    expect(named).toContain('docs/card-template.md');
    expect(named.filter((page) => !existsSync(join(repositoryRoot, page)))).toEqual([]);
  });
});

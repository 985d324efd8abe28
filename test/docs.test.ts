// What the documents promise, held against the code: settings, codes, log events, commands, links, and that both
// READMEs say the same things in the same order.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';
import { describe, expect, it } from 'vitest';
import { DELIVERY_ERROR_CODES, NOTICE_CODES, REQUEST_ERROR_STATUS, TURN_ERROR_CODES } from '../lib/errors.ts';
import { readConfig, type Environment } from '../lib/config/config.ts';
import { deploymentSettings } from '../lib/config/deployment-settings.ts';
import { REQUIRED_OF_ROBOT, robotSettings } from '../lib/config/robot-settings.ts';
import { namesOf, type Setting } from '../lib/config/settings.ts';
import { STORE_WORDS } from '../lib/state/redis/failure.ts';
import { textsFor } from '../lib/texts/index.ts';
import { repositoryRoot } from './support/artifact.ts';
import { sourceFiles } from './support/imports.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const tokensOf = (path: string) => marked.lexer(read(path));

const READMES = ['README.md', 'README.zh-CN.md'] as const;
const DOCUMENTS = [
  ...readdirSync(repositoryRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
].toSorted();

const SETTINGS: Readonly<Record<string, Setting>> = { ...robotSettings, ...deploymentSettings };
const VARIABLES = Object.keys(SETTINGS).toSorted();

/** What the English table gives as the default of a setting, without its backticks. */
function standardOf(setting: Setting): string {
  if ('isRequired' in setting) return 'required';
  return 'default' in setting ? setting.default : setting.unset;
}

/** The comment of a setting in `.env.example`. */
function commentOf(setting: Setting): string {
  const standard = 'isRequired' in setting ? 'Required.' : `Default: ${standardOf(setting)}`;
  return `# ${setting.meaning} ${standard}`;
}

const isTable = (token: Token): token is Tokens.Table => token.type === 'table';
const isHeading = (token: Token): token is Tokens.Heading => token.type === 'heading';
const isCode = (token: Token): token is Tokens.Code => token.type === 'code';

/** All tables whose first column has this title, as rows of markdown. */
function tablesUnder(path: string, titles: readonly string[]): string[][][] {
  return tokensOf(path)
    .filter(isTable)
    .filter(({ header }) => titles.includes(header[0]?.text ?? ''))
    .map(({ rows }) => rows.map((row) => row.map(({ text }) => text)));
}

const rowsUnder = (path: string, titles: readonly string[]) => tablesUnder(path, titles).flat();

/** What stands in backticks. */
const codesIn = (markdown: string) => [...markdown.matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code);

/** The one thing in backticks that a cell consists of, or null. */
const onlyCode = (cell = '') => /^`([^`]+)`$/u.exec(cell)?.[1] ?? null;

/** Each setting with the default that the table of a README gives. */
const settingsIn = (path: string) =>
  rowsUnder(path, ['Variable', '变量']).map(([name = '', standard = '']) => ({ name: onlyCode(name), standard }));

/** Everything that a reader sees as a unit: headings, tables, code, lists, in order, without its words. */
function outline(path: string): string[] {
  return tokensOf(path).flatMap((token) => {
    if (isHeading(token)) return `heading ${token.depth}`;
    if (isTable(token)) return `table of ${token.header.length} columns, ${token.rows.length} rows`;
    if (isCode(token)) return `code ${token.lang ?? ''}, ${token.text.split('\n').length} lines`;
    return token.type === 'space' ? [] : token.type;
  });
}

/** The anchors of a document, as GitHub makes them. */
function anchors(path: string): Set<string> {
  const found = new Set<string>();
  for (const { text } of tokensOf(path).filter(isHeading)) {
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(/\s/gu, '-');
    let anchor = slug;
    for (let count = 1; found.has(anchor); count += 1) anchor = `${slug}-${count}`;
    found.add(anchor);
  }
  return found;
}

function linksIn(path: string): string[] {
  const links: string[] = [];
  void marked.walkTokens(tokensOf(path), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push((token as Tokens.Link).href);
  });
  return links;
}

describe('the settings', () => {
  it.each(READMES)('are all in the tables of %s, once, and nothing else is', (path) => {
    expect(
      settingsIn(path)
        .map(({ name }) => name ?? 'not in backticks')
        .toSorted(),
    ).toEqual(VARIABLES);
  });

  it.each(READMES)('of the deployment are in the last table of %s, those of a robot in the others', (path) => {
    const tables = tablesUnder(path, ['Variable', '变量']).map((rows) => rows.map(([name]) => onlyCode(name) ?? ''));
    expect(tables.at(-1)?.toSorted()).toEqual(namesOf(deploymentSettings).toSorted());
    expect(tables.slice(0, -1).flat().toSorted()).toEqual(namesOf(robotSettings).toSorted());
  });

  it('are all in .env.example without a value, below what they mean and what holds when they are unset', () => {
    const lines = read('.env.example').split('\n');
    const told = lines.flatMap((line, index) => (/^[A-Z]/u.test(line) ? `${lines[index - 1]}\n${line}` : []));
    const expected = VARIABLES.map((name) => `${SETTINGS[name] ? commentOf(SETTINGS[name]) : ''}\n${name}=`);
    expect(told.toSorted()).toEqual(expected.toSorted());
  });

  it('have their defaults in README.md, and the same values in README.zh-CN.md', () => {
    const [english = [], chinese = []] = READMES.map(settingsIn);
    const told = english.map(({ name, standard }) => [name, standard.replaceAll('`', '')]);
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, standardOf(setting)])),
    );
    const values = (rows: typeof english) =>
      Object.fromEntries(rows.map(({ name, standard }) => [name, codesIn(standard).toSorted()]));
    expect(values(chinese)).toEqual(values(english));
    // A value stands in backticks, so that the comparison above covers it.
    for (const { name, standard } of english) {
      const setting = SETTINGS[name ?? ''];
      expect(onlyCode(standard)).toBe(setting && 'default' in setting ? setting.default : null);
    }
  });

  const required: Environment = { DINGTALK_CLIENT_ID: 'id', DINGTALK_CLIENT_SECRET: 'secret', DIFY_API_KEY: 'key' };
  const defaults = Object.entries(SETTINGS).flatMap(([name, setting]) =>
    'default' in setting ? { name, value: setting.default } : [],
  );

  it.each(defaults)('$name is $value when it is unset', ({ name, value }) => {
    const unset = readConfig(required);
    expect(unset.ok).toBe(true);
    expect(readConfig({ ...required, [name]: value })).toEqual(unset);
  });

  it('are required where the documents say so', () => {
    expect(Object.keys(required).toSorted()).toEqual(REQUIRED_OF_ROBOT.toSorted());
  });

  it('have the ranges that the documents give', () => {
    const told = [
      ...READMES.flatMap((path) => rowsUnder(path, ['Variable', '变量']).map((cells) => cells.join(' '))),
      // A comment and its variable.
      ...(read('.env.example').match(/^#.*\n[A-Z_]+=$/gmu) ?? []),
    ].flatMap((text) => {
      const [, min, max] = /\b(\d+) (?:to|到) (\d+)\b/u.exec(text) ?? [];
      const name = /(?:^`?|\n)([A-Z_]+)/u.exec(text)?.[1] ?? '';
      return min === undefined ? [] : [`${name}: a whole number from ${min} to ${max}`];
    });
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(
      told.filter(
        (text) => text !== `${text.split(':')[0]}: ${SETTINGS[text.split(':')[0] ?? '']?.schema.description}`,
      ),
    ).toEqual([]);
  });

  it.each(READMES)('of the example of BOTS in %s are accepted', (path) => {
    const example = tokensOf(path)
      .filter(isCode)
      .find(({ text }) => text.includes('dingtalkClientId'));
    expect(readConfig({ BOTS: example?.text })).toMatchObject({
      ok: true,
      config: { robots: [{ name: 'hr' }, { name: 'it' }] },
    });
  });

  it.each(READMES)('of the Deploy button in %s exist', (path) => {
    const button = linksIn(path).find((link) => link.startsWith('https://vercel.com/new/clone'));
    const names = new URL(button ?? '').searchParams.get('env')?.split(',') ?? [];
    expect(names).toContain('DINGTALK_CLIENT_ID');
    expect(names.filter((name) => !VARIABLES.includes(name))).toEqual([]);
  });
});

describe('both READMEs', () => {
  it.each(['README', 'docs/features'])(
    'have the same headings, tables, code and lists in the same order: %s',
    (path) => {
      expect(outline(`${path}.zh-CN.md`)).toEqual(outline(`${path}.md`));
    },
  );

  it.each([
    ['README.md', 'docs/features.md', 'What happens'],
    ['README.zh-CN.md', 'docs/features.zh-CN.md', '情况'],
  ])('say of a failure what the whole list says: %s', (readme, whole, title) => {
    const rows = rowsUnder(readme, [title]);
    expect(rows.length).toBeGreaterThan(0);
    expect(rowsUnder(whole, [title])).toEqual(expect.arrayContaining(rows));
  });

  it('have the same commands and the same JSON', () => {
    const [english, chinese] = READMES.map((path) =>
      tokensOf(path)
        .filter(isCode)
        .map(({ text }) => text.replaceAll(/\s+#\s.*$/gmu, '')),
    );
    expect(chinese).toEqual(english);
  });

  it.each(READMES)('count right: %s', (path) => {
    expect(read(path)).toMatch(new RegExp(`${TURN_ERROR_CODES.length} (?:kinds of failure|种失败)`, 'u'));
    const cells = rowsUnder(path, ['`STREAMING`']).flatMap((row) => row.slice(1, 4));
    const figures = cells.map(
      (cell) =>
        cell
          .replaceAll(/(?<=\d),(?=\d)/gu, '')
          .match(/\d+/gu)
          ?.map(Number) ?? [],
    );
    expect(figures).toHaveLength(15);
    for (const [calls = 0, answers] of figures) {
      expect(answers).toBe(calls === 0 ? undefined : Math.floor(5000 / calls));
    }
  });
});

describe('docs/operations.md', () => {
  const rows = new Map(
    rowsUnder('docs/operations.md', ['Code']).map(([code = '', ...cells]) => [onlyCode(code), cells]),
  );

  it('has a row for each code, and for no other', () => {
    const codes = [
      ...Object.keys(REQUEST_ERROR_STATUS),
      ...TURN_ERROR_CODES,
      ...DELIVERY_ERROR_CODES,
      ...NOTICE_CODES,
    ].toSorted();
    const listed = rowsUnder('docs/operations.md', ['Code']).map(([code = '']) => onlyCode(code) ?? code);
    expect(listed.toSorted()).toEqual(codes);
  });

  it.each(Object.entries(REQUEST_ERROR_STATUS))('gives %s its status, %i', (code, status) => {
    expect(rows.get(code)?.[0]).toMatch(new RegExp(`^${status}\\b`, 'u'));
  });

  it.each(TURN_ERROR_CODES)('quotes how the sentences of %s begin', (code) => {
    const seen = rows.get(code)?.[1] ?? '';
    const english = /“([^”]+)…”/u.exec(seen)?.[1] ?? 'no quotation';
    const chinese = /「([^」]+)…」/u.exec(seen)?.[1] ?? 'no quotation';
    expect(textsFor('en').failures[code].slice(0, english.length)).toBe(english);
    expect(textsFor('zh-CN').failures[code].slice(0, chinese.length)).toBe(chinese);
  });

  it('explains each word of the store, and no other', () => {
    const words = rowsUnder('docs/operations.md', ['`said`']).flatMap(([said = '']) => codesIn(said));
    expect(words.toSorted()).toEqual(STORE_WORDS.toSorted());
  });

  it('has a row for each log event, with its level, and for no other', () => {
    const source = ['lib', 'scripts'].flatMap((place) => sourceFiles(repositoryRoot, place).map(read)).join('\n');
    const written = [
      // A call may choose between two events.
      ...[...source.matchAll(/\.(debug|info|warn|error)\(\s*(?:\w+ \? '([a-z_]+)' : )?'([a-z_]+)'/gu)].flatMap(
        ([, level = '', ...events]) => events.filter(Boolean).map((event) => `${event} ${level}`),
      ),
      // `npm run serve` writes one before it has a log.
      ...[...source.matchAll(/level: '([a-z]+)', event: '([a-z_]+)'/gu)].map(
        ([, level = '', event = '']) => `${event} ${level}`,
      ),
    ];
    const listed = rowsUnder('docs/operations.md', ['Event']).map(
      ([event = '', level = '']) => `${onlyCode(event)} ${level}`,
    );
    expect(listed.toSorted()).toEqual([...new Set(written)].toSorted());
  });
});

describe('docs/architecture.md', () => {
  it('shows the tree that test/tooling/boundaries.test.ts allows', () => {
    const source = read('test/tooling/boundaries.test.ts');
    const start = source.indexOf('const FLOORS');
    const list = source.slice(start, source.indexOf('\n];', start)).split('\n').slice(1);
    const allowed = list.map((line) => [...line.matchAll(/'([^']+)'/gu)].map(([, place]) => place));
    expect(allowed.length).toBeGreaterThan(10);
    const drawn = read('docs/architecture.md').match(/(?:^ {4}lib\/.*\n)+/mu)?.[0] ?? '';
    const told = drawn
      .trimEnd()
      .split('\n')
      .map((line) => line.match(/lib\/[\w./-]+/gu));
    expect(told).toEqual(allowed);
  });
});

describe.each(DOCUMENTS)('%s', (path) => {
  it('has links that lead somewhere', () => {
    const broken = linksIn(path)
      .filter((link) => !/^[a-z]+:/iu.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#').map(decodeURIComponent);
        const target = file === '' ? path : relative(repositoryRoot, join(repositoryRoot, dirname(path), file));
        if (!existsSync(join(repositoryRoot, target))) return true;
        return anchor !== undefined && !(target.endsWith('.md') && anchors(target).has(anchor));
      });
    expect(broken).toEqual([]);
  });

  it('names files that exist', () => {
    const prose = read(path).replaceAll(/^```.*?^```/gmsu, '');
    const fromRoot = /^(?:api|lib|playground|scripts|test|public|docs)\/[\w./-]*$/u;
    // The documents of the wires name files below lib/.
    const fromLib = path.startsWith('docs/wire-') ? /^[a-z-]+(?:\/[a-z-]*)?(?:\.ts|\/)$/u : null;
    const missing = codesIn(prose).filter((code) => {
      if (fromRoot.test(code)) return !existsSync(join(repositoryRoot, code));
      return fromLib?.test(code) === true && !existsSync(join(repositoryRoot, 'lib', code));
    });
    expect(missing).toEqual([]);
  });

  it('mentions npm commands that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const mentioned = [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/gu)].map(
      ([, run, short]) => run ?? short ?? '',
    );
    expect(mentioned.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

// Reads the documents for the tests that hold them against the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';
import { repositoryRoot } from './artifact.ts';

export const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
export const tokensOf = (path: string) => marked.lexer(read(path));

/** Every document of the repository. */
export const DOCUMENTS = [
  ...readdirSync(repositoryRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
].toSorted();

/** Pages for developers, in English alone. Every other one is for users and operators, in both languages. */
const FOR_DEVELOPERS =
  /^(?:CHANGELOG|CONTRIBUTING|SECURITY|docs\/(?:architecture|benchmarks|wire-\w+|decisions\/.*))\.md$/u;

/** The pages for users and operators, by their English file. */
export const USER_PAGES = [
  ...new Set(
    DOCUMENTS.map((path) => path.replace(/\.zh-CN\.md$/u, '.md')).filter((path) => !FOR_DEVELOPERS.test(path)),
  ),
];

export const inChinese = (page: string) => page.replace(/\.md$/u, '.zh-CN.md');

export const bothLanguages = (page: string) => [page, inChinese(page)];

export const isTable = (token: Token): token is Tokens.Table => token.type === 'table';
export const isHeading = (token: Token): token is Tokens.Heading => token.type === 'heading';
export const isCode = (token: Token): token is Tokens.Code => token.type === 'code';

/** All tables whose first column has one of these titles, as rows of markdown. */
export function tablesUnder(path: string, titles: readonly string[]): string[][][] {
  return tokensOf(path)
    .filter(isTable)
    .filter(({ header }) => titles.includes(header[0]?.text ?? ''))
    .map(({ rows }) => rows.map((row) => row.map(({ text }) => text)));
}

export const rowsUnder = (path: string, titles: readonly string[]) => tablesUnder(path, titles).flat();

/** What stands in backticks. */
export const codesIn = (markdown: string) => [...markdown.matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code);

/** The one thing in backticks that a cell or heading consists of, or null. */
export const onlyCode = (cell = '') => /^`([^`]+)`$/u.exec(cell)?.[1] ?? null;

export function linksIn(path: string): string[] {
  const links: string[] = [];
  void marked.walkTokens(tokensOf(path), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push((token as Tokens.Link).href);
  });
  return links;
}

/** The anchors of a document, as GitHub makes them. */
export function anchorsOf(path: string): Set<string> {
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

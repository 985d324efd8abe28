// docs/operations in both languages: a section for each code, a row for each word of the store and each log event.
import { describe, expect, it } from 'vitest';
import { DELIVERY_ERROR_CODES, NOTICE_CODES, REQUEST_ERROR_STATUS, TURN_ERROR_CODES } from '../../lib/errors.ts';
import { STORE_WORDS } from '../../lib/state/redis/failure.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { repositoryRoot } from '../support/artifact.ts';
import { codesIn, isHeading, onlyCode, read, rowsUnder, tokensOf } from '../support/documents.ts';
import { sourceFiles } from '../support/imports.ts';

const PAGES = [
  { path: 'docs/operations.md', language: 'en', parts: ['Seen', 'Means', 'Do', 'Where'] },
  { path: 'docs/operations.zh-CN.md', language: 'zh-CN', parts: ['现象', '含义', '处理', '位置'] },
] as const;

/** By its chapter, in the order of the page. */
const CODES = [Object.keys(REQUEST_ERROR_STATUS), TURN_ERROR_CODES, DELIVERY_ERROR_CODES, NOTICE_CODES];

/** The sections whose headings are codes, in the chapters that hold any. */
function chaptersOf(path: string): Map<string, string>[] {
  const chapters: Map<string, string>[] = [];
  let code: string | null = null;
  for (const token of tokensOf(path)) {
    if (isHeading(token)) {
      code = token.depth === 3 ? onlyCode(token.text) : null;
      if (token.depth === 2) chapters.push(new Map());
      if (code !== null) chapters.at(-1)?.set(code, '');
    } else if (code !== null && token.type !== 'space') {
      chapters.at(-1)?.set(code, `${chapters.at(-1)?.get(code) ?? ''}${token.raw}`.trim());
    }
  }
  return chapters.filter(({ size }) => size > 0);
}

describe.each(PAGES)('$path', ({ path, language, parts }) => {
  const chapters = chaptersOf(path);
  const sections = new Map(chapters.flatMap((chapter) => [...chapter]));
  const seenOf = (code: string) => sections.get(code)?.split('\n')[0] ?? '';

  it('has a section for each code, in the chapter of its kind, and for no other', () => {
    expect(chapters.map((chapter) => [...chapter.keys()].toSorted())).toEqual(
      CODES.map((codes) => [...codes].toSorted()),
    );
  });

  it.each(CODES.flat())(
    'says of %s in at most five lines what was seen, what it means, what to do, and where',
    (code) => {
      const lines = sections.get(code)?.split('\n') ?? [];
      expect(lines.map((line) => /^- \*\*(.+?)\*\*(?:: |：)\S/u.exec(line)?.[1])).toEqual(parts);
    },
  );

  it.each(Object.entries(REQUEST_ERROR_STATUS))('gives %s its status, %i', (code, status) => {
    expect(seenOf(code)).toMatch(new RegExp(`(?<!\\d)${status}(?!\\d)`, 'u'));
  });

  it.each(TURN_ERROR_CODES)('quotes how the sentence of %s begins', (code) => {
    const begins = /“([^”]+)…”/u.exec(seenOf(code))?.[1] ?? 'no quotation';
    expect(textsFor(language).failures[code].slice(0, begins.length)).toBe(begins);
  });

  it('explains each word of the store, and no other', () => {
    const words = rowsUnder(path, ['`said`']).flatMap(([said = '']) => codesIn(said));
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
    const listed = rowsUnder(path, ['Event', '事件']).map(([event = '', level = '']) => `${onlyCode(event)} ${level}`);
    expect(listed.toSorted()).toEqual([...new Set(written)].toSorted());
  });
});

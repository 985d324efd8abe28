import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paginate } from '../../lib/markdown/paginate.ts';
import { renderBlocks } from '../../lib/markdown/render.ts';

const words = { image: 'IMAGE', chart: 'CHART', media: 'MEDIA' };
const sizes = (firstChars: number, restChars = firstChars, maxPages = 100) => ({ firstChars, restChars, maxPages });

/** The content: what remains without the markup that may be repeated, and without the white space lost at a cut. */
function content(text: string): string {
  return text.replace(/^[> ]*`{3,}.*$|^[> ]*\|(?: :?-+:? \|)+$|^.*HEAD.*$|[*`>\s]|<br>/gm, '');
}

/** What is open on a page and must not be. */
function flaws(page: string): string[] {
  const isOdd = (pattern: RegExp) => (page.match(pattern)?.length ?? 0) % 2 !== 0;
  const found = [];
  if (isOdd(/^[> ]*```[^`]*$/gm)) found.push(`open fence: ${page}`);
  if (isOdd(/\*\*/g)) found.push(`open bold: ${page}`);
  if (/[[\]]/.test(page.replaceAll('[l](https://x.com/a)', ''))) found.push(`cut link: ${page}`);
  if (!page.isWellFormed()) found.push(`cut character: ${page}`);
  return found;
}

describe('paginate', () => {
  it('puts on one page what fits', () => {
    expect(paginate(['a', 'b'], sizes(4))).toEqual({ pages: ['a\n\nb'], leftOutChars: 0 });
    expect(paginate([], sizes(4))).toEqual({ pages: [], leftOutChars: 0 });
  });

  it('cuts between blocks before it cuts within one', () => {
    expect(paginate(['aaaa', 'bbbb bbbb'], sizes(10)).pages).toEqual(['aaaa', 'bbbb bbbb']);
  });

  it('cuts a long text where a reader would pause', () => {
    expect(paginate(['一二三四五，六七。八九十一二三'], sizes(12)).pages).toEqual([
      '一二三四五，六七。',
      '八九十一二三',
    ]);
    expect(paginate(['one two three four'], sizes(12)).pages).toEqual(['one two', 'three four']);
    expect(paginate(['line one<br>line two<br>line three'], sizes(24)).pages).toEqual([
      'line one<br>line two',
      'line three',
    ]);
  });

  it.each([
    ['no blanks or breaks', 'aaaaaaaa<br><br><br><br>bbbbbbbb', 12, ['aaaaaaaa', 'bbbbbbbb']],
    ['text behind the marks of a list in quotes', '> > - 一二三四五六', 9, ['> > - 一二三', '> > 四五六']],
  ])('leaves %s at a cut', (_what, block, room, pages) => {
    expect(paginate([block], sizes(room)).pages).toEqual(pages);
  });

  it('uses the length of the first page for the first page only', () => {
    expect(paginate(['aaaa bbbb cccc dddd'], sizes(5, 100)).pages).toEqual(['aaaa', 'bbbb cccc dddd']);
  });

  it('fills the last page, for what does not fit on it is lost', () => {
    expect(paginate(['aaaa', 'bbbb cccc'], sizes(10, 10, 1))).toEqual({ pages: ['aaaa\n\nbbbb'], leftOutChars: 4 });
  });

  it('counts the characters that did not fit as readers count them', () => {
    expect(paginate(['aa', '😀😀😀'], sizes(2, 2, 1))).toEqual({ pages: ['aa'], leftOutChars: 3 });
    expect(paginate(['😀😀😀', 'b'], sizes(2, 2, 1))).toEqual({ pages: ['😀'], leftOutChars: 5 });
  });

  it('repeats the fence of code that it cuts', () => {
    const code = `\`\`\`js\n${'let a = 1;\n'.repeat(6)}\`\`\``;
    const { pages } = paginate([code], sizes(45));
    expect(pages.length).toBe(2);
    for (const page of pages) expect(page).toMatch(/^```js\n(let a = 1;\n){3}```$/);
  });

  it('does not count the repeated fence and header among what is left out', () => {
    expect(paginate(['```js\naaaaaaaa\nbbbbbbbb\n```'], sizes(20, 20, 1)).leftOutChars).toBe('bbbbbbbb\n```'.length);
    const table = '| h |\n| --- |\n| aaaa |\n| bbbb |';
    expect(paginate([table], sizes(24, 24, 1)).leftOutChars).toBe('| bbbb |'.length);
  });

  it('repeats the header of a table that it cuts', () => {
    const table = `| h |\n| --- |\n${Array.from({ length: 4 }, (_, row) => `| row ${row} |`).join('\n')}`;
    expect(paginate([table], sizes(36)).pages).toEqual([
      '| h |\n| --- |\n| row 0 |\n| row 1 |',
      '| h |\n| --- |\n| row 2 |\n| row 3 |',
    ]);
  });

  it('does so in a quote, up to the end of the table', () => {
    const table = '> | h |\n> | --- |\n> | row 0 |\n';
    expect(paginate([`${table}> | row 1 |`], sizes(30)).pages).toEqual([
      '> | h |\n> | --- |\n> | row 0 |',
      '> | h |\n> | --- |\n> | row 1 |',
    ]);
    expect(paginate([`${table}>\n> x | yyyyyyyyy`], sizes(38)).pages[1]).toBe('> x | yyyyyyyyy');
  });

  it('cuts a line of code that is longer than a page anywhere', () => {
    expect(paginate(['```\naaaaaaaabbbbbbbb\n```'], sizes(16)).pages).toEqual([
      '```\naaaaaaaa\n```',
      '```\nbbbbbbbb\n```',
    ]);
  });

  it('does not begin code or a table at the foot of a page without any of it', () => {
    expect(paginate(['aaaaaaaaaa\n\n```js\nbbbbbbb\nccccccc\n```'], sizes(24)).pages[0]).toBe('aaaaaaaaaa');
    expect(paginate(['aaaaaaaaaa\n\n| h |\n| --- |\n| bbbb |'], sizes(26)).pages[0]).toBe('aaaaaaaaaa');
    expect(paginate(['> aaaaaaaa\n> ```\n> bbbbbbbb\n> ```'], sizes(26)).pages).toEqual([
      '> aaaaaaaa',
      '> ```\n> bbbbbbbb\n> ```',
    ]);
  });

  it('never cuts a link, and closes and reopens bold', () => {
    const text = 'aaaa aaaa [the label](https://x.com/some/path) bbbb';
    for (let room = 40; room < text.length; room++) {
      expect(paginate([text], sizes(room)).pages.join(' ')).toContain('[the label](https://x.com/some/path)');
    }
    expect(paginate(['**aaaa bbbb cccc dddd**'], sizes(14)).pages).toEqual(['**aaaa bbbb**', '**cccc dddd**']);
  });

  it('shows only the label of a link that no page can hold', () => {
    expect(paginate([`[label](https://x.com/${'a'.repeat(99)}) b`], sizes(30)).pages).toEqual(['label b']);
    const address = `https://x.com/${'a'.repeat(40)}`;
    expect(paginate([address], sizes(30)).pages.join('')).toBe(address);
  });

  it('continues a quote as a quote, and a list without its indent', () => {
    expect(paginate(['> aaaa bbbb cccc'], sizes(12)).pages).toEqual(['> aaaa bbbb', '> cccc']);
    const list = `- ${'a'.repeat(20)}\n    - bbbbbb\n      - cccc`;
    expect(paginate([list], sizes(26, 40)).pages).toEqual([`- ${'a'.repeat(20)}`, '- bbbbbb\n  - cccc']);
  });

  it('never cuts what readers take for one character', () => {
    const family = '👨‍👩‍👧‍👦';
    const { pages } = paginate([family.repeat(20)], sizes(50));
    expect(pages.join('')).toBe(family.repeat(20));
    for (const page of pages) expect(page.replaceAll(family, '')).toBe('');
  });

  it('ends with nothing where nothing can be shown', () => {
    expect(paginate(['abc'], sizes(0))).toEqual({ pages: [], leftOutChars: 3 });
    expect(paginate(['abc'], sizes(9, 9, 0))).toEqual({ pages: [], leftOutChars: 3 });
  });

  const paragraph = fc
    .array(
      fc.constantFrom(
        'word',
        '中文',
        '，',
        '。',
        ' ',
        '\n',
        '😀',
        '👨‍👩‍👧',
        '**bold text**',
        '[l](https://x.com/a)',
        '`co de`',
      ),
      { minLength: 1, maxLength: 60 },
    )
    .map((all) => all.join(''));
  const codeBlock = fc
    .array(fc.constantFrom('let a;', 'xxxxxxxx', '', '中'), { minLength: 1, maxLength: 30 })
    .map((all) => `\`\`\`js\n${all.join('\n')}\n\`\`\``);
  const table = fc
    .array(fc.constantFrom('| a | b |', '| cccc | 中文 |'), { minLength: 1, maxLength: 30 })
    .map((rows) => `| HEAD | HEAD |\n|---|---|\n${rows.join('\n')}`);
  const list = fc
    .array(fc.constantFrom('- item', '  - nested item', '- [l](https://x.com/a) more', '> quote'), {
      minLength: 1,
      maxLength: 30,
    })
    .map((all) => all.join('\n'));
  const sources = fc
    .array(fc.oneof(paragraph, codeBlock, table, list), { maxLength: 6 })
    .map((all) => all.join('\n\n'));

  it('fills pages within their limits, loses nothing and balances every page', () => {
    fc.assert(
      fc.property(
        sources,
        fc.integer({ min: 60, max: 300 }),
        fc.integer({ min: 60, max: 300 }),
        fc.integer({ min: 1, max: 8 }),
        (source, first, rest, maxPages) => {
          const blocks = renderBlocks(source, 'card', words);
          const { pages, leftOutChars } = paginate(blocks, sizes(first, rest, maxPages));
          expect(pages.length).toBeLessThanOrEqual(maxPages);
          expect(pages.flatMap(flaws)).toEqual([]);
          for (const [index, page] of pages.entries()) {
            expect(page.length).toBeLessThanOrEqual(index === 0 ? first : rest);
          }
          const whole = content(blocks.join('\n\n'));
          const shown = content(pages.join('\n\n'));
          expect(whole.slice(0, shown.length)).toBe(shown);
          const missing = Array.from(whole.slice(shown.length)).length;
          // The count includes the white space and markup that `content` ignores.
          expect(leftOutChars).toBeGreaterThanOrEqual(missing);
          expect(leftOutChars).toBeLessThanOrEqual(Array.from(blocks.join('\n\n')).length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('accounts for every character of a plain text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '中', '😀'), minLength: 1, maxLength: 300 }),
        fc.integer({ min: 4, max: 50 }),
        (text, room) => {
          const { pages, leftOutChars } = paginate([text], sizes(room, room, 3));
          expect(Array.from(pages.join('')).length + leftOutChars).toBe(Array.from(text).length);
          expect(text.startsWith(pages.join(''))).toBe(true);
        },
      ),
    );
  });

  it('stays within bounds for any text and any limits', () => {
    const unit = fc.constantFrom(
      'a',
      '*',
      '**',
      '`',
      '```',
      '\n',
      ' ',
      '[',
      '](',
      ')',
      '|',
      '| a |',
      '|---|',
      '> ',
      '- ',
      '😀',
      '\u0301',
      '<br>',
      '\\',
    );
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit, maxLength: 60 }), { maxLength: 4 }),
        fc.nat(30),
        fc.nat(30),
        fc.nat(6),
        (blocks, first, rest, maxPages) => {
          const { pages } = paginate(blocks, sizes(first, rest, maxPages));
          expect(pages.length).toBeLessThanOrEqual(maxPages);
          for (const [index, page] of pages.entries())
            expect(page.length).toBeLessThanOrEqual(index === 0 ? first : rest);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

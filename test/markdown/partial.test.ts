import * as fc from 'fast-check';
import { Marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { renderBlocks, renderPartial } from '../../lib/markdown/render.ts';
import type { Dialect } from '../../lib/markdown/dialect.ts';

const words = { image: 'IMAGE', chart: 'CHART', media: 'MEDIA' };
const partial = (source: string) => renderPartial(source, 'card', words);

/** A parser without our rules, as a judge. */
const judge = new Marked();

/** What is open or active in a rendered text and must not be. */
function flaws(rendered: string): string[] {
  const found = rendered === rendered.trimEnd() ? [] : ['white space at the end'];
  void judge.walkTokens(judge.lexer(rendered), ({ type, raw, ...token }) => {
    const href = 'href' in token && typeof token.href === 'string' ? token.href : undefined;
    const isFlaw =
      (href !== undefined && type !== 'def' && !/^(?:https?:\/\/|mailto:|tel:)/.test(href)) ||
      (type === 'code' && !/^(`{3,})[^`]*\n[^]*\n\1\s*$/.test(raw)) ||
      (type === 'text' && !('tokens' in token) && /(?<![a-z0-9])(?:dtmd|javascript):[a-z/]|dtmd:\/\//i.test(raw)) ||
      (type === 'html' && raw !== '<br>');
    if (isFlaw) found.push(`${type} ${JSON.stringify(raw)} in ${JSON.stringify(rendered)}`);
  });
  return found;
}

describe('renderPartial', () => {
  it.each([
    ['**bo', '**bo**'],
    ['**bo*', '**bo**'],
    ['a *it', 'a *it*'],
    ['***both', '***both***'],
    ['~~de', '~~de~~'],
    ['> - **a `b', '> - **a `b`**'],
    ['a `co', 'a `co`'],
    ['**a `b**` c', '**a `b**` c**'],
    ['```js\nfoo', '```js\nfoo\n```'],
    ['```js\nfoo\n``', '```js\nfoo\n```'],
    ['$$\nx^2', '```latex\nx^2\n```'],
    ['a \\(x_1', 'a `x_1`'],
    ['<b>a', '**a**'],
    ['<button>Go', '【Go】'],
    ['Python**列表 推导', 'Python**列表 推导**'],
    ['<details><summary>S</su', '**S**'],
  ])('closes what is open in %j', (source, expected) => expect(partial(source)).toBe(expected));

  it.each([
    ['a [te', 'a te'],
    ['a [text](http://x', 'a text'],
    ['**a [b](ht', '**a b**'],
    ['a ![alt](http://x', 'a'],
    ['a ![', 'a'],
    ['a [', 'a'],
    ['a **', 'a'],
    ['a `', 'a'],
    ['a <', 'a'],
    ['a <b', 'a'],
    ['a <a href="x y', 'a'],
    ['a <!-- b', 'a'],
    ['a &nb', 'a'],
    ['a\n#', 'a'],
    ['a\n\n##', 'a'],
    ['a\n-', 'a'],
    ['a\n--', 'a'],
    ['a\n1.', 'a'],
    ['a\n\n> ', 'a'],
    ['a\n|', 'a'],
    ['a\n```', 'a'],
    ['a\\', 'a'],
    ['a [1]\n\n[1]: https://x.co', 'a 1'],
    ['a\n\n', 'a'],
    ['a\uD83D', 'a'],
    ['a ~~**![', 'a ~~**'],
    ['a ![b](data:', 'a 【b】'],
    ['a [b](data:im', 'a b'],
    ['<script>alert("', ''],
  ])('withholds what %j may become', (source, expected) => expect(partial(source)).toBe(expected));

  it('shows a table as such from the first cell of its header', () => {
    const source = 'a\n\n| b | c |\n|---|---|\n| d';
    const table = 'a\n\n| b | c |\n| --- | --- |';
    const frames = new Set(Array.from(source, (_, index) => partial(source.slice(0, index + 1))));
    expect([...frames]).toEqual(['a', 'a\n\n| b |\n| --- |', table, `${table}\n| d |  |`]);
    expect(partial(`${source} | **e`)).toBe(`${table}\n| d | **e** |`);
  });

  it('shows a word for a chart until it is complete', () => {
    expect(partial('```echarts\n{"series":')).toBe('CHART');
  });

  it('closes only what the end of the text leaves open', () => {
    expect(partial('a **b\n\nc')).toBe('a **b\n\nc');
    expect(partial('2*3 and a < b and x <y and')).toBe('2*3 and a < b and x <\u200By and');
  });

  const samples = [
    '# Titel **bold**\n\nA paragraph with **bold**, *italic*, `code`, ~~old~~ and a [link](https://x.com/a_b).\nNext line 中文，**重点：**内容。\n\n' +
      '- one\n- two **b**\n  1. x\n  2. y\n\n> quote `c`\n> more\n\n| a | b |\n|---|:-:|\n| 1 | **2** |\n| 3 | `4` |\n\nend',
    '```ts\nconst a = "**not bold** [x](dtmd://y)";\n\n// ```\n```\n\nAfter <b>bold</b> and <a href="https://x.com">link</a><br>\n\n<details><summary>More</summary>\n\n- item\n\n</details>',
    'Maths $x^2$ and \\(a_1\\):\n\n$$\nE = mc^2\n$$\n\n\\[\ny\n\\]\n\nPrice $5. ![pic](https://x.com/p.png) ![bad](data:image/png;base64,A) [bad](dtmd://x "t") <dtmd://x> dtmd://z',
    '1. first\n\n   ```sh\n   ls\n   ```\n\n2. second\n\n   > quote\n\n3. third 👨‍👩‍👧 ok\n\n```echarts\n{"series":[{"data":[{"name":"a","value":1}]}]}\n```\n\n***\n\nlast <button>Go</button>',
  ];

  it.each(samples)('renders every beginning of %j soundly', (sample) => {
    for (const dialect of ['card', 'message'] satisfies Dialect[]) {
      for (let end = 0; end <= sample.length; end++) {
        expect(flaws(renderPartial(sample.slice(0, end), dialect, words))).toEqual([]);
      }
    }
  });

  it.each(samples)('ends where the whole text does: %j', (sample) => {
    expect(partial(`${sample}\n\nEnd.`)).toBe(renderBlocks(`${sample}\n\nEnd.`, 'card', words).join('\n\n'));
  });

  it('renders any mixture of markup soundly', () => {
    const pieces = [
      'a', '中', ' ', '\n', '\n\n', '*', '**', '_', '`', '```', '```\n', '[', ']', '(', ')', '](', '!', '<', '>', '<b>', '</b>', '<a href="',
      '<a href=dtmd://x>', '</a>', 'dtmd', ':', '://', '//', 'x', '&#58;', '&lt;', '\\', '|', '|-|', '- ', '1. ', '> ', '# ', '$', '$$', '~~',
      '<br>', '<!--', '-->', '<code>', '</code>', '<script>', '</script>', 'https://x.com', '[x]: dtmd://x', '    ', '[x]', '\u0001', '\t',
    ]; // prettier-ignore
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.constantFrom<Dialect>('card', 'message'), (source, dialect) => {
        const blocks = renderBlocks(source, dialect, words);
        expect([renderPartial(source, dialect, words), ...blocks, blocks.join('\n\n')].flatMap(flaws)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

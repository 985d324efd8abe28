// Random Chinese and English text with the marks that models write: no word is lost, none is added, none changes places.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderBlocks, renderPartial } from '../../lib/markdown/render.ts';
import { lettersOf, read, withoutSpace } from '../support/reader.ts';

const words = { image: '', chart: '', media: '' };
const seen = (source: string) => read(renderBlocks(source, 'card', words).join('\n\n')).seen;

const word = fc.constantFrom(
  '重点', '价格', '说明', '第一步', '注', '的', 'Note', 'run', 'x', 'args', 'HTTP', '3', '20', '0.8', '100', '한국', 'かな',
); // prettier-ignore

const punctuation = fc.constantFrom('，', '。', '：', '、', '（', '）', '“', '”', '！', '《', '》', ', ', '. ', ': ', ' (', ') ', ' ', ' ', '=', '-', '/', '%', '+'); // prettier-ignore

const mark = fc.constantFrom('*', '**', '***', '_', '__', '~', '~~', '~~~', '****', '`', '$', '\\*', '#', '|', '&', '<', '>', '[', ']', '!'); // prettier-ignore

const inline = fc
  .array(
    fc.oneof({ arbitrary: word, weight: 5 }, { arbitrary: punctuation, weight: 3 }, { arbitrary: mark, weight: 3 }),
    {
      minLength: 1,
      maxLength: 14,
    },
  )
  .map((parts) => parts.join(''));

/** The start of a line. `3.` and `10.` are read as numbers of a list, so what is counted there differs. */
const lead = fc.constantFrom('', '', '', '- ', '> ', '## ', '##', '1. ', '  - ', '* ');

const line = fc.tuple(lead, inline).map((parts) => parts.join(''));

const lines = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\n', '\n\n')), { minLength: 1, maxLength: 6 })
  .map((all) => all.flat().join(''));

const row = fc.array(inline, { minLength: 1, maxLength: 4 }).map((cells) => `| ${cells.join(' | ')} |`);

const table = fc
  .tuple(
    row,
    fc.constantFrom('|---|', '|---|---|', '|:--|:-:|--:|'),
    fc.array(row, { maxLength: 3 }),
    fc.constantFrom('', '以上', '说明 3'),
  )
  .map(([header, delimiters, rows, below]) => [header, delimiters, ...rows, below].join('\n'));

const block = fc.oneof({ arbitrary: lines, weight: 4 }, { arbitrary: table, weight: 1 });

const texts = fc.array(block, { minLength: 1, maxLength: 3 }).map((blocks) => blocks.join('\n\n'));

/** A line after such marks is the name of a language, which no client shows. */
const hasFence = (source: string) => /`{3}|^(?:[ >*+-]|\d+[.)])*~{3}/m.test(source);

const isWithin = (part: string, whole: string) => {
  let position = 0;
  for (const letter of part) {
    position = whole.indexOf(letter, position) + 1;
    if (position === 0) return false;
  }
  return true;
};

describe('the words of a text', () => {
  it('are those of the source, in order', () => {
    fc.assert(
      fc.property(texts, (source) => {
        fc.pre(!hasFence(source));
        // The numbers of lists are counted by clients. They have tests of their own.
        const isCounted = /^[ >*+-]*\d+[.)] /m.test(source);
        const letters = (part: string) => (isCounted ? lettersOf(part).replace(/\d+/g, '') : lettersOf(part));
        const shown = letters(seen(source));
        // The reader drops cells beyond the header of a table; they are kept here.
        expect(isWithin(letters(read(source).seen), shown), `${source} became ${shown}`).toBe(true);
        expect(shown).toBe(letters(source));
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) },
    );
  });
});

/** What a mark is put around: Chinese with and without punctuation at its ends, also English and numbers. */
const content = fc.constantFrom(
  '重点', '警告：', '“引用”', '《合同》', '（可选）', '注意！', '总价 300 元', '第1步', 'Note', 'v2.0', '说明。', '先备份，再升级', '【必填】',
); // prettier-ignore

/** Text without marks between two emphases. */
const between = fc.constantFrom(
  '内容',
  '，',
  '。',
  '：请先断电',
  '的',
  '、',
  ' ',
  '（见附录）',
  '，共 3 项，',
  '和',
  ' and ',
);

/** Marks that are none, each a thing that people write. */
const stray = fc.constantFrom(
  '', '80*15*0.9，', '2**8=256，', '__init__ 与 __call__，', '3~5 天，100~200 元，', 'H~2~O 中 ', 'run(*args, **options) 时，', '面积=长*宽*高，',
  '138****5678，', '2 * 3 * 4，', 'a_b_c ', '见 http://192.0.2.10/a*b*c ', 'f(**kw)，', '单价 * 数量，',
); // prettier-ignore

const emphasis = fc
  .tuple(fc.constantFrom('*', '**', '***', '__', '~~'), content, fc.boolean())
  .map(([marks, inner, isLoose]) => {
    // Blanks inside two tildes are read only where no letter stands beside them: `好的~~ 谢谢~~` is a tone.
    const text = isLoose && marks.length > 1 && marks !== '~~' ? `${marks} ${inner} ${marks}` : marks + inner + marks;
    return { marks, inner, text };
  });

const sentence = fc
  .tuple(stray, fc.array(fc.tuple(emphasis, between), { minLength: 1, maxLength: 4 }))
  .map(([before, parts]) => ({
    source: before + parts.map(([{ text: marked }, after]) => marked + after).join(''),
    words: before + parts.map(([{ inner }, after]) => inner + after).join(''),
    parts: parts.map(([part]) => part),
  }));

describe('emphasis beside Chinese', () => {
  const inside = (parts: { marks: string; inner: string }[], ...marks: string[]) =>
    parts.filter((part) => marks.includes(part.marks)).map(({ inner }) => withoutSpace(inner));

  it('is read as it is meant, whatever stands beside it, and nothing else is', () => {
    fc.assert(
      fc.property(sentence, ({ source, words: expected, parts }) => {
        const reading = read(renderBlocks(source, 'card', words).join('\n\n'));
        expect(withoutSpace(reading.seen)).toBe(withoutSpace(expected));
        expect(reading.bold.map(withoutSpace)).toEqual(inside(parts, '**', '***', '__'));
        expect(reading.italic.map(withoutSpace)).toEqual(inside(parts, '*', '***'));
        expect(reading.struck.map(withoutSpace)).toEqual(inside(parts, '~~'));
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) },
    );
  });

  it('loses no word while it grows', () => {
    fc.assert(
      fc.property(sentence, ({ source, words: expected }) => {
        for (let end = 1; end <= source.length; end++) {
          const shown = lettersOf(read(renderPartial(source.slice(0, end), 'card', words)).seen);
          expect(lettersOf(expected).startsWith(shown)).toBe(true);
          expect(shown.length).toBeGreaterThanOrEqual(lettersOf(source.slice(0, end - 1)).length);
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) / 10 },
    );
  });
});

// What models write, and what a reader of the chat sees of it: at the end, and at every growing prefix.
import { describe, expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import { finalView, typingView, type ViewOptions } from '../../lib/answer/view.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { casesOf, textsOf, type Case } from '../support/cases.ts';
import { lettersOf, read, withoutSpace } from '../support/reader.ts';

const view: ViewOptions = { texts: textsFor('zh-CN'), showThinking: false, cardMaxChars: 3_000 };

function answered(message: string, ending: Answer['ending'] = { kind: 'complete' }): Answer {
  return { ...emptyAnswer, texts: { ...emptyAnswer.texts, message }, ending };
}

/** Without the limit of a card, which may fall within a number. */
const unlimited = { ...view, cardMaxChars: 100_000 };

const cases = casesOf('markdown').flatMap((one) =>
  textsOf(one).map((text, index) => ({ name: `${one.file} ${index === 0 ? '' : index + 1}`.trim(), one, text })),
);

function expectInOrder(text: string, parts: readonly string[]): void {
  let from = 0;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    expect(found, `${part} after ${from} in ${text}`).toBeGreaterThanOrEqual(0);
    from = found + part.length;
  }
}

function checkEnd(shown: string, { expect: right }: Case): void {
  const reading = read(shown);
  if (right.exact !== undefined) expect(shown).toBe(right.exact);
  for (const part of right.contains ?? []) expect(shown).toContain(part);
  if (right.seen !== undefined) expect(withoutSpace(reading.seen)).toBe(withoutSpace(right.seen));
  expectInOrder(reading.seen, right.seenInOrder ?? []);
  for (const kind of ['bold', 'italic', 'struck', 'links'] as const) {
    if (right[kind]) expect(reading[kind]).toEqual(right[kind]);
  }
  const rows = reading.rows.map((row) => row.slice(0, row.findLastIndex((cell) => cell.trim() !== '') + 1));
  for (const row of right.rows ?? []) expect(rows).toContainEqual(row);
  if (right.rowCount !== undefined) expect(rows).toHaveLength(right.rowCount);
}

describe.each(cases)('$name', ({ one, text }) => {
  const { card, messages } = finalView(answered(text), [], true, view);
  const shown = [card ?? '', ...messages];

  test('is right at the end', () => {
    if (one.expect.numbers) {
      const numbers = shown.flatMap((page) => [...page.matchAll(/^\D{0,4}(\d+)\.(\D{0,3}) 第/gm)]);
      expect(numbers.map(([, number]) => Number(number))).toEqual(Array.from({ length: 90 }, (_, index) => index + 1));
      expect(new Set(numbers.map(([, , mark]) => mark)).size).toBe(1);
      expect(shown.flatMap((page) => read(page).listStarts).filter((start) => start !== 1)).toEqual([]);
      expect(shown.length).toBeGreaterThan(1);
    } else {
      expect(shown).toHaveLength(1);
      checkEnd(card ?? '', one);
    }
  });

  test('loses no word while it grows, and shows no mark that the end does not show', () => {
    const whole = read(finalView(answered(text), [], true, unlimited).card ?? '');
    const words = lettersOf(whole.seen);
    const marks = (seen: string) => Array.from(seen.matchAll(/[*_~|#`[\]<>]/g), ([mark]) => mark);
    const left = marks(whole.seen);
    let lacking = 0;
    let raw = 0;
    let arrived = 0;
    let reached = 0;
    let position = 0;
    // A long text is tried at its beginning, and then at some of its prefixes.
    const step = text.length > 1_000 ? 397 : 1;
    const ends = Array.from({ length: text.length }, (_, index) => index + 1);
    for (const length of ends.filter((cut) => cut < 300 || cut % step === 0 || cut === text.length)) {
      const { seen } = read(typingView(answered(text.slice(0, length), null), unlimited));
      const isPictureWords = text.slice(0, length).lastIndexOf('![') > text.slice(0, length).lastIndexOf('](');
      expect(words.startsWith(lettersOf(seen)) || lettersOf(seen).length === 0, `${seen} at ${length}`).toBe(true);
      // What had come one frame earlier is there now, unless it is the text of a picture that may come.
      lacking = lettersOf(seen).length < Math.min(reached, words.length) && !isPictureWords ? lacking + 1 : 0;
      raw = marks(seen).some(
        (mark) => marks(seen).filter((other) => other === mark).length > left.filter((other) => other === mark).length,
      )
        ? raw + 1
        : 0;
      expect([lacking, raw], `${seen} at ${length}`).toEqual([
        expect.toSatisfy((count: number) => count < 2),
        expect.toSatisfy((count: number) => count < 2),
      ]);
      reached = arrived;
      for (; position < length; position++) if (text[position] === words[arrived]) arrived++;
    }
    expect(arrived).toBe(words.length);
  });
});

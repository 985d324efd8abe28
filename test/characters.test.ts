import { array, assert, constantFrom, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginning, beginningOf, characterStart, codePointStart } from '../lib/characters.ts';

const FAMILY = '👨‍👩‍👧‍👦';

describe('the beginning of a text', () => {
  test.each([
    ['abc', 2, 'ab'],
    ['中文字', 2, '中文'],
    ['a😀b', 2, 'a'],
    ['a😀b', 3, 'a😀'],
    [`x${FAMILY}y`, 5, 'x'],
    [`x${FAMILY}y`, 12, `x${FAMILY}`],
    ['👍🏽!', 2, ''],
    ['❤️!', 1, ''],
    ['1️⃣2', 1, ''],
    ['🇨🇳🇯🇵', 6, '🇨🇳'],
    ['e\u0301a', 1, ''],
    ['か\u3099a', 1, ''],
    ['\r\n', 1, ''],
    ['abc', 0, ''],
    ['abc', 9, 'abc'],
  ])('of %j in %i units is %j', (text, most, expected) => {
    expect(beginning(text, most)).toBe(expected);
  });

  test.each([
    ['a😀bc', 3, 'a😀b'],
    [`${FAMILY}b`, 3, ''],
    [`${FAMILY}b`, 7, FAMILY],
    ['abc', 3, 'abc'],
  ])('of %j in %i code points is %j', (text, most, expected) => {
    expect(beginningOf(text, most)).toBe(expected);
  });

  test('ends between characters, wherever it is cut', () => {
    const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
    const parts = constantFrom(
      'a',
      '字',
      '。',
      '😀',
      FAMILY,
      '👍🏽',
      '🇨🇳',
      '1️⃣',
      'e\u0301',
      'ｶﾞ',
      '\r\n',
      '한',
      '\u200D',
      ' ',
    );
    assert(
      property(array(parts, { maxLength: 12 }), nat(40), (list, most) => {
        const text = list.join('');
        const ends = [...graphemes.segment(text)].map(({ index, segment }) => index + segment.length);
        const longest = ends.findLast((end) => end <= most) ?? 0;
        expect(beginning(text, most)).toBe(text.slice(0, longest));
      }),
    );
  });
});

test('a character without an end is cut between its code points', () => {
  const long = `a${'\u0301'.repeat(300)}`;
  expect(characterStart(long, 200)).toBe(200);
  expect(characterStart(`x${'👩\u200D'.repeat(100)}`, 200)).toBeGreaterThan(190);
});

test('a surrogate pair has one start', () => {
  expect([codePointStart('a😀', 1), codePointStart('a😀', 2), codePointStart('a😀', 3)]).toEqual([1, 1, 3]);
});

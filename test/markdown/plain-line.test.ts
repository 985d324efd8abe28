import { expect, test } from 'vitest';
import { plainLine, shortened } from '../../lib/markdown/plain-line.ts';

test('a name is one line, without markup and without marks that turn it around', () => {
  expect(plainLine(' **Refund**\n[policy]|`v2`\u202Efdp.exe\u0000 ')).toBe('Refund policy v2 fdp.exe');
  // Characters of ordinary names stay, and so does an emoji that is joined of several.
  expect(plainLine('C# (final) ~2 👩‍💻')).toBe('C# (final) ~2 👩‍💻');
  expect(plainLine('C# (final) ~2', '()~#')).toBe('C final 2');
});

test('a long name ends in an ellipsis, between two characters', () => {
  expect(shortened('12345', 5)).toBe('12345');
  expect(shortened('😀😀😀😀😀😀', 5)).toBe('😀😀😀😀…');
});

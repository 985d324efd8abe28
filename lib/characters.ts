// Where a text may be cut. Lengths and positions are in UTF-16 units, as `String.length` counts them.

/** Made when it is first needed: most texts are short or plain, and making it takes time at a cold start. */
let graphemes: Intl.Segmenter | undefined;

/** Each of these is a character by itself, whatever stands beside it, as long as that is one of these too. */
const PLAIN = /^[\t\n\u0020-\u007E\u3000-\u3029\u3041-\u3096\u30A1-\u30FA\u4E00-\u9FFF\uFF01-\uFF60]{2}$/;

/** The longest character that stays whole. Emoji have up to 35 units; piled-up accents have no end. */
const MAX_CHARACTER = 64;

/**
 * The position itself, or the start of the character (as a reader sees it: also an emoji of several code points, a flag, a
 * letter with its accents) that it lies in. A character that is longer than 64 units is cut between its code points.
 */
export function characterStart(text: string, position: number): number {
  if (position <= 0 || position >= text.length) return Math.max(0, Math.min(position, text.length));
  if (PLAIN.test(text.slice(position - 1, position + 1))) return position;
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const start = graphemes.segment(text).containing(position)?.index ?? position;
  return position - start <= MAX_CHARACTER ? start : codePointStart(text, position);
}

/** The position itself, or the start of the surrogate pair that it lies in. */
export function codePointStart(text: string, position: number): number {
  const isInPair = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(0, position - 1), position + 1));
  return isInPair ? position - 1 : position;
}

/** The longest beginning of a text that has at most `most` units and ends with a whole character. */
export function beginning(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, characterStart(text, most));
}

/** The longest beginning of a text that has at most `most` code points and ends with a whole character. */
export function beginningOf(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (let count = 0; count < most && end < text.length; count += 1)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return beginning(text, end);
}

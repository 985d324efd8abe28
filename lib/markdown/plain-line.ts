import { beginningOf } from '../characters.ts';

/** The characters of emphasis, code, links, tags and tables. */
const MARKUP = '`*_<>[]|';

/** One line: white space, control characters and marks that turn the direction of text become single spaces. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
}

/**
 * One line without markup, for a name or title in a line of the bridge's own markdown.
 *
 * @param alsoDropped further characters that would mean something in that line.
 */
export function plainLine(text: string, alsoDropped = ''): string {
  const dropped = new Set(MARKUP + alsoDropped);
  return oneLine(Array.from(text, (character) => (dropped.has(character) ? ' ' : character)).join(''));
}

/** A line of at most `maxChars` characters. An ellipsis stands for the rest. */
export function shortened(line: string, maxChars: number): string {
  return beginningOf(line, maxChars) === line ? line : `${beginningOf(line, maxChars - 1)}…`;
}

import { removeInvisible } from './sanitize.ts';

/**
 * Quotes and lists deeper than this are shown at this depth. Each level costs the parser a pass over its
 * content, and thousands of them its stack (marked overflows at some 3,000).
 */
const MAX_NESTING = 16;

/** Columns by which a list may be indented: two for each level. */
const MAX_INDENT = 2 * MAX_NESTING;

const MARKER = '(?:[ \\t]{0,3}(?:>|(?:[-*+]|\\d{1,9}[.)])[ \\t]))';

const TOO_DEEP = new RegExp(`^((?:${MARKER}){${MAX_NESTING}})(?:${MARKER})+`, 'gm');

const TOO_INDENTED = new RegExp(`^[ \\t]{${MAX_INDENT + 1},}(?=(?:[-*+]|\\d{1,9}[.)])[ \\t])`, 'gm');

/** The text as it can be parsed: `\n` line ends, well-formed, nothing invisible, nesting bounded. */
export function cleanSource(source: string): string {
  const text = removeInvisible(source.replace(/\r\n?|[\u2028\u2029]/g, '\n').toWellFormed());
  // Within a fence this may shorten a line of more than sixteen markers; drawing with these is not worth a parser.
  return text.replace(TOO_DEEP, '$1').replace(TOO_INDENTED, ' '.repeat(MAX_INDENT));
}

/** Characters that may be the beginning or the end of markup whose other part has not arrived. */
const HALF_MARKUP = new Set('*_~`[<\\$');

/** A last line that says nothing yet: a list marker, a rule, a table's delimiter row, a fence. */
const MERE_MARKUP = /^[-*+=_~`#|:![\]()<>$\\ \t]*(?:\d{1,9}[.)])?$/;

/** A link's definition, which would change all its references with each character of its address. */
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*\S*$/;

const TABLE_LINE = /^[ \t>]*\|/;

/**
 * A growing text without the end that cannot be shown as what it will become.
 * What it leaves half-open is closed by the parser (see `lex.ts`).
 */
export function withholdUnfinished(source: string): string {
  const text = withholdLines(source.replace(/[\uD800-\uDBFF]$/, '').trimEnd());
  let end = text.length;
  while (HALF_MARKUP.has(text.charAt(end - 1))) end--;
  if (text.charAt(end) === '[' && text.charAt(end - 1) === '!') end--;
  const kept = text.slice(0, end);
  // The longest name of an entity that is decoded has six letters, a number seven digits.
  const entity = /&#?\w{0,8}$/.exec(kept.slice(-10));
  return (entity === null ? kept : kept.slice(0, -entity[0].length)).trimEnd();
}

function withholdLines(text: string): string {
  const lines = text.split('\n');
  while (lines.length > 0 && MERE_MARKUP.test(lines.at(-1) ?? '')) lines.pop();
  if (DEFINITION.test(lines.at(-1) ?? '')) lines.pop();
  // A table's header row is one only together with the delimiter row and is pointless without a row of data.
  if (TABLE_LINE.test(lines.at(-1) ?? '') && !TABLE_LINE.test(lines.at(-2) ?? '')) lines.pop();
  return lines.join('\n');
}

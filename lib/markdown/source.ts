import { indentItems, separateLists, withoutOuterFence } from './author-lines.ts';
import { withoutPictureData } from './data-pictures.ts';
import { removeInvisible } from './sanitize.ts';

/**
 * Quotes and lists deeper than this are shown at this depth. Each level costs the parser a pass over its content, and
 * with some 3,000 levels `marked` overflows its stack.
 */
const MAX_NESTING = 16;

/** The most columns by which a list may be indented: two for each level. */
const MAX_INDENT = 2 * MAX_NESTING;

const MARKER = '(?:[ \\t]{0,3}(?:>|(?:[-*+]|\\d{1,9}[.)])[ \\t]))';

const TOO_DEEP = new RegExp(`^((?:${MARKER}){${MAX_NESTING}})(?:${MARKER})+`, 'gm');

const TOO_INDENTED = new RegExp(`^[ \\t]{${MAX_INDENT + 1},}(?=(?:[-*+]|\\d{1,9}[.)])[ \\t])`, 'gm');

/**
 * Prepares a text for the parser: `\n` line ends, well-formed, no invisible characters, bounded nesting, and lines as the
 * author meant them.
 */
export function cleanSource(source: string): string {
  const text = removeInvisible(source.replace(/\r\n?|[\u2028\u2029]/g, '\n').toWellFormed());
  // In a fence this may shorten a line that begins with more than 16 markers. To find fences would take a parser.
  const bounded = text.replace(TOO_DEEP, '$1').replace(TOO_INDENTED, ' '.repeat(MAX_INDENT));
  return separateLists(indentItems(withoutOuterFence(withoutPictureData(bounded))));
}

/** Characters that may begin or end markup whose other part has not arrived. */
const HALF_MARKUP = new Set('*_~`[<\\$');

/** A last line without text so far: a list marker, a rule, a table's delimiter row, a fence. */
const MERE_MARKUP = /^[-*+=_~`#|:![\]()<>$\\ \t]*(?:\d{1,9}[.)])?$/;

/** A link's definition. While it grows, each character of its address would change all links that refer to it. */
const DEFINITION = /^ {0,3}\[([^\]]+)\]:\s*\S*$/;

/** The beginning of the address of a picture that stands inside the text, up to where its data begins. */
const DATA_ADDRESS = /\bdata:(?:[a-z]{1,20}(?:\/[\w.+-]{0,60}(?:;[\w=.-]{0,60}){0,4})?)?$/i;

/** The address of a link that has not ended: balanced parentheses, then perhaps a title. */
const OPEN_ADDRESS =
  /^\]\(\s*(?:<[^<>\n]*|(?:[^\s()]|\((?:[^\s()]|\([^\s()]*\))*\))*(?:\((?:[^\s()]|\([^\s()]*\)?)*)?(?:\s+(?:"[^"\n]*"?|'[^'\n]*'?)?)?)$/;

/**
 * Removes the end of a growing text as far as it cannot yet be shown as what it will become. The parser closes the
 * markup that is still half-open after that (`lex.ts`).
 */
export function withholdUnfinished(source: string): string {
  const text = withholdLines(withholdAddress(source.replace(/[\uD800-\uDBFF]$/, '')).trimEnd());
  let end = text.length;
  while (HALF_MARKUP.has(text.charAt(end - 1))) end--;
  if (text.charAt(end) === '[' && text.charAt(end - 1) === '!') end--;
  const kept = text.slice(0, end);
  // The longest entity that is decoded has a name of six letters or a number of seven digits.
  const entity = /&#?\w{0,8}$/.exec(kept.slice(-10));
  return (entity === null ? kept : kept.slice(0, -entity[0].length)).trimEnd();
}

/** Of a link whose address is still coming, however long it gets, only the text is left. */
function withholdAddress(source: string): string {
  const start = source.lastIndexOf('](');
  const address = start === -1 ? '' : source.slice(start);
  if (OPEN_ADDRESS.test(address)) {
    // A picture inside the text: its words are all that will be shown of it.
    const isData = /^\]\(\s*<?d(?:$|a(?:$|t(?:$|a(?:$|:))))/i.test(address);
    return source.slice(0, start) + (isData ? '](data:,)' : ']');
  }
  return source.slice(0, -60) + source.slice(-60).replace(DATA_ADDRESS, '');
}

function withholdLines(text: string): string {
  const lines = text.split('\n');
  while (lines.length > 0 && MERE_MARKUP.test(lines.at(-1) ?? '')) lines.pop();
  const label = DEFINITION.exec(lines.at(-1) ?? '')?.[1];
  if (label !== undefined && lines.slice(0, -1).some((line) => line.includes(`[${label}]`))) lines.pop();
  return lines.join('\n');
}

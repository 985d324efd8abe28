import { cutCode, cutLine, type Cut } from './cut-line.ts';
import { withoutIndent } from './indent.ts';

/** The fence or table that a line stands in. A cut closes it on the page before and opens it again on the next. */
interface Frame {
  kind: 'fence' | 'table';
  /** Number of the line of the block at which it starts. */
  start: number;
  /** The lines that begin it: a fence, or a table's header row and delimiter row. */
  opening: readonly string[];
  /** The line that ends it; undefined for a table, which needs none. */
  closing: string | undefined;
}

/** The page that the head goes to. */
interface Page {
  /** Free space, in UTF-16 units. */
  room: number;
  onEmptyPage: boolean;
}

const FENCE = /^([ >]*)((?:- |\d{1,9}\. )*)(`{3,})([^`]*)$/;

const TABLE_ROW = /^[ >]*\|/;

const DELIMITER_ROW = /^[ >]*\|(?: :?-+:? \|)+$/;

/**
 * Cuts a block so that its head has at most `room` UTF-16 units, at the end of a line where possible. The rest of a
 * fenced block or table begins with its fence or header row. Undefined if no part of the block fits. On an empty page a
 * table whose first row does not fit is cut like text.
 */
export function cutBlock(block: string, room: number, onEmptyPage: boolean): Cut | undefined {
  const lines = block.split('\n');
  let frame: Frame | undefined;
  let length = -1;
  for (const [index, line] of lines.entries()) {
    frame = frameAfter(frame, lines, index);
    length += 1 + line.length;
    const closing = frame?.closing === undefined ? 0 : 1 + frame.closing.length;
    if (length + closing > room) return cutAt(lines, index, frame, { room, onEmptyPage });
  }
  return { head: block, tail: '', repeated: 0 };
}

/** Cuts before or within the line `index`, the first one that does not fit. */
function cutAt(
  lines: readonly string[],
  index: number,
  frame: Frame | undefined,
  { room, onEmptyPage }: Page,
): Cut | undefined {
  const line = lines[index] ?? '';
  // A page must not end with an opening fence or a table's header alone.
  const isEmpty = frame !== undefined && index <= frame.start + frame.opening.length;
  const kept = isEmpty ? frame.start : index;
  const framed = isEmpty ? undefined : frame;
  const head = lines.slice(0, kept);
  // Moving a long line to the next page would leave too much of this page empty.
  const isLong = line.length > room / 2;
  if (isEmpty && kept > 0) return split(head, lines.slice(kept), undefined);
  if (isEmpty && !onEmptyPage) return undefined;
  if (isLong || kept === 0) {
    const inside = cutInside(lines, index, frame, { room, onEmptyPage });
    if (inside !== undefined) return inside;
  }
  return kept === 0 ? undefined : split(head, lines.slice(kept), framed);
}

/** Cuts inside a line: code anywhere, text and table rows where a reader would pause. */
function cutInside(
  lines: readonly string[],
  index: number,
  frame: Frame | undefined,
  { room, onEmptyPage }: Page,
): Cut | undefined {
  const line = lines[index] ?? '';
  const head = lines.slice(0, index);
  const closing = frame?.closing === undefined ? 0 : frame.closing.length + 1;
  const left = room - closing - head.reduce((sum, { length }) => sum + length + 1, 0);
  const cut = frame?.kind === 'fence' ? cutCode(line, left) : cutLine(line, left, onEmptyPage && index === 0);
  if (cut === undefined) return undefined;
  const rest = cut.tail === '' ? [] : [cut.tail];
  const tail = [...rest, ...lines.slice(index + 1)];
  const parts = split([...head, cut.head], tail, frame?.kind === 'table' ? undefined : frame);
  return { ...parts, repeated: parts.repeated + cut.repeated };
}

function split(head: readonly string[], tail: readonly string[], frame: Frame | undefined): Cut {
  const closing = frame?.closing === undefined ? [] : [frame.closing];
  const opening = frame?.opening ?? [];
  const rest = frame === undefined ? tail.join('\n').replace(/^\n+/, '') : tail.join('\n');
  return {
    head: [...head, ...closing].join('\n').trimEnd(),
    // At the start of a page the indent of a list's continuation would make it code.
    tail: rest === '' ? '' : withoutIndent([...opening, rest].join('\n')),
    repeated: opening.reduce((sum, line) => sum + Array.from(line).length + 1, 0),
  };
}

function frameAfter(frame: Frame | undefined, lines: readonly string[], index: number): Frame | undefined {
  const line = lines[index] ?? '';
  if (frame?.kind === 'fence') return line.trimEnd() === frame.closing ? undefined : frame;
  const [, quote = '', marker = '', marks = '', language = ''] = FENCE.exec(line) ?? [];
  if (marks !== '') {
    const prefix = quote + ' '.repeat(marker.length);
    return { kind: 'fence', start: index, opening: [prefix + marks + language], closing: prefix + marks };
  }
  if (frame !== undefined && TABLE_ROW.test(line)) return frame;
  const next = lines[index + 1] ?? '';
  if (!TABLE_ROW.test(line) || !DELIMITER_ROW.test(next)) return undefined;
  return { kind: 'table', start: index, opening: [line, next], closing: undefined };
}

import type { TokenizerExtension, TokenizerThis, Tokens } from 'marked';

/** Columns of a table. Cells beyond this share the last one. */
const MAX_COLUMNS = 32;

/** The most lines of one cell. */
const MAX_CELL_LINES = 12;

const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

const PIPED = /^[ \t]*\|/;

/** The beginning of a block that is no row. */
const OTHER_BLOCK = /^ {0,3}(?:[`~]{3,}|#{1,6}[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])/;

/**
 * Reads a table so that nothing of it is lost. GFM drops cells beyond the header, divides code at its pipes, reads a row
 * from any line below, and sees no table at all where the delimiter row has a column too few.
 *
 * @param growing a header row at the end of the text is a table whose delimiter row is still to come.
 */
export function tables(growing: boolean): TokenizerExtension {
  return {
    name: 'table',
    level: 'block',
    start: (source) => (growing ? source.search(/\n {0,3}\|[^\n]*$/) : -1),
    tokenizer(source) {
      const lines = linesOf(source);
      const header = lines.next().value ?? '';
      if (!header.includes('|')) return undefined;
      const second = lines.next().value;
      if (second === undefined) {
        const isHeader = growing && /^ {0,3}\|[^\n]*[^\s|]/.test(header);
        return isHeader ? tableToken(this, header, cellsOf(header), [], []) : undefined;
      }
      if (!DELIMITERS.test(second) || !second.includes('|')) return undefined;
      const delimiters = cellsOf(second);
      const names = cellsOf(header);
      if (!PIPED.test(header) && names.length !== delimiters.length) return undefined;
      const columns = Math.max(names.length, delimiters.length);
      const body = bodyOf([...lines], { columns, isPiped: PIPED.test(header), isClosed: isClosed(header), growing });
      return tableToken(this, [header, second, ...body.lines].join('\n'), names, delimiters, body.rows);
    },
  };
}

/** The lines up to the next blank one. */
function* linesOf(source: string): Generator<string, undefined> {
  for (let start = 0; start < source.length;) {
    const end = source.indexOf('\n', start);
    const line = source.slice(start, end === -1 ? undefined : end);
    if (line.trim() === '') return;
    yield line;
    if (end === -1) return;
    start = end + 1;
  }
}

/** A list may stand in a cell. */
const LIST_ITEM = /^ *(?:[-*+]|\d{1,9}[.)])[ \t]/;

interface TableForm {
  columns: number;
  /** The header begins with a pipe, and so do the rows. */
  isPiped: boolean;
  /** The header ends with a pipe, and so do the rows. */
  isClosed: boolean;
  growing: boolean;
}

/** The rows, and the lines that they were read from. */
function bodyOf(lines: readonly string[], form: TableForm): { rows: string[][]; lines: string[] } {
  const rows: string[][] = [];
  let used = 0;
  while (used < lines.length) {
    const line = lines[used] ?? '';
    if (!isRow(line, form)) break;
    const count = linesOfRow(lines, used, form);
    const row = lines
      .slice(used, used + count)
      .map((part) => part.trim())
      .join(' ');
    const isGrowing = form.growing && used + count === lines.length;
    rows.push(cellsOf(row, isGrowing ? OPEN_PARTS : PARTS));
    used += count;
  }
  return { rows, lines: lines.slice(0, used) };
}

function isRow(line: string, { columns, isPiped }: TableForm): boolean {
  if (PIPED.test(line)) return true;
  if (OTHER_BLOCK.test(line)) return false;
  const cells = cellsOf(line).length;
  // Text below a table may name a pipe as well.
  return isPiped ? columns > 1 && cells === columns : cells > 1;
}

/** A row goes on until its last pipe, over line breaks in its cells. */
function linesOfRow(
  lines: readonly string[],
  start: number,
  { columns, isClosed: mustClose, growing }: TableForm,
): number {
  const first = lines[start] ?? '';
  if (!mustClose || !PIPED.test(first)) return 1;
  let row = first;
  for (let count = 1; count <= MAX_CELL_LINES; count++) {
    const isOpen = !isClosed(row) || (count > 1 && cellsOf(row).length < columns);
    const line = lines[start + count];
    if (!isOpen && !(count === 1 && line !== undefined && isRestOf(row, line, columns))) return count;
    if (line === undefined) return growing ? count : 1;
    if (PIPED.test(line) || (OTHER_BLOCK.test(line) && !LIST_ITEM.test(line))) return 1;
    row += ` ${line.trim()}`;
  }
  return 1;
}

/** Whether a line completes a row that ended in a pipe with cells missing. */
function isRestOf(row: string, line: string, columns: number): boolean {
  return !PIPED.test(line) && isClosed(line) && cellsOf(row).length < columns;
}

function isClosed(line: string): boolean {
  return /(?<!\\)\|\s*$/.test(line);
}

/** What divides the cells of a row, and what holds pipes that do not: code and escapes. */
const PARTS = /(?<ticks>(?<!`)`+(?!`))[^\n]*?(?<!`)\k<ticks>(?!`)|\\[^]|[|]/g;

/** The same for a row whose code has not ended yet. */
const OPEN_PARTS = new RegExp(`${PARTS.source}|\`+[^\`]*$`, 'g');

/** The cells of a row. */
function cellsOf(line: string, parts = PARTS): string[] {
  const row = line.trim();
  const cells: string[] = [];
  let start = 0;
  for (const { 0: part, index } of row.matchAll(parts)) {
    if (part !== '|') continue;
    if (index > 0) cells.push(row.slice(start, index));
    start = index + 1;
  }
  if (start < row.length) cells.push(row.slice(start));
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function tableToken(
  { lexer }: TokenizerThis,
  raw: string,
  names: readonly string[],
  delimiters: readonly string[],
  rows: readonly string[][],
): Tokens.Table {
  const widest = Math.max(names.length, delimiters.length, ...rows.map(({ length }) => length));
  const columns = Math.max(names.length, Math.min(widest, MAX_COLUMNS));
  const align = Array.from({ length: columns }, (_, index) => alignOf(delimiters[index] ?? ''));
  const cellsOfRow = (row: readonly string[], header: boolean): Tokens.TableCell[] =>
    align.map((side, index) => {
      const text = index === columns - 1 ? row.slice(index).join(' ') : (row[index] ?? '');
      return { text, tokens: lexer.inline(text), header, align: side };
    });
  return {
    type: 'table',
    raw,
    align,
    header: cellsOfRow(names, true),
    rows: rows.map((row) => cellsOfRow(row, false)),
  };
}

function alignOf(delimiter: string): Tokens.TableCell['align'] {
  const [left, right] = [delimiter.startsWith(':'), delimiter.endsWith(':')];
  return left && right ? 'center' : right ? 'right' : left ? 'left' : null;
}

import { joiner, sanitizeText } from './sanitize.ts';

/**
 * A piece of a line. Text stays text until its neighbours are known: together with them harmless text may become a link
 * or a tag.
 */
export type Piece =
  | { kind: 'text' | 'markup'; value: string }
  | { kind: 'emphasis'; mark: string; content: readonly Piece[] }
  /** Several `soft` breaks in a row count as one. They come from HTML elements and from the lines of the source. */
  | { kind: 'break'; soft: boolean };

export const asText = (value: string): Piece => ({ kind: 'text', value });

export const asMarkup = (value: string): Piece => ({ kind: 'markup', value });

/**
 * Joins pieces to lines, with the spaces that emphasis needs and without empty lines at either end. `lineBreak` ends
 * each line but the last.
 */
export function joinPieces(pieces: readonly Piece[], lineBreak: string): string {
  let line = '';
  const lines: string[] = [];
  let text = '';
  let afterSoftBreak = false;
  /** Emphasis that ends in punctuation ends only before a space or more punctuation (CommonMark 6.2). */
  let needsSpace = false;
  /** The text just written; empty after markup. */
  let lastText = '';
  const flushText = () => {
    if (text === '') return;
    // Several spaces count as one. At the start of a line, where a tag stood before them, they would make it code.
    const clean = sanitizeText((line === '' ? text.trimStart() : text).replace(/[ \t]{2,}/g, ' '));
    line += (needsSpace && startsWithWord(clean) ? ' ' : joiner(line, clean)) + clean;
    lastText = clean;
    needsSpace &&= clean === '';
    text = '';
  };
  for (const piece of pieces) {
    const value = pieceValue(piece, lineBreak);
    if (piece.kind === 'text') text += value;
    if (piece.kind === 'text' || (piece.kind !== 'break' && value === '')) continue;
    flushText();
    if (piece.kind === 'break') {
      line = line.trimEnd();
      if (piece.soft ? line !== '' : line !== '' || !afterSoftBreak) lines.push(line);
      afterSoftBreak = piece.soft;
      line = '';
      lastText = '';
      needsSpace = false;
      continue;
    }
    const isEmphasis = piece.kind === 'emphasis';
    const isUnopened =
      isEmphasis && (/[*~]$/.test(line) || (/^[*~]+[^\s*~\p{L}\p{N}]/u.test(value) && endsInWord(line)));
    if (isUnopened || (needsSpace && startsWithWord(value)) || endsInAddress(lastText)) line += ' ';
    line += joiner(line, value) + value;
    lastText = '';
    needsSpace = isEmphasis && /[\p{P}\p{S}]$/u.test(value.replace(/[*~]+$/, ''));
  }
  flushText();
  lines.push(line.trimEnd());
  return trimEmpty(lines).join(lineBreak);
}

function pieceValue(piece: Piece, lineBreak: string): string {
  if (piece.kind === 'break') return '';
  if (piece.kind !== 'emphasis') return piece.value;
  // The marks of bold inside bold would end the outer bold.
  const content = joinPieces(withoutMark(piece.content, piece.mark), lineBreak).trim();
  return content === '' ? '' : piece.mark + content + piece.mark;
}

function withoutMark(pieces: readonly Piece[], mark: string): Piece[] {
  return pieces.flatMap((piece) => {
    if (piece.kind !== 'emphasis') return [piece];
    const content = withoutMark(piece.content, mark);
    return piece.mark === mark ? content : [{ ...piece, content }];
  });
}

function startsWithWord(text: string): boolean {
  return /^[^\s\p{P}\p{S}]/u.test(text);
}

function endsInWord(line: string): boolean {
  return /[^\s\p{P}\p{S}]$/u.test(line);
}

/** A client that makes links of bare addresses takes everything up to the next space as a part of the address. */
function endsInAddress(text: string): boolean {
  return /(?:https?:\/\/|www\.)\S*$/i.test(text.slice(-300));
}

function trimEmpty(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line !== '');
  const last = lines.findLastIndex((line) => line !== '');
  return first === -1 ? [] : lines.slice(first, last + 1);
}

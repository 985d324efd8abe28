import type { Piece } from './pieces.ts';

/** An escaped character, or a run of marks. */
const RUNS = /\\[^]|\*+|_+|~+/g;

/**
 * Escapes the marks that are characters of the text, where a client could take two of them for emphasis. One alone stays
 * as it came, and so does one that no client takes for a mark.
 */
export function protectMarks(pieces: readonly Piece[]): Piece[] {
  const counts = new Map<string, number>();
  countMarks(pieces, counts);
  const isRisky = (mark: string) => (counts.get(mark) ?? 0) > 1;
  return ['*', '_', '~'].some(isRisky) ? escaped(pieces, isRisky) : [...pieces];
}

function countMarks(pieces: readonly Piece[], counts: Map<string, number>): void {
  for (const piece of pieces) {
    if (piece.kind === 'emphasis') {
      const mark = piece.mark.charAt(0);
      counts.set(mark, (counts.get(mark) ?? 0) + 2);
      countMarks(piece.content, counts);
    } else if (piece.kind === 'text') {
      for (const { 0: run, index } of piece.value.matchAll(RUNS)) {
        const mark = run.charAt(0);
        if (couldBeMark(piece.value, run, index)) counts.set(mark, (counts.get(mark) ?? 0) + 1);
      }
    }
  }
}

function escaped(pieces: readonly Piece[], isRisky: (mark: string) => boolean): Piece[] {
  return pieces.map((piece) => {
    if (piece.kind === 'emphasis') return { ...piece, content: escaped(piece.content, isRisky) };
    if (piece.kind !== 'text') return piece;
    const value = piece.value.replace(RUNS, (run, index: number) =>
      isRisky(run.charAt(0)) && couldBeMark(piece.value, run, index) ? run.replace(/./g, '\\$&') : run,
    );
    return { ...piece, value };
  });
}

/** Whether CommonMark lets a run open or close emphasis. At the edge of a piece that is not known. */
function couldBeMark(text: string, run: string, index: number): boolean {
  if (run.startsWith('\\') || (run.startsWith('~') && run.length !== 2)) return false;
  const [before, after] = [text.charAt(index - 1), text.charAt(index + run.length)];
  if (/\s/.test(before) && /\s/.test(after)) return false;
  return !(run.startsWith('_') && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after));
}

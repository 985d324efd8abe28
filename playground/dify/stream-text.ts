import type { Chunk } from './types.ts';

export interface Pace {
  /** Before the first piece. */
  firstMs?: number;
  /** Between two pieces. */
  everyMs?: number;
  /** Characters of a piece, in turn: models do not send equal ones. */
  sizes?: readonly number[];
}

/** Cuts a text into deltas as a model would send them (protocol 4: 1 to 10 characters each). */
export function streamText(text: string, pace: Pace = {}): Chunk[] {
  const { firstMs = 500, everyMs = 40, sizes = [2, 4, 3, 5, 2, 6, 3] } = pace;
  // By code points: a delta never holds half a character, only the bytes of the stream may be cut anywhere.
  const characters = Array.from(text);
  const chunks: Chunk[] = [];
  for (let from = 0; from < characters.length;) {
    const size = sizes[chunks.length % sizes.length] ?? 1;
    chunks.push({
      afterMs: chunks.length === 0 ? firstMs : everyMs,
      text: characters.slice(from, from + size).join(''),
    });
    from += size;
  }
  return chunks;
}

/** A text of exactly `characters` characters in `events` equal deltas, spread evenly over `overMs`. */
export function steadyChunks(text: string, characters: number, events: number, overMs: number): Chunk[] {
  const whole = text.repeat(Math.ceil(characters / text.length)).slice(0, characters);
  return Array.from({ length: events }, (_, index) => ({
    afterMs: index === 0 ? 0 : overMs / Math.max(1, events - 1),
    text: whole.slice(Math.floor((index * characters) / events), Math.floor(((index + 1) * characters) / events)),
  }));
}

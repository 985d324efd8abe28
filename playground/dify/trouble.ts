import type { Chunk, ChunkScript, DifyRun } from './types.ts';

/** Where in an answer something happens: before its first word, behind it, in the middle, or behind the last word. */
export type Place = 'before-first-word' | 'first-word' | 'middle' | 'last-word';

/** The index of the chunk before which a place is. */
function indexOf(chunks: readonly Chunk[], place: Place): number {
  const words = chunks.flatMap((chunk, index) => ('text' in chunk ? [index] : []));
  const [first = chunks.length] = words;
  if (place === 'before-first-word') return first;
  if (place === 'first-word') return first + 1;
  if (place === 'last-word') return (words.at(-1) ?? chunks.length) + 1;
  return (words[Math.floor(words.length / 2)] ?? chunks.length) + (words.length === 1 ? 1 : 0);
}

const insert = (script: ChunkScript, place: Place, chunk: Chunk): ChunkScript => {
  const at = indexOf(script.chunks, place);
  return { ...script, chunks: [...script.chunks.slice(0, at), chunk, ...script.chunks.slice(at)] };
};

/** Something is done at a place of an answer, such as pressing stop or killing the function; the run goes on after it. */
export function atMoment(script: ChunkScript, place: Place, act: (run: DifyRun) => void | Promise<void>): ChunkScript {
  return insert(script, place, { moment: act });
}

/** The connection breaks at a place of an answer. */
export function cutAt(script: ChunkScript, place: Place): ChunkScript {
  return insert(script, place, { cut: true });
}

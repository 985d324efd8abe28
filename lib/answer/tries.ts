import type { TextSource } from './event.ts';

type Texts = Readonly<Record<TextSource, string>>;

/** A stretch of a text that a node of the app streamed, and that is taken back if the node's try fails. */
export interface Try {
  readonly node: string;
  readonly source: TextSource;
  readonly start: number;
  readonly end: number;
}

/**
 * Most stretches that are kept. Dify streams the variables of an answer one after the other, so a node has one stretch. Of
 * more than these the oldest cannot be taken back.
 */
const MAX_TRIES = 200;

/** Takes down that a node streamed this stretch. */
export function withTry(tries: readonly Try[], next: Try): readonly Try[] {
  const last = tries.at(-1);
  if (last?.node === next.node && last.source === next.source && last.end === next.start) {
    return [...tries.slice(0, -1), { ...last, end: next.end }];
  }
  return [...tries, next].slice(-MAX_TRIES);
}

/** The texts without what this node streamed, and the stretches of the other nodes in them. */
export function takenBack(texts: Texts, tries: readonly Try[], node: string): { texts: Texts; tries: readonly Try[] } {
  const left = { ...texts };
  const removed = { message: 0, agent: 0, chunk: 0 };
  const others: Try[] = [];
  for (const { source, ...stretch } of tries) {
    const start = stretch.start - removed[source];
    const end = stretch.end - removed[source];
    if (stretch.node === node) {
      left[source] = left[source].slice(0, start) + left[source].slice(end);
      removed[source] += end - start;
    } else {
      others.push({ node: stretch.node, source, start, end });
    }
  }
  return { texts: left, tries: others };
}

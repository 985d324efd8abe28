import type { Sentence } from './sentences/line.ts';
import type { Sentences } from './sentences/index.ts';

/** `note`: nothing to mend, or something that could not be checked. */
export type Level = 'ok' | 'note' | 'warning' | 'failed';

/** One line of the doctor. `code` is the same in every language and version. */
export interface Finding extends Sentence {
  level: Level;
  code: keyof Sentences;
}

type Say = <K extends keyof Sentences>(code: K, ...facts: Parameters<Sentences[K]>) => Finding;

/** Makes findings out of the sentences of one language. */
export type Finder = Readonly<Record<Level, Say>>;

export function createFinder(sentences: Sentences): Finder {
  const at =
    (level: Level): Say =>
    (code, ...facts) => {
      // The compiler cannot follow that the facts belong to the sentence; the signature above has seen to it.
      const sentence = sentences[code] as (...values: typeof facts) => Sentence;
      return { level, code, ...sentence(...facts) };
    };
  return { ok: at('ok'), note: at('note'), warning: at('warning'), failed: at('failed') };
}

import { FAILURE_OF } from './failures.ts';
import type { Level } from './level.ts';
import type { Sentence } from './sentences/line.ts';
import type { Sentences } from './sentences/index.ts';

/** One line of the doctor. `code` is the same in every language and version. */
export interface Finding extends Sentence {
  level: Level;
  code: keyof Sentences;
  /** The failure that it leads to, a code of the log; docs/operations.md has a section on each. */
  failure?: string;
}

export const hasFailed = (findings: readonly Pick<Finding, 'level'>[]): boolean =>
  findings.some(({ level }) => level === 'failed');

type Say = <K extends keyof Sentences>(code: K, ...facts: Parameters<Sentences[K]>) => Finding;

/** Makes findings out of the sentences of one language. */
export type Finder = Readonly<Record<Level, Say>>;

export function createFinder(sentences: Sentences): Finder {
  const at =
    (level: Level): Say =>
    (code, ...facts) => {
      // The compiler cannot follow that the facts belong to the sentence; the signature above has seen to it.
      const sentence = sentences[code] as (...values: typeof facts) => Sentence;
      const failure = FAILURE_OF[code];
      return { level, code, ...sentence(...facts), ...(failure === undefined ? {} : { failure }) };
    };
  return { ok: at('ok'), note: at('note'), warning: at('warning'), failed: at('failed') };
}

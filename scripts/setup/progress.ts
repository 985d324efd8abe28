import { rmSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { mergeEnv, readEnvFile, writeEnvFile } from './env-file.ts';
import { isVariable, type Variable } from './variables.ts';

/** What set-up itself has to remember from one run to the next. None of it is secret. */
export type Note =
  | 'SETUP_ANSWERED'
  | 'SETUP_WHERE'
  | 'SETUP_ROBOT'
  | 'SETUP_VERSION_ID'
  | 'SETUP_DEPLOYED'
  | 'SETUP_CARD'
  | 'SETUP_PAGES_DONE'
  | 'SETUP_QUESTIONS'
  | 'SETUP_PAGES'
  | 'SETUP_PASTED';

/**
 * Answers that are not in `.env` yet, and how far set-up has come: a file beside `.env` with its name and `.setup`, for
 * its owner alone. Without a path nothing is kept.
 */
export interface Progress {
  answers(): ReadonlyMap<Variable, string>;
  keep(variable: Variable, value: string): void;
  get(note: Note): string;
  note(note: Note, value: string): void;
  count(note: 'SETUP_QUESTIONS' | 'SETUP_PAGES' | 'SETUP_PASTED'): void;
  /** The answers are in `.env` now. */
  forgetAnswers(): void;
  /** Nothing is left to do. */
  end(): void;
}

export function openProgress(path: string | null, newId: () => string): Progress {
  let values: Record<string, string> = {};
  for (const [name, value] of Object.entries(path === null ? {} : parseEnv(readEnvFile(path))))
    values[name] = value ?? '';
  function save(): void {
    if (path === null) return;
    const merged = mergeEnv('', new Map(Object.entries(values).filter(([, value]) => value !== '')));
    // What the file cannot hold is asked again; the end of the guide names it.
    if (merged.ok) writeEnvFile(path, merged.text, newId());
  }
  const set = (name: string, value: string) => {
    if ((values[name] ?? '') === value) return;
    values[name] = value;
    save();
  };
  return {
    answers: () => new Map(Object.entries(values).filter((entry): entry is [Variable, string] => isVariable(entry[0]))),
    keep: set,
    get: (note) => values[note] ?? '',
    note: set,
    count: (note) => set(note, String(Number(values[note] ?? 0) + 1)),
    forgetAnswers() {
      values = Object.fromEntries(Object.entries(values).filter(([name]) => !isVariable(name)));
      save();
    },
    end() {
      values = {};
      if (path !== null) rmSync(path, { force: true });
    },
  };
}

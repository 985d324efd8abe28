import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Language } from '../language.ts';
import { isVariable, type Variable } from './variables.ts';
import { roadWordsOf } from './words/index.ts';

export type Answers =
  | { ok: true; values: ReadonlyMap<Variable, string> }
  /** The reason names files and variables, never a value. */
  | { ok: false; reason: string };

/** Reads `--answers FILE`. It may hold secrets, so a file that others may read is refused. */
export function readAnswers(path: string, language: Language): Answers {
  const words = roadWordsOf[language];
  let values: Record<string, string | undefined>;
  try {
    const isOpen = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
    if (isOpen) return { ok: false, reason: words.answersFile(path) };
    values = parseEnv(readFileSync(path, 'utf8'));
  } catch {
    return { ok: false, reason: words.answersFile(path) };
  }
  const known = new Map<Variable, string>();
  for (const [name, value = ''] of Object.entries(values)) {
    if (!isVariable(name)) return { ok: false, reason: words.unknownAnswer(path, name) };
    if (value.trim() !== '') known.set(name, value.trim());
  }
  return { ok: true, values: known };
}

import type { FormAction } from '../answer/event.ts';

/** The lines of words that a person typed. */
export const linesOf = (words: string): string[] => words.trim().split(/\r\n?|\n/);

/** The first line of words that may answer a form. */
export interface FirstLine {
  /** What may name an action. */
  head: string;
  /** The number of a form behind it, as in `同意 #2`; null where there is none. */
  mark: number | null;
  /** What follows after the mark and a colon: the first line of the values. */
  rest: string | null;
}

const MARKED = /^(.{1,200}?)\s*[#＃]\s?([0-9０-９]{1,4})\s*(?:[:：]\s*(.*))?$/su;

/** Reads the number of a form off the first line. A value stands on the same line only behind a number. */
export function readFirstLine(line: string): FirstLine {
  const [, head = '', digits, rest] = MARKED.exec(line.trim()) ?? [];
  if (digits === undefined) return { head: line, mark: null, rest: null };
  return { head, mark: Number(digits.normalize('NFKC')), rest: rest ?? null };
}

/** By title before id before number: a title may be a number itself. */
export function findAction(line: string, actions: readonly FormAction[]): FormAction | undefined {
  const named = namedAction(line, actions);
  return named ?? actions[numberIn(plain(line)) - 1];
}

/** The action of this title or id. */
export function namedAction(line: string, actions: readonly FormAction[]): FormAction | undefined {
  if (plain(line) === '') return undefined;
  return actions.find(({ title }) => isSame(title, line)) ?? actions.find(({ id }) => isSame(id, line));
}

/** The question in words that say themselves that they are one, as the link of `askBack` does; null for other words. */
export function readAsked(text: string): string | null {
  const [, asked = ''] = /^\s*(?:提问|ask)\s*[:：]\s*(.+)$/isu.exec(text) ?? [];
  return asked.trim() || null;
}

/** The number of an entry of a list as people type it: `2`, `２`, `2.`, `2、`. 0 for anything else. */
function numberIn(typed: string): number {
  return Number(/^(\d{1,3})[.、)。]?$/.exec(typed)?.[1] ?? 0);
}

/** The place of an entry of a lettered list, from 0: `B`, `b`, `Ｂ.`. -1 for anything else. */
export function letterIndex(typed: string): number {
  const letter = /^([a-z])[.、)。]?$/.exec(plain(typed))?.[1];
  return letter === undefined ? -1 : letter.charCodeAt(0) - 97;
}

/** Full-width forms, case and white space make no difference. */
export const isSame = (a: string, b: string): boolean => plain(a) === plain(b);

/** The form in which texts are compared. */
export function plain(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}

import { beginningOf } from '../characters.ts';

/** The longest file name that Dify keeps, in characters (its file service). */
const MAX_NAME_CHARS = 200;

/** An extension longer than this is part of the name. */
const MAX_EXTENSION_CHARS = 20;

/** Control characters, marks that reverse the direction of text (`gpj.exe` shown as `exe.jpg`), and slashes. */
const UNSAFE_CHARS = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069/\\]/gu;

/**
 * Makes a name that every system takes as one file name: without folders and control characters, without a dot at its
 * start, which would hide the file, and at most 200 characters. Empty when nothing is left.
 */
export function safeFileName(name: string): string {
  const clean = name.toWellFormed().replace(UNSAFE_CHARS, '').trim().replace(/^\.+/, '').trim();
  if (beginningOf(clean, MAX_NAME_CHARS) === clean) return clean;
  const extension = /\.[^.]+$/.exec(clean)?.[0] ?? '';
  const kept = beginningOf(extension, MAX_EXTENSION_CHARS) === extension ? extension : '';
  return beginningOf(clean, MAX_NAME_CHARS - Array.from(kept).length) + kept;
}

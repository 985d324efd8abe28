/** Characters of a file name: the most that Dify keeps (its file service). */
const MAX_NAME_CHARS = 200;

/** An extension longer than this is part of the name. */
const MAX_EXTENSION_CHARS = 20;

/** Controls, what turns the direction of text around (`gpj.exe` shown as `exe.jpg`), and what separates folders. */
const UNSAFE_CHARS = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069/\\]/gu;

/** A file name that is one name everywhere: without folders and controls, not hidden, at most 200 characters. */
export function safeFileName(name: string): string {
  const clean = name.toWellFormed().replace(UNSAFE_CHARS, '').trim().replace(/^\.+/, '').trim();
  const chars = Array.from(clean);
  if (chars.length <= MAX_NAME_CHARS) return clean;
  const extension = Array.from(/\.[^.]+$/.exec(clean)?.[0] ?? '');
  const kept = extension.length <= MAX_EXTENSION_CHARS ? extension : [];
  return [...chars.slice(0, MAX_NAME_CHARS - kept.length), ...kept].join('');
}

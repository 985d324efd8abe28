import { sanitizeCode } from './sanitize.ts';

/** Writes a code span with the shortest delimiters that do not occur in it. */
export function codeSpan(code: string): string {
  const text = sanitizeCode(code.replace(/\s*\n\s*/g, ' '));
  if (text.trim() === '') return '';
  const runs = new Set(Array.from(text.matchAll(/`+/g), ([run]) => run));
  let fence = '`';
  while (runs.has(fence)) fence += '`';
  const padding = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return fence + padding + text + padding + fence;
}

/** Escapes backticks: one that opens no code span here could open one together with the next span's delimiters. */
export function escapeBackticks(source: string): string {
  return source.replace(/`/g, '\\`');
}

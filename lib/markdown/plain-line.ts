import { inertText } from './inert.ts';

/** A name on one line and without what would be markup. */
export function plainName(name: string): string {
  return name.replaceAll(/[`*_<>[\]|\s]+/g, ' ').trim();
}

/** One line without what would be markup. */
export function plain(text: string): string {
  return inertText(text.replaceAll(/[[\]`*_<>|#\s]+/g, ' ').trim());
}

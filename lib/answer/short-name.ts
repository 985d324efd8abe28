import { plainLine, shortened } from '../markdown/plain-line.ts';

/** Longest name, option or default that is shown in a line of this bridge. */
const MAX_NAME_CHARS = 60;

/** A name or a title in a line of this bridge: without markup, and cut where it is long. */
export const shortName = (name: string): string => shortened(plainLine(name), MAX_NAME_CHARS);

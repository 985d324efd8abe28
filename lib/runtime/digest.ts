import { hash } from 'node:crypto';

/** A short name for a text, the same everywhere and for ever: the first 32 hexadecimal digits of its SHA-256. */
export const digest = (text: string): string => hash('sha256', text).slice(0, 32);

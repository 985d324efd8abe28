import { decodeEntities } from './inert.ts';

/** A path without host is Dify's own: nothing else in an answer could be meant by it. */
const RELATIVE = /^(\/files\/[^?#\s]+)/;

/**
 * On a host, other sites may keep files in such a folder too, so it must look as Dify writes it: made by a tool,
 * a preview of an upload, or signed.
 */
const ABSOLUTE = [
  /^https?:\/\/[^/?#\s]+(\/files\/tools\/[^?#\s]+)/i,
  /^https?:\/\/[^/?#\s]+(\/files\/[^/?#\s]+\/(?:file|image)-preview)(?=[?#]|$)/i,
  /^https?:\/\/[^/?#\s]+(\/files\/[^?#\s]+)\?(?:[^#\s]*&)?sign=/i,
];

/** The path of an address of Dify's files, which says which file it is; null for any other address. */
export function difyPath(address: string): string | null {
  const plain = decodeEntities(address).trim();
  for (const form of [RELATIVE, ...ABSOLUTE]) {
    const path = form.exec(plain)?.[1];
    if (path !== undefined) return path;
  }
  return null;
}

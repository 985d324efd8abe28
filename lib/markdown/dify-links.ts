import { readTag } from './html.ts';
import { lexMarkdown } from './lex.ts';
import { decodeEntities } from './sanitize.ts';
import { cleanSource } from './source.ts';
import { isBlock, isInline, type RawToken } from './tokens.ts';

/** A link to a file that Dify keeps. It is signed and valid for a few minutes, so it is never shown to a reader. */
export interface DifyLink {
  url: string;
  /** The image's description or the link's text: usually the file's name. */
  words: string;
  isImage: boolean;
}

/** What every address of a file holds, unless a character of it is written as a reference. */
const MAY_LINK = /files|&/i;

/** The links and images of a markdown text that lead to Dify's files, in order. Code is not searched. */
export function difyLinks(source: string): DifyLink[] {
  const links: DifyLink[] = [];
  const clean = cleanSource(source);
  // Most texts have none: no parsing for them.
  if (!MAY_LINK.test(clean)) return links;
  const add = (url: string, words: string, isImage: boolean) => {
    if (difyPath(url) !== null)
      links.push({ url: decodeEntities(url).trim(), words: decodeEntities(words).trim(), isImage });
  };
  const visit = (token: RawToken) => {
    if (token.type === 'html') {
      const tag = readTag(token.raw);
      if (tag === undefined || tag.closing) return;
      const { name, attributes } = tag;
      add(attributes.get('src') ?? attributes.get('href') ?? '', attributes.get('alt') ?? '', name === 'img');
    } else if (isInline(token) && (token.type === 'link' || token.type === 'image')) {
      add(token.href, token.raw === token.text ? '' : token.text, token.type === 'image');
    }
    for (const inner of innerTokens(token)) visit(inner);
  };
  for (const token of lexMarkdown(clean, { growing: false })) visit(token);
  return links;
}

function innerTokens(token: RawToken): readonly RawToken[] {
  if (isBlock(token) && token.type === 'list') return token.items.flatMap((item): RawToken[] => item.tokens);
  if (isBlock(token) && token.type === 'table') {
    return [token.header, ...token.rows].flat().flatMap((cell): RawToken[] => cell.tokens);
  }
  // The tokens of an image are its description, which holds no links.
  if (token.type === 'image' || !('tokens' in token)) return [];
  return Array.isArray(token.tokens) ? (token.tokens as RawToken[]) : [];
}

/** A path without a host belongs to Dify: an answer has no other host that it could refer to. */
const RELATIVE = /^(\/files\/[^?#\s]+)/;

/**
 * With a host the address may be that of another site with a folder of this name. So it must have one of the forms that
 * Dify writes: the file of a tool, the preview of an upload, or any signed file.
 */
const ABSOLUTE = [
  /^https?:\/\/[^/?#\s]+(\/files\/tools\/[^?#\s]+)/i,
  /^https?:\/\/[^/?#\s]+(\/files\/[^/?#\s]+\/(?:file|image)-preview)(?=[?#]|$)/i,
  /^https?:\/\/[^/?#\s]+(\/files\/[^?#\s]+)\?(?:[^#\s]*&)?sign=/i,
];

/** The path of an address of Dify's files. It identifies the file. Null for any other address. */
export function difyPath(address: string): string | null {
  const plain = decodeEntities(address).trim();
  for (const form of [RELATIVE, ...ABSOLUTE]) {
    const path = form.exec(plain)?.[1];
    if (path !== undefined) return path;
  }
  return null;
}

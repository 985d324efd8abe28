import { readTag } from './html.ts';
import { lexMarkdown } from './lex.ts';
import { decodeEntities } from './sanitize.ts';
import { cleanSource } from './source.ts';
import { isBlock, isInline, type RawToken } from './tokens.ts';

/** A link to a file that Dify keeps. It is signed and valid for minutes only, so no reader should get it. */
export interface DifyLink {
  url: string;
  /** The image's description or the link's text: usually the file's name. */
  words: string;
  isImage: boolean;
}

/** The links and images of a markdown text that lead to Dify's files, in order; not what is quoted as code. */
export function difyLinks(source: string): DifyLink[] {
  const links: DifyLink[] = [];
  const add = (url: string, words: string, isImage: boolean) => {
    if (difyPath(url) !== null)
      links.push({ url: decodeEntities(url).trim(), words: decodeEntities(words).trim(), isImage });
  };
  const visit = (token: RawToken) => {
    if (token.type === 'html') {
      const tag = readTag(token.raw);
      const address = tag?.attributes.get('src') ?? tag?.attributes.get('href');
      if (tag && !tag.closing && address !== undefined)
        add(address, tag.attributes.get('alt') ?? '', tag.name === 'img');
    } else if (isInline(token) && (token.type === 'link' || token.type === 'image')) {
      add(token.href, token.raw === token.text ? '' : token.text, token.type === 'image');
    }
    for (const inner of innerTokens(token)) visit(inner);
  };
  for (const token of lexMarkdown(cleanSource(source), { growing: false })) visit(token);
  return links;
}

function innerTokens(token: RawToken): readonly RawToken[] {
  if (isBlock(token) && token.type === 'list') return token.items.flatMap((item): RawToken[] => item.tokens);
  if (isBlock(token) && token.type === 'table') {
    return [token.header, ...token.rows].flat().flatMap((cell): RawToken[] => cell.tokens);
  }
  // An image's tokens are its description.
  if (token.type === 'image' || !('tokens' in token)) return [];
  return Array.isArray(token.tokens) ? (token.tokens as RawToken[]) : [];
}

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

import { escapeBackticks } from './code-span.ts';
import type { MarkdownWords } from './dialect.ts';
import { difyPath } from './dify-links.ts';
import { asMarkup, asText, type Piece } from './pieces.ts';
import { decodeEntities, safeHref, safeImage, sanitizeText } from './sanitize.ts';

/** A file name that is a UUID. */
const UNNAMED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w{1,10})?$/i;

/** A link whose text is its address. */
export function addressLink(address: string, href: string): Piece {
  return asMarkup(`[${sanitizeText(escapeBackticks(address).replace(/[*_~[\]]/g, '\\$&'))}](${href})`);
}

/** A bare address. One with marks in it becomes a link: its text can escape them, an address cannot. */
export function addressPieces(raw: string): Piece[] {
  const address = raw.replace(/[?!.,:;*~]+$/, '');
  const href = safeHref(address);
  if (href === undefined || !/[*]|~~|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u.test(address))
    return [asText(escapeBackticks(raw))];
  return [addressLink(address, href), asText(raw.slice(address.length))];
}

export function imagePiece(source: string, description: string, words: MarkdownWords): Piece {
  const text = decodeEntities(description)
    .replace(/[[\]\\\n<>`*]+/g, ' ')
    .trim();
  const isDify = difyPath(source) !== null;
  const address = isDify ? undefined : safeImage(source);
  // Tools name the files that they make by a UUID, which tells a reader nothing.
  if (isDify && UNNAMED.test(text)) return asText(`【${words.image}】`);
  if (address === undefined) return asText(`【${text === '' ? words.image : text}】`);
  return asMarkup(`![${sanitizeText(text)}](${address})`);
}

import { imagePiece } from './address-pieces.ts';
import { codeSpan } from './code-span.ts';
import type { MarkdownWords } from './dialect.ts';
import { difyPath } from './dify-links.ts';
import { fieldText, type Tag } from './html.ts';
import { asMarkup, asText, joinPieces, type Piece } from './pieces.ts';
import { decodeEntities, safeHref } from './sanitize.ts';

/** An HTML element whose closing tag has not come yet. */
export interface OpenElement {
  tag: Tag;
  pieces: Piece[];
  /** Its source, for elements that show it or drop it. */
  raw: string;
}

/** HTML elements that are written as emphasis. */
const EMPHASIS_TAGS: Record<string, string> = {
  b: '**', strong: '**', summary: '**', caption: '**', legend: '**', dt: '**', i: '*', em: '*', s: '~~', del: '~~',
  strike: '~~', h1: '**', h2: '**', h3: '**', h4: '**', h5: '**', h6: '**',
}; // prettier-ignore

const CODE_TAGS = new Set(['code', 'kbd', 'samp', 'tt']);

const MEDIA_TAGS = new Set(['audio', 'video', 'iframe', 'source', 'embed']);

const DROPPED_TAGS = new Set(['script', 'style', 'template']);

const FIELD_TAGS = new Set(['input', 'textarea']);

/** Whether a tag that is never closed is text: code and scripts, and types as in `List<T>`, `Map<Time>`, `<S>`. */
export function isWords(raw: string, tag: Tag, before: string): boolean {
  const isType = /^<[A-Z]/.test(raw)
    ? /\w$/.test(before) || tag.name.length === 1
    : /\w$/.test(before) && isPaired(tag);
  return isVerbatim(tag) || isType;
}

/** Elements whose content is taken as source and not as markdown. */
export function isVerbatim({ name }: Tag): boolean {
  return CODE_TAGS.has(name) || DROPPED_TAGS.has(name);
}

export function isPaired(tag: Tag): boolean {
  return isVerbatim(tag) || tag.name in EMPHASIS_TAGS || tag.name === 'a' || tag.name === 'button';
}

/** The pieces that an element shows at its opening tag. */
export function openingPieces(tag: Tag, words: MarkdownWords): Piece[] {
  if (tag.name === 'li') return [asText('• ')];
  if (tag.name === 'td' || tag.name === 'th' || tag.name === 'option') return [asText(' ')];
  if (FIELD_TAGS.has(tag.name)) return [asText(fieldText(tag))];
  const source = tag.attributes.get('src') ?? '';
  if (tag.name === 'img') return [imagePiece(source, tag.attributes.get('alt') ?? '', words)];
  if (!MEDIA_TAGS.has(tag.name)) return [];
  if (difyPath(source) !== null) return [asText(`【${words.media}】`)];
  const address = safeHref(source);
  return address === undefined ? [] : [asMarkup(`[${words.media}](${address})`)];
}

/** The pieces that an element shows when it is complete. */
export function elementPieces({ tag, pieces, raw }: OpenElement): Piece[] {
  if (DROPPED_TAGS.has(tag.name)) return [];
  if (CODE_TAGS.has(tag.name)) return [asMarkup(codeSpan(decodeEntities(raw.replace(/<[^<>]*>/g, ''))))];
  if (tag.name === 'button') return [asText('【'), ...pieces, asText('】')];
  if (tag.name === 'a') {
    const href = tag.attributes.get('href') ?? '';
    const address = difyPath(href) === null ? safeHref(href) : undefined;
    if (address === undefined || !isLabel(pieces) || pieces.length === 0) return pieces;
    const label = joinPieces(pieces, ' ').replace(/(?<!\\)[[\]]/g, '\\$&');
    return [asMarkup(`[${label}](${address})`)];
  }
  return [{ kind: 'emphasis', mark: EMPHASIS_TAGS[tag.name] ?? '**', content: pieces }];
}

/** Whether pieces may be the text of a link: there is no other link or image among them. */
function isLabel(pieces: readonly Piece[]): boolean {
  return pieces.every((piece) => piece.kind === 'text' || (piece.kind === 'emphasis' && isLabel(piece.content)));
}

import type { Tokens } from 'marked';
import type { MarkdownWords } from './dialect.ts';
import { difyPath } from './dify-links.ts';
import { fieldText, isComment, LINE_TAGS, readTag, type Tag } from './html.ts';
import { protectMarks } from './literal-marks.ts';
import { joinPieces, type Piece } from './pieces.ts';
import {
  decodeEntities,
  decodeEntitiesInMarkdown,
  sanitizeCode,
  sanitizeText,
  safeHref,
  safeImage,
} from './sanitize.ts';
import { isInline, type RawToken } from './tokens.ts';

/** How inline content is written at one place. */
interface InlineStyle {
  /** Written for a line break: the dialect's break in paragraphs, a space in headings and tables. */
  lineBreak: string;
  words: MarkdownWords;
}

/** An HTML element whose closing tag has not come yet. */
interface OpenElement {
  tag: Tag;
  pieces: Piece[];
  /** Its source, for elements that show it or drop it. */
  raw: string;
}

/** The most elements open at once. Each open element costs a pass over its content. */
const MAX_OPEN = 16;

const EMPHASIS = { strong: '**', em: '*', del: '~~' };

/** HTML elements that are written as emphasis. */
const EMPHASIS_TAGS: Record<string, string> = {
  b: '**', strong: '**', summary: '**', caption: '**', legend: '**', dt: '**', i: '*', em: '*', s: '~~', del: '~~',
  strike: '~~', h1: '**', h2: '**', h3: '**', h4: '**', h5: '**', h6: '**',
}; // prettier-ignore

const CODE_TAGS = new Set(['code', 'kbd', 'samp', 'tt']);

const MEDIA_TAGS = new Set(['audio', 'video', 'iframe', 'source', 'embed']);

const DROPPED_TAGS = new Set(['script', 'style', 'template']);

const FIELD_TAGS = new Set(['input', 'textarea']);

/** A file name that is a UUID. */
const UNNAMED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w{1,10})?$/i;

/** Writes inline tokens in the dialect: balanced, and with nothing active but safe links. */
export function renderInline(tokens: readonly RawToken[], style: InlineStyle): string {
  return joinPieces(protectMarks(merged(collectPieces(tokens, style))), style.lineBreak);
}

/** Text that came in several tokens is one piece: what its marks could do depends on the characters beside them. */
function merged(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text')
      result[result.length - 1] = { ...last, value: last.value + piece.value };
    else result.push(piece.kind === 'emphasis' ? { ...piece, content: merged(piece.content) } : piece);
  }
  return result;
}

/** Writes a code span with the shortest delimiters that do not occur in it. */
function codeSpan(code: string): string {
  const text = sanitizeCode(code.replace(/\s*\n\s*/g, ' '));
  if (text.trim() === '') return '';
  const runs = new Set(Array.from(text.matchAll(/`+/g), ([run]) => run));
  let fence = '`';
  while (runs.has(fence)) fence += '`';
  const padding = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return fence + padding + text + padding + fence;
}

function collectPieces(tokens: readonly RawToken[], style: InlineStyle): Piece[] {
  const pieces: Piece[] = [];
  const open: OpenElement[] = [];
  const append = (...more: Piece[]) => (open.at(-1)?.pieces ?? pieces).push(...more);
  const close = () => {
    const element = open.pop();
    if (element !== undefined) append(...elementPieces(element));
  };
  const lastClosing = closingTags(tokens);
  tokens.forEach((token, index) => {
    const tag = token.type === 'html' ? readTag(token.raw) : undefined;
    const innermost = open.at(-1);
    if (innermost !== undefined && isVerbatim(innermost.tag) && !(tag?.closing && tag.name === innermost.tag.name)) {
      innermost.raw += token.raw;
    } else if (tag === undefined) {
      append(...tokenPieces(token, style));
    } else if (tag.closing) {
      if (open.some((element) => element.tag.name === tag.name)) {
        while (open.at(-1)?.tag.name !== tag.name) close();
        close();
      }
      if (LINE_TAGS.has(tag.name)) append({ kind: 'break', soft: true });
    } else if (
      (lastClosing.get(spelling(token.raw)) ?? -1) < index &&
      isWords(token.raw, tag, tokens[index - 1]?.raw ?? '')
    ) {
      // An opening tag without its end is text about the element and not the element.
      append({ kind: 'text', value: literal(token.raw) });
    } else {
      if (LINE_TAGS.has(tag.name)) append({ kind: 'break', soft: tag.name !== 'br' });
      append(...voidPieces(tag, style));
      if (isPaired(tag) && open.length < MAX_OPEN) open.push({ tag, pieces: [], raw: '' });
    }
  });
  while (open.length > 0) close();
  return pieces;
}

/** Whether a tag that is never closed is text: code and scripts, and types as in `List<T>`, `Map<Time>`, `<S>`. */
function isWords(raw: string, tag: Tag, before: string): boolean {
  const isType = /^<[A-Z]/.test(raw)
    ? /\w$/.test(before) || tag.name.length === 1
    : /\w$/.test(before) && isPaired(tag);
  return isVerbatim(tag) || isType;
}

/** Elements whose content is taken as source and not as markdown. */
function isVerbatim({ name }: Tag): boolean {
  return CODE_TAGS.has(name) || DROPPED_TAGS.has(name);
}

function isPaired(tag: Tag): boolean {
  return isVerbatim(tag) || tag.name in EMPHASIS_TAGS || tag.name === 'a' || tag.name === 'button';
}

function closingTags(tokens: readonly RawToken[]): Map<string, number> {
  const last = new Map<string, number>();
  tokens.forEach(({ type, raw }, index) => {
    if (type === 'html' && raw.startsWith('</')) last.set(spelling(raw), index);
  });
  return last;
}

/** The name of a tag. One with a capital may be a type, so `</b>` does not end `<B>`. */
function spelling(raw: string): string {
  return /^<\/?([\w-]+)/.exec(raw)?.[1] ?? '';
}

/** The pieces that an element shows at its opening tag. */
function voidPieces(tag: Tag, style: InlineStyle): Piece[] {
  if (tag.name === 'li') return [{ kind: 'text', value: '• ' }];
  if (tag.name === 'td' || tag.name === 'th' || tag.name === 'option') return [{ kind: 'text', value: ' ' }];
  if (FIELD_TAGS.has(tag.name)) return [{ kind: 'text', value: fieldText(tag) }];
  const source = tag.attributes.get('src') ?? '';
  if (tag.name === 'img') return [imagePiece(source, tag.attributes.get('alt') ?? '', style)];
  if (!MEDIA_TAGS.has(tag.name)) return [];
  if (difyPath(source) !== null) return [{ kind: 'text', value: `【${style.words.media}】` }];
  const address = safeHref(source);
  return address === undefined ? [] : [{ kind: 'markup', value: `[${style.words.media}](${address})` }];
}

/** The pieces that an element shows when it is complete. */
function elementPieces({ tag, pieces, raw }: OpenElement): Piece[] {
  if (DROPPED_TAGS.has(tag.name)) return [];
  if (CODE_TAGS.has(tag.name))
    return [{ kind: 'markup', value: codeSpan(decodeEntities(raw.replace(/<[^<>]*>/g, ''))) }];
  if (tag.name === 'button') return [{ kind: 'text', value: '【' }, ...pieces, { kind: 'text', value: '】' }];
  if (tag.name === 'a') {
    const href = tag.attributes.get('href') ?? '';
    const address = difyPath(href) === null ? safeHref(href) : undefined;
    if (address === undefined || !isLabel(pieces) || pieces.length === 0) return pieces;
    const label = joinPieces(pieces, ' ').replace(/(?<!\\)[[\]]/g, '\\$&');
    return [{ kind: 'markup', value: `[${label}](${address})` }];
  }
  return [{ kind: 'emphasis', mark: EMPHASIS_TAGS[tag.name] ?? '**', content: pieces }];
}

/** Whether pieces may be the text of a link: there is no other link or image among them. */
function isLabel(pieces: readonly Piece[]): boolean {
  return pieces.every((piece) => piece.kind === 'text' || (piece.kind === 'emphasis' && isLabel(piece.content)));
}

function tokenPieces(token: RawToken, style: InlineStyle): Piece[] {
  if (!isInline(token)) return [{ kind: 'text', value: literal(token.raw) }];
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return [{ kind: 'emphasis', mark: EMPHASIS[token.type], content: emphasisPieces(token.tokens, style) }];
    case 'codespan':
      return [{ kind: 'markup', value: codeSpan(token.text) }];
    case 'maths':
      return [{ kind: 'markup', value: codeSpan(token.text) }];
    case 'link':
      return linkPieces(token, style);
    case 'image':
      return [imagePiece(token.href, token.text, style)];
    case 'br':
      return [{ kind: 'break', soft: false }];
    case 'checkbox':
      return [{ kind: 'text', value: token.checked ? '☑ ' : '☐ ' }];
    case 'escape':
      // A backslash stays before a character that would be markup without it. Elsewhere a client might show it.
      return [{ kind: 'text', value: /[*_`~[\]\\#|>+.-]/.test(token.raw.slice(1)) ? token.raw : token.raw.slice(1) }];
    case 'html':
      return isComment(token.raw) || token.text === '' ? [] : [{ kind: 'text', value: literal(token.raw) }];
    case 'text':
    default:
      return linesOf(decodeEntitiesInMarkdown(literal(token.raw)));
  }
}

/** Escapes backticks: one that opens no code span here could open one together with the next span's delimiters. */
function literal(source: string): string {
  return source.replace(/`/g, '\\`');
}

function linesOf(text: string): Piece[] {
  return text
    .split('\n')
    .flatMap<Piece>((line, index) => [
      ...(index === 0 ? [] : [{ kind: 'break', soft: true } as const]),
      { kind: 'text', value: line },
    ]);
}

function linkPieces(token: Tokens.Link, style: InlineStyle): Piece[] {
  const isHidden = difyPath(token.href) !== null;
  const address = isHidden ? undefined : safeHref(token.href);
  const isBare = token.raw === token.text || (token.autolink ?? false);
  if (isHidden && isBare) return [{ kind: 'text', value: `【${style.words.media}】` }];
  if (token.raw === token.text) return addressPieces(token.raw);
  if (address === undefined)
    return token.autolink ? [{ kind: 'text', value: token.text }] : collectPieces(token.tokens, style);
  const label = renderInline(token.tokens, { ...style, lineBreak: ' ' }).trim();
  return [{ kind: 'markup', value: label === '' ? address : `[${label}](${address})` }];
}

/** A client would take the mark behind a bare address for a part of it, so the last one becomes a link. */
function emphasisPieces(tokens: readonly RawToken[], style: InlineStyle): Piece[] {
  const last = tokens.at(-1);
  const href = last?.type === 'link' && 'href' in last && last.href === last.raw ? safeHref(last.raw) : undefined;
  if (last === undefined || href === undefined || difyPath(last.raw) !== null) return collectPieces(tokens, style);
  return [...collectPieces(tokens.slice(0, -1), style), addressLink(last.raw, href)];
}

function addressLink(address: string, href: string): Piece {
  return { kind: 'markup', value: `[${sanitizeText(literal(address).replace(/[*_~[\]]/g, '\\$&'))}](${href})` };
}

/** A bare address. One with marks in it becomes a link: its text can escape them, an address cannot. */
function addressPieces(raw: string): Piece[] {
  const address = raw.replace(/[?!.,:;*~]+$/, '');
  const href = safeHref(address);
  if (href === undefined || !/[*]|~~|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u.test(address))
    return [{ kind: 'text', value: literal(raw) }];
  return [addressLink(address, href), { kind: 'text', value: raw.slice(address.length) }];
}

function imagePiece(source: string, description: string, style: InlineStyle): Piece {
  const text = decodeEntities(description)
    .replace(/[[\]\\\n<>`*]+/g, ' ')
    .trim();
  const isDify = difyPath(source) !== null;
  const address = isDify ? undefined : safeImage(source);
  // Tools name the files that they make by a UUID, which tells a reader nothing.
  if (isDify && UNNAMED.test(text)) return { kind: 'text', value: `【${style.words.image}】` };
  if (address === undefined) return { kind: 'text', value: `【${text === '' ? style.words.image : text}】` };
  return { kind: 'markup', value: `![${sanitizeText(text)}](${address})` };
}

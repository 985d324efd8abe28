import type { Tokens } from 'marked';
import { addressLink, addressPieces, imagePiece } from './address-pieces.ts';
import { codeSpan, escapeBackticks } from './code-span.ts';
import type { MarkdownWords } from './dialect.ts';
import { difyPath } from './dify-links.ts';
import { elementPieces, isPaired, isVerbatim, isWords, openingPieces, type OpenElement } from './elements.ts';
import { isComment, LINE_TAGS, readTag } from './html.ts';
import { protectMarks } from './literal-marks.ts';
import { asMarkup, asText, joinPieces, type Piece } from './pieces.ts';
import { decodeEntitiesInMarkdown, safeHref } from './sanitize.ts';
import { isInline, type RawToken } from './tokens.ts';

/** How inline content is written at one place. */
interface InlineStyle {
  /** Written for a line break: the dialect's break in paragraphs, a space in headings and tables. */
  lineBreak: string;
  words: MarkdownWords;
}

/** The most elements open at once. Each open element costs a pass over its content. */
const MAX_OPEN = 16;

const EMPHASIS = { strong: '**', em: '*', del: '~~' };

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
      append(asText(escapeBackticks(token.raw)));
    } else {
      if (LINE_TAGS.has(tag.name)) append({ kind: 'break', soft: tag.name !== 'br' });
      append(...openingPieces(tag, style.words));
      if (isPaired(tag) && open.length < MAX_OPEN) open.push({ tag, pieces: [], raw: '' });
    }
  });
  while (open.length > 0) close();
  return pieces;
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
  return raw.replace(/^<\/?([\w-]*)[^]*/, '$1');
}

function tokenPieces(token: RawToken, style: InlineStyle): Piece[] {
  if (!isInline(token)) return [asText(escapeBackticks(token.raw))];
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return [{ kind: 'emphasis', mark: EMPHASIS[token.type], content: emphasisPieces(token.tokens, style) }];
    case 'codespan':
    case 'maths':
      return [asMarkup(codeSpan(token.text))];
    case 'link':
      return linkPieces(token, style);
    case 'image':
      return [imagePiece(token.href, token.text, style.words)];
    case 'br':
      return [{ kind: 'break', soft: false }];
    case 'checkbox':
      return [asText(token.checked ? '☑ ' : '☐ ')];
    case 'escape':
      // A backslash stays before a character that would be markup without it. Elsewhere a client might show it.
      return [asText(/[*_`~[\]\\#|>+.-]/.test(token.raw.slice(1)) ? token.raw : token.raw.slice(1))];
    case 'html':
      return isComment(token.raw) || token.text === '' ? [] : [asText(escapeBackticks(token.raw))];
    case 'text':
    default:
      return linesOf(decodeEntitiesInMarkdown(escapeBackticks(token.raw)));
  }
}

function linesOf(text: string): Piece[] {
  return text
    .split('\n')
    .flatMap<Piece>((line, index) => [...(index === 0 ? [] : [{ kind: 'break', soft: true } as const]), asText(line)]);
}

function linkPieces(token: Tokens.Link, style: InlineStyle): Piece[] {
  const isHidden = difyPath(token.href) !== null;
  const address = isHidden ? undefined : safeHref(token.href);
  const isBare = token.raw === token.text || (token.autolink ?? false);
  if (isHidden && isBare) return [asText(`【${style.words.media}】`)];
  if (token.raw === token.text) return addressPieces(token.raw);
  if (address === undefined) return token.autolink ? [asText(token.text)] : collectPieces(token.tokens, style);
  const label = renderInline(token.tokens, { ...style, lineBreak: ' ' }).trim();
  return [asMarkup(label === '' ? address : `[${label}](${address})`)];
}

/** A client would take the mark behind a bare address for a part of it, so the last one becomes a link. */
function emphasisPieces(tokens: readonly RawToken[], style: InlineStyle): Piece[] {
  const last = tokens.at(-1);
  const href = last?.type === 'link' && 'href' in last && last.href === last.raw ? safeHref(last.raw) : undefined;
  if (last === undefined || href === undefined || difyPath(last.raw) !== null) return collectPieces(tokens, style);
  return [...collectPieces(tokens.slice(0, -1), style), addressLink(last.raw, href)];
}

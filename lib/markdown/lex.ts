import { Lexer, Marked, type Token, type TokenizerObject } from 'marked';
import { characterStart } from '../characters.ts';
import { def, labelKey, showDefinitions } from './definitions.ts';
import { resolveMarks } from './emphasis.ts';
import { blockMaths, dropped, inlineMaths, marks, preformatted, tightHeading } from './extensions.ts';
import { KNOWN_TAGS } from './html.ts';
import { jsonBlocks } from './json-block.ts';
import { tables } from './table.ts';
import { isBlock, type RawToken } from './tokens.ts';

/** `marked` searches the text behind each start of a link, so many of them in a long text take very long. */
const PIECE_CHARS = 1_000;

const MARKUP_PER_PIECE = 300;

/** The longest address that is kept in one piece. */
const MAX_ADDRESS_CHARS = 5_000;

/** The longest construct that is closed at the end of a growing text. */
const MAX_OPEN_CHARS = 1_000;

/** Parses a text. With `growing`, constructs that its end leaves open are closed there. */
export function lexMarkdown(source: string, options: { growing: boolean }): Token[] {
  const lexer = new Lexer((options.growing ? growing : finished).defaults);
  lexer.blockTokens(source, lexer.tokens);
  const last = options.growing ? lastText(lexer.tokens) : undefined;
  const inline = new Lexer(finished.defaults);
  const inlineAtEnd = new Lexer(growing.defaults);
  const used = new Set<string>();
  inline.tokens.links = inlineAtEnd.tokens.links = noting(lexer.tokens.links, used);
  for (const { src, tokens } of lexer.inlineQueue) {
    const pieces = inlinePieces(src);
    const read: Token[] = [];
    pieces.forEach((piece, index) => {
      const isLast = tokens === last && index === pieces.length - 1;
      // After an `<a>` that is never closed, `marked` would find no links in the next paragraphs.
      inline.state.inLink = false;
      (isLast ? inlineAtEnd : inline).inlineTokens(piece, read);
    });
    for (const token of withEmphasis(read, tokens === last)) tokens.push(token);
  }
  showDefinitions(lexer.tokens, used, (text) => withEmphasis(new Lexer(finished.defaults).inlineTokens(text), false));
  return lexer.tokens;
}

function withEmphasis(tokens: Token[], growing: boolean): Token[] {
  for (const token of tokens) {
    if ('tokens' in token && token.tokens)
      token.tokens = withEmphasis(token.tokens, growing && token === tokens.at(-1));
  }
  return resolveMarks(tokens, growing);
}

/** The definitions of a text. Each label that is looked up among them is noted. */
function noting(links: Lexer['tokens']['links'], used: Set<string>): Lexer['tokens']['links'] {
  return new Proxy(links, {
    get(target, label: string) {
      if (Object.hasOwn(target, label)) used.add(labelKey(label));
      return Object.hasOwn(target, label) ? target[label] : undefined;
    },
  });
}

/** The tokens of the paragraph that the next characters will be added to. Undefined if that is code. */
function lastText(tokens: readonly RawToken[]): Token[] | undefined {
  const token = tokens.findLast(({ type }) => type !== 'space');
  if (token === undefined || !isBlock(token)) return undefined;
  if (token.type === 'list') return lastText(token.items.at(-1)?.tokens ?? []);
  if (token.type === 'blockquote') return lastText(token.tokens);
  if (token.type === 'table') return (token.rows.at(-1) ?? token.header).findLast(({ text }) => text !== '')?.tokens;
  return 'tokens' in token ? token.tokens : undefined;
}

function inlinePieces(source: string): string[] {
  if (source.length <= PIECE_CHARS || (source.match(/[*_~`[<!\\$&:@]/g)?.length ?? 0) <= MARKUP_PER_PIECE)
    return [source];
  const pieces = [];
  for (let start = 0; start < source.length;) {
    const end = start + PIECE_CHARS >= source.length ? source.length : pieceEnd(source, start);
    pieces.push(source.slice(start, end));
    start = end;
  }
  return pieces;
}

/** What ends an address in any case. */
const ADDRESS_END = /[\s\u3000-\u9FFF\uFF00-\uFFEF]/;

/** A piece ends with a line, else before or behind a link, whose address may be long, else anywhere. */
function pieceEnd(source: string, start: number): number {
  const limit = start + PIECE_CHARS;
  const newline = source.lastIndexOf('\n', limit);
  if (newline > start) return newline + 1;
  const address = source.lastIndexOf('](', limit);
  if (address > start && !ADDRESS_END.test(source.slice(address, limit))) {
    const label = source.lastIndexOf('[', address);
    if (label > start + PIECE_CHARS / 2) return source.charAt(label - 1) === '[' ? label - 1 : label;
    const length = source.slice(address, address + MAX_ADDRESS_CHARS).search(ADDRESS_END);
    if (length > 0) return address + length;
  }
  return characterStart(source, limit);
}

/** The characters of a bare address. A single `*` and those of `/**\/` belong to it where the address goes on behind. */
const BARE_ADDRESS =
  /^(?:https?:\/\/|www\.)(?:[^\s<>"`*~\u3000-\u303F\uFF00-\uFFEF]|~(?!~)|(?<=\/)\*\*(?=\/)|(?<!\*)\*(?=[\w/.?&=%-]))+/i;

const tokenizer: TokenizerObject = {
  // As a block, HTML would take the markdown inside it as source. So each tag is read as an inline token.
  html: () => undefined,
  // `tables` reads them, and what it does not take is none.
  table: () => undefined,
  // In GFM a bare address reaches to the next space, and so would take in the emphasis after a Chinese comma.
  url(source) {
    const raw = BARE_ADDRESS.exec(source)?.[0].replace(/__$/, '');
    return raw !== undefined && { type: 'link', raw, text: raw, href: raw, tokens: [], autolink: true };
  },
  def,
};

/** Each of these recognises only a construct that the end of the text leaves open. */
const growingTokenizer: TokenizerObject = {
  codespan(source) {
    const text = /^`+([^`\n]+)$/.exec(source.slice(0, MAX_OPEN_CHARS + 1))?.[1];
    return text === undefined || source.length > MAX_OPEN_CHARS ? false : { type: 'codespan', raw: source, text };
  },
  link(source) {
    // The text of a link that is complete ends before the text does.
    if (this.lexer.state.inLink || source.length > MAX_OPEN_CHARS) return false;
    const found = /^(!?)\[((?:[^[\]\n\\]|\\.|\[[^[\]\n]*(?:\]|$))*)(?:\](?:\([^)\n]*)?)?$/.exec(source);
    if (found === null) return false;
    const text = found[1] === '!' ? '' : (found[2] ?? '');
    // `[[1]](address)` is a citation: its inner brackets are text and begin no link.
    const inner = text.includes('[') ? new Lexer(finished.defaults) : this.lexer;
    return { type: 'link', raw: source, href: '', text, tokens: inner.inlineTokens(text) };
  },
  tag(source) {
    if (source.length > MAX_OPEN_CHARS) return false;
    const found = /^<(?:!|\/?([a-z][a-z0-9-]*)?(\s[^<>]*|\/)?$)/i.exec(source);
    if (found === null || (source.startsWith('<!') && source.includes('>'))) return false;
    // `a <x and c` is prose, because HTML has no tag of that name.
    if (found[2] !== undefined && !KNOWN_TAGS.has(found[1]?.toLowerCase() ?? '')) return false;
    return { type: 'html', raw: source, text: '', block: false, inLink: false, inRawBlock: false };
  },
};

const extensions = (isGrowing: boolean) => [
  inlineMaths(isGrowing),
  marks,
  blockMaths(isGrowing),
  dropped(isGrowing),
  preformatted,
  tightHeading,
  tables(isGrowing),
  jsonBlocks(isGrowing),
];

const finished = new Marked({ tokenizer, extensions: extensions(false) });

const growing = new Marked({ tokenizer, extensions: extensions(true) }).use({ tokenizer: growingTokenizer });

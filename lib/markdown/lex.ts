import { Lexer, Marked, type Token, type TokenizerExtension, type TokenizerObject } from 'marked';
import { KNOWN_TAGS } from './html.ts';
import { isBlock, type Maths, type RawToken } from './tokens.ts';

/** `marked` searches the text behind each mark of emphasis or a link, so many marks in a long text take very long. */
const PIECE_CHARS = 1_000;

const MARKUP_PER_PIECE = 300;

/** The longest construct that is closed at the end of a growing text. */
const MAX_OPEN_CHARS = 1_000;

/** The longest formula, script or preformatted block that is recognised. Each start of one costs a search this far. */
const MAX_SPAN_CHARS = 5_000;

/** Bold as models write it. CommonMark's flanking rule refuses it next to CJK punctuation (`**重点：**内容`). */
const PLAIN_STRONG = /^\*\*(?![\s*])((?:`[^`\n]*`|\\[^\n]|[^*`\n\\])+?)(?<!\s)\*\*(?!\*)/;

/** Parses a text. With `growing`, constructs that its end leaves open are closed there. */
export function lexMarkdown(source: string, options: { growing: boolean }): Token[] {
  const lexer = new Lexer((options.growing ? growing : finished).defaults);
  lexer.blockTokens(source, lexer.tokens);
  const last = options.growing ? lastText(lexer.tokens) : undefined;
  const inline = new Lexer(finished.defaults);
  const inlineAtEnd = new Lexer(growing.defaults);
  inline.tokens.links = inlineAtEnd.tokens.links = lexer.tokens.links;
  for (const { src, tokens } of lexer.inlineQueue) {
    const pieces = inlinePieces(src);
    pieces.forEach((piece, index) => {
      const isLast = tokens === last && index === pieces.length - 1;
      // After an `<a>` that is never closed, `marked` would find no links in the next paragraphs.
      inline.state.inLink = false;
      (isLast ? inlineAtEnd : inline).inlineTokens(piece, tokens);
    });
  }
  return lexer.tokens;
}

/** The tokens of the paragraph that the next characters will be added to. Undefined if that is code. */
function lastText(tokens: readonly RawToken[]): Token[] | undefined {
  const token = tokens.findLast(({ type }) => type !== 'space');
  if (token === undefined || !isBlock(token)) return undefined;
  if (token.type === 'list') return lastText(token.items.at(-1)?.tokens ?? []);
  if (token.type === 'blockquote') return lastText(token.tokens);
  if (token.type === 'table') return token.rows.at(-1)?.findLast(({ text }) => text !== '')?.tokens;
  return 'tokens' in token ? token.tokens : undefined;
}

function inlinePieces(source: string): string[] {
  if (source.length <= PIECE_CHARS || (source.match(/[*_~`[<!\\$&:@]/g)?.length ?? 0) <= MARKUP_PER_PIECE)
    return [source];
  const pieces = [];
  for (let start = 0; start < source.length;) {
    const newline = source.lastIndexOf('\n', start + PIECE_CHARS);
    let end = newline > start && start + PIECE_CHARS < source.length ? newline + 1 : start + PIECE_CHARS;
    if (/[\uD800-\uDBFF]/.test(source.charAt(end - 1))) end++;
    pieces.push(source.slice(start, end));
    start = end;
  }
  return pieces;
}

function inlineMaths(isGrowing: boolean): TokenizerExtension {
  return {
    name: 'maths',
    level: 'inline',
    start: (source) => source.indexOf('$'),
    tokenizer(source) {
      const found =
        /^\$\$([^$\n]{1,500})\$\$/.exec(source) ??
        /^\\\(([^\n]{1,500}?)\\\)/.exec(source) ??
        /^\\\[([^\n]{1,500}?)\\\]/.exec(source) ??
        (isGrowing ? /^(?:\$\$|\\\(|\\\[)([^$\n]{1,500})$/.exec(source) : null);
      if (found?.[1] !== undefined) return mathsToken(found[0], found[1]);
      const dollars = /^\$(?![\s$])([^$\n]{1,300}?)(?<![\s\\])\$(?![\w$])/.exec(source);
      if (dollars?.[1] === undefined || !looksLikeMaths(dollars[1])) return undefined;
      return mathsToken(dollars[0], dollars[1]);
    },
  };
}

/** Distinguishes `$x^2$` from prices: a formula has an operator of LaTeX or an equals sign, or is a single letter. */
function looksLikeMaths(text: string): boolean {
  return /[\\^_={}]/.test(text) || /^[a-z]$/i.test(text);
}

function blockMaths(isGrowing: boolean): TokenizerExtension {
  const end = isGrowing ? '|$' : '';
  const span = `((?:(?!\\n[ \\t]*\\n)[^]){1,${MAX_SPAN_CHARS}}?)`;
  const pattern = new RegExp(
    `^ {0,3}(?:\\$\\$${span}(?:\\$\\$[ \\t]*(?=\\n|$)${end})|\\\\\\[${span}(?:\\\\\\][ \\t]*(?=\\n|$)${end}))\\n*`,
  );
  return {
    name: 'blockMaths',
    level: 'block',
    // Only this paragraph is searched. Otherwise each paragraph would cost a search of the whole rest.
    start(source) {
      const paragraph = source.slice(0, source.indexOf('\n\n') + 1 || undefined);
      return Math.min(...['\n$$', '\n\\['].map((opening) => paragraph.indexOf(opening)).filter((index) => index >= 0));
    },
    tokenizer(source) {
      const found = pattern.exec(source);
      const text = found?.[1] ?? found?.[2];
      return found === null || text === undefined ? undefined : mathsToken(found[0], text);
    },
  };
}

function mathsToken(raw: string, text: string): Maths {
  return { type: 'maths', raw, text: text.trim() };
}

/** Recognises blocks whose content is not shown: scripts, styles, comments. */
function dropped(isGrowing: boolean): TokenizerExtension {
  const end = isGrowing ? '|$' : '';
  const pattern = new RegExp(
    `^ {0,3}(?:<(script|style)\\b[^>]*>[^]{0,${MAX_SPAN_CHARS}}?(?:</\\1\\s*>${end})|<!--[^]{0,${MAX_SPAN_CHARS}}?(?:-->${end}))`,
    'i',
  );
  return {
    name: 'dropped',
    level: 'block',
    tokenizer(source) {
      const raw = pattern.exec(source)?.[0];
      return raw === undefined ? undefined : { type: 'dropped', raw };
    },
  };
}

const preformatted: TokenizerExtension = {
  name: 'preformatted',
  level: 'block',
  tokenizer(source) {
    const found = new RegExp(`^ {0,3}<pre\\b[^>]*>([^]{0,${MAX_SPAN_CHARS}}?)</pre\\s*>`, 'i').exec(source);
    return found === null ? undefined : { type: 'preformatted', raw: found[0], text: found[1] ?? '' };
  },
};

const tokenizer: TokenizerObject = {
  // As a block, HTML would take the markdown inside it as source. So each tag is read as an inline token.
  html: () => undefined,
  // In GFM a bare address reaches to the next space, and so would take in the emphasis after a Chinese comma.
  url(source) {
    const raw = /^(?:https?:\/\/|www\.)[^\s<>"`*\u3000-\u303F\uFF00-\uFFEF]+/i.exec(source)?.[0];
    return raw !== undefined && { type: 'link', raw, text: raw, href: raw, tokens: [], autolink: true };
  },
  emStrong(source) {
    const found = PLAIN_STRONG.exec(source);
    if (found?.[1] === undefined) return false;
    return { type: 'strong', raw: found[0], text: found[1], tokens: this.lexer.inlineTokens(found[1]) };
  },
};

/** Emphasis whose end has not arrived. It is an extension because `marked` looks for emphasis only where it can end. */
const openEmphasis: TokenizerExtension = {
  name: 'openEmphasis',
  level: 'inline',
  tokenizer(source, before) {
    if (source.length > MAX_OPEN_CHARS) return undefined;
    const [, marker = '', rest = ''] = /^(\*\*|__|~~|\*|_)(?!\s)([^]+)$/.exec(source) ?? [];
    const text = rest.replace(/[*_~]+$/, '');
    // A single mark in a word or a calculation (2*3) is more likely a plain character.
    const isInWord = marker.length === 1 && /[\p{L}\p{N}]$/u.test(before.at(-1)?.raw ?? '');
    // Marks in code neither open nor close emphasis.
    if (text === '' || text.replace(/`[^`\n]*`/g, '').includes(marker) || isInWord) return undefined;
    const type = marker === '~~' ? 'del' : marker.length === 1 ? 'em' : 'strong';
    return { type, raw: source, text, tokens: this.lexer.inlineTokens(text) };
  },
};

/** Each of these recognises only a construct that the end of the text leaves open. */
const growingTokenizer: TokenizerObject = {
  codespan(source) {
    const text = /^`+([^`\n]+)$/.exec(source.slice(0, MAX_OPEN_CHARS + 1))?.[1];
    return text === undefined || source.length > MAX_OPEN_CHARS ? false : { type: 'codespan', raw: source, text };
  },
  link(source) {
    if (source.length > MAX_OPEN_CHARS) return false;
    const found = /^(!?)\[([^[\]\n]*)(?:\](?:\([^)\n]*)?)?$/.exec(source);
    if (found === null) return false;
    const text = found[1] === '!' ? '' : (found[2] ?? '');
    return { type: 'link', raw: source, href: '', text, tokens: this.lexer.inlineTokens(text) };
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

const finished = new Marked({
  tokenizer,
  extensions: [inlineMaths(false), blockMaths(false), dropped(false), preformatted],
});

const growing = new Marked({
  tokenizer,
  extensions: [inlineMaths(true), openEmphasis, blockMaths(true), dropped(true), preformatted],
}).use({ tokenizer: growingTokenizer });

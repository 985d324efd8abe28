import type { TokenizerExtension } from 'marked';
import type { Maths } from './tokens.ts';

/** The longest formula, script or preformatted block that is recognised. Each start of one costs a search this far. */
const MAX_SPAN_CHARS = 5_000;

export function inlineMaths(isGrowing: boolean): TokenizerExtension {
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

export function blockMaths(isGrowing: boolean): TokenizerExtension {
  const end = isGrowing ? '|$' : '';
  const span = `((?:(?!\\n[ \\t]*\\n)[^]){1,${MAX_SPAN_CHARS}}?)`;
  const pattern = new RegExp(
    `^ {0,3}(?:\\$\\$${span}(?:\\$\\$[ \\t]*(?=\\n|$)${end})|\\\\\\[${span}(?:\\\\\\][ \\t]*(?=\\n|$)${end}))\\n*`,
  );
  return {
    name: 'blockMaths',
    level: 'block',
    // Only this paragraph is searched. Otherwise each paragraph would cost a search of the whole rest.
    start: (source) => firstIn(source, /\n(?:\$\$|\\\[)/),
    tokenizer(source) {
      const found = pattern.exec(source);
      const text = found?.[1] ?? found?.[2];
      return found === null || text === undefined ? undefined : mathsToken(found[0], text);
    },
  };
}

/** The first place of a pattern in the paragraph that a text begins with; -1 for none. */
export function firstIn(source: string, pattern: RegExp): number {
  return source.slice(0, source.indexOf('\n\n') + 1 || undefined).search(pattern);
}

function mathsToken(raw: string, text: string): Maths {
  return { type: 'maths', raw, text: text.trim() };
}

/** Recognises blocks whose content is not shown: scripts, styles, comments. */
export function dropped(isGrowing: boolean): TokenizerExtension {
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

export const preformatted: TokenizerExtension = {
  name: 'preformatted',
  level: 'block',
  tokenizer(source) {
    const found = new RegExp(`^ {0,3}<pre\\b[^>]*>([^]{0,${MAX_SPAN_CHARS}}?)</pre\\s*>`, 'i').exec(source);
    return found === null ? undefined : { type: 'preformatted', raw: found[0], text: found[1] ?? '' };
  },
};

/** `##1.1 目标`. With one mark only before Chinese, and not where the line may be a list of topics (`#周报 #销售`). */
const TIGHT_HEADING = /^ {0,3}(?:(#{2,6})(?=[^#\s])|(#)(?=\p{sc=Han}[^#\n]{0,40}(?:\n|$)))([^\n]*)(?:\n|$)/u;

/** A heading without the blank after its marks. */
export const tightHeading: TokenizerExtension = {
  name: 'heading',
  level: 'block',
  start: (source) => firstIn(source, /\n {0,3}#{2,6}[^#\s]/),
  tokenizer(source) {
    const [raw, marks, mark, rest = ''] = TIGHT_HEADING.exec(source) ?? [];
    const text = rest.replace(/[ \t]+#*[ \t]*$/, '').trim();
    if (raw === undefined || text === '') return undefined;
    return { type: 'heading', raw, depth: (marks ?? mark ?? '').length, text, tokens: this.lexer.inline(text) };
  },
};

/** Runs of the marks of emphasis. `resolveMarks` makes emphasis of them when the whole paragraph is read. */
export const marks: TokenizerExtension = {
  name: 'marks',
  level: 'inline',
  tokenizer(source) {
    const raw = /^(?:\*+|_+|~+)/.exec(source)?.[0];
    return raw === undefined ? undefined : { type: 'marks', raw };
  },
};

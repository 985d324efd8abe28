import { CJK, isDigit, isLineEdge, isName, isWord, kindOf, type CharacterKind, type MarkRun } from './mark-runs.ts';

/** What a run may be. A cost of 0 fits well, `Infinity` cannot be. */
export interface MarkCosts {
  /** What it costs to leave one run as a character. */
  literal: number;
  open(run: MarkRun): number;
  close(run: MarkRun): number;
  /** What speaks against the text between two marks as one emphasis. */
  content(opening: MarkRun, closing: MarkRun | undefined, text: string): number;
}

/** A blank between a mark and the text that it belongs to. Models write such blanks; the mark itself is never meant. */
const LOOSE = 2;

/**
 * A blank inside and a letter outside: the mark belongs to the other side, if to any (`参数 **kwargs`). Next to Chinese,
 * which has no blanks between words, it may be a blank too many.
 */
const wrongSide = (outer: CharacterKind) => (outer === 'latin' ? 12 : 8);

/** Blanks at both ends belong together, and each costs this instead. */
const BOTH_LOOSE = 0.5;

/** The least that a content can cost. */
export const LEAST_CONTENT_COST = 2 * (BOTH_LOOSE - wrongSide('latin'));

/** Unmatched brackets: the two marks belong to different things, as in `f(*a, **b) 时，**先`. */
const UNBALANCED = 9;

const looseCost = (outer: CharacterKind) => (isWord(outer) ? wrongSide(outer) : LOOSE);

/** What changes where both marks have a blank inside. */
function blankCost({ before, after }: MarkRun, closing: MarkRun | undefined): number {
  if (closing === undefined || kindOf(after) !== 'edge' || kindOf(closing.before) !== 'edge') return 0;
  return 2 * BOTH_LOOSE - looseCost(kindOf(before)) - looseCost(kindOf(closing.after));
}

/** For `**`, `__`, `~~` and the marks of three. */
function costsOfPairs(literal: number): MarkCosts {
  return {
    literal,
    open({ before, after }) {
      const [outer, inner] = [kindOf(before), kindOf(after)];
      if (isLineEdge(after) || inner === 'close') return Infinity;
      if (inner === 'edge') return looseCost(outer);
      if (inner === 'stop') return /[.!]/.test(after) ? 1 : 6;
      if (isDigit(before) && isDigit(after)) return Infinity;
      if (outer === 'latin') return inner === 'latin' ? 6 : 1;
      return outer === 'cjk' ? 0.5 : 0;
    },
    close({ before, after }) {
      const [inner, outer] = [kindOf(before), kindOf(after)];
      if (isLineEdge(before) || inner === 'open') return Infinity;
      if (inner === 'edge') return looseCost(outer);
      if (isDigit(before) && isDigit(after)) return Infinity;
      if (inner === 'latin' && outer === 'latin') return 2;
      return (/[，、,]/.test(before) ? 1.5 : 0) + (isWord(outer) ? 0.5 : 0);
    },
    content(opening, closing, text) {
      const isInWord = kindOf(opening.before) === 'latin' && kindOf(closing?.after ?? '') === 'latin';
      return (
        commonCosts(text) +
        (text.includes('\n') ? 2 : 0) +
        mismatch(opening, closing) +
        blankCost(opening, closing) +
        (isInWord && (/\s/.test(text) || CJK.test(text)) ? 4 : 0)
      );
    },
  };
}

/** For `*` alone. It is an operator as well: `80*15*0.9`, `面积=长*宽*高`. */
export const singleStar: MarkCosts = {
  literal: 2.5,
  open({ before, after }) {
    const [outer, inner] = [kindOf(before), kindOf(after)];
    if (isLineEdge(after) || inner === 'close' || isDigit(before)) return Infinity;
    if (inner === 'edge') return isWord(outer) || outer === 'edge' ? Infinity : 3;
    if (inner === 'stop') return 2;
    if (isWord(outer) && inner === 'latin') return outer === 'latin' ? Infinity : isDigit(after) ? 2 : 1;
    return isWord(outer) ? (isWord(inner) ? 1 : 0.5) : 0;
  },
  close({ before, after }) {
    const [inner, outer] = [kindOf(before), kindOf(after)];
    if (isLineEdge(before) || inner === 'open' || (isDigit(after) && isWord(inner))) return Infinity;
    if (inner === 'edge') return isLineEdge(after) || outer === 'close' || outer === 'stop' ? 3 : Infinity;
    if (inner === 'latin' && outer === 'latin') return 4;
    return isWord(outer) ? (isWord(inner) ? 1 : 0.5) : 0;
  },
  content(opening, closing, text) {
    const isInWord = isWord(kindOf(opening.before)) && (closing === undefined || isWord(kindOf(closing.after)));
    return (
      commonCosts(text) +
      mismatch(opening, closing) +
      (text.includes('\n') ? 3 : 0) +
      (isInWord && /[，。；：][^]/.test(text) ? 2 : 0) +
      (isInWord && Array.from(text).length === 1 ? 5 : 0) +
      (isInWord && closing === undefined ? 2 : 0)
    );
  },
};

/** For `_` alone: CommonMark's rule, and an end after Chinese punctuation. Between letters it is part of a name. */
export const singleUnderscore: MarkCosts = {
  literal: 2.5,
  open({ before, after }) {
    return ['edge', 'close'].includes(kindOf(after)) || isWord(kindOf(before)) ? Infinity : 0;
  },
  close({ before, after }) {
    const inner = kindOf(before);
    if (inner === 'edge' || inner === 'open') return Infinity;
    return !isWord(kindOf(after)) ? 0 : inner === 'close' ? 0.5 : Infinity;
  },
  content: (_opening, _closing, text) => commonCosts(text),
};

export const stars = costsOfPairs(5);

/** Two tildes may be a friendly tone (`好的~~ 谢谢~~`). */
export const tildes = costsOfPairs(4);

export const underscores: MarkCosts = {
  ...stars,
  // Of a text that grows, a name may be all that has come so far.
  content: (opening, closing, text) =>
    closing === undefined && isName(text) ? Infinity : stars.content(opening, closing, text),
};

/** `***` and `*` belong together only where a third mark takes the rest. */
function mismatch(opening: MarkRun, closing: MarkRun | undefined): number {
  return closing === undefined || closing.length === opening.length ? 0 : 3;
}

function commonCosts(text: string): number {
  if (text.trim() === '') return Infinity;
  return (isBalanced(text) ? 0 : UNBALANCED) + (text.length > 300 ? 1 : 0);
}

function isBalanced(text: string): boolean {
  let depth = 0;
  // The bracket of a number has no partner: `1）准备`.
  for (const [bracket] of text
    .replace(/^\s*(?:\d{1,2}|[A-Za-z]|[一二三四五六七八九十]{1,3})[)）]/, '')
    .matchAll(/[()（）[\]【】]/g)) {
    depth += /[(（[【]/.test(bracket) ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

import { singleStar, singleUnderscore, stars, tildes, underscores, type MarkCosts } from './mark-costs.ts';
import { isName, isWord, kindOf, type MarkRun } from './mark-runs.ts';

/** One kind of emphasis: which runs can be its marks, and what they cost as such. */
export interface MarkLayer {
  type: 'strong' | 'em' | 'del';
  /** How many characters of a run it takes. */
  width: number;
  takes(run: MarkRun): boolean;
  costs(run: MarkRun): MarkCosts;
}

/** In the order in which they are read. What crosses an emphasis of an earlier layer stays text. */
export const LAYERS: MarkLayer[] = [
  { type: 'strong', width: 2, takes: ({ mark, length }) => mark === '*' && length > 1, costs: () => stars },
  { type: 'strong', width: 2, takes: ({ mark, length }) => mark === '_' && length > 1, costs: () => underscores },
  { type: 'del', width: 2, takes: ({ mark }) => mark === '~', costs: () => tildes },
  {
    type: 'em',
    width: 1,
    takes: ({ mark, length }) => mark === '*' && length % 2 === 1,
    costs: ({ length }) => (length === 1 ? singleStar : stars),
  },
  {
    type: 'em',
    width: 1,
    takes: ({ mark, length }) => mark === '_' && length % 2 === 1,
    costs: () => singleUnderscore,
  },
];

/** Whether a run can be a mark at all. */
export function mayBeMark({ mark, length, before, after, start, end }: MarkRun, source: string): boolean {
  const [left, right] = [kindOf(before), kindOf(after)];
  if (mark === '~' && length !== 2) return false;
  if (mark === '_' && length === 2 && isPartOfName(source, start, end)) return false;
  if (length > 3) {
    // Four stars are a mask (`138****5678`) or a blank to fill in, except where they hug the text on one side.
    return mark === '*' && isWord(left) !== isWord(right) && left !== right;
  }
  if (left === 'edge' && right === 'edge') {
    return length > 1 && !(mark === '*' && isPower(source, start, end));
  }
  return !(mark === '*' && length === 1 && isOperator(source, start, end));
}

/** `2 ** 3`, `x ** y`: operands on both sides. */
function isPower(source: string, start: number, end: number): boolean {
  const left = /(?:[\d)]|(?:^|\W)[A-Za-z])\s*$/.test(source.slice(Math.max(0, start - 8), start));
  return left && /^\s*(?:[\d(]|[A-Za-z](?:\W|$))/.test(source.slice(end, end + 8));
}

/** The longest name in double underscores. */
const MAX_NAME = 60;

function isPartOfName(source: string, start: number, end: number): boolean {
  const before = /__([A-Za-z]\w*?)$/.exec(source.slice(Math.max(0, start - MAX_NAME), start))?.[1];
  const after = /^([A-Za-z]\w*?)__(?!_)/.exec(source.slice(end, end + MAX_NAME))?.[1];
  return isName(before ?? '') || isName(after ?? '');
}

/** The stretch around a star that a formula would fill: no blank, no Chinese punctuation. */
const MAX_FORMULA = 80;

/** A star between two operands of a formula: `面积=长*宽*高`, `(单价+运费)*数量*(1+税率)`. */
function isOperator(source: string, start: number, end: number): boolean {
  const left = /[^\s，。；：、？！“”]*$/.exec(source.slice(Math.max(0, start - MAX_FORMULA), start))?.[0] ?? '';
  const right = /^[^\s，。；：、？！“”]*/.exec(source.slice(end, end + MAX_FORMULA))?.[0] ?? '';
  if (!/[\p{L}\p{N})）\]%]$/u.test(left) || !/^[\p{L}\p{N}(（[]/u.test(right)) return false;
  // `*v2.0*内容`: the other star has no operand on its far side, so the two are a pair.
  if (/(?:^|[^\p{L}\p{N})）\]%*])\*[^*]*$/u.test(left) || /^[^*]*\*(?:[^\p{L}\p{N}(（[*]|$)/u.test(right)) return false;
  const isEnclosed = /^[(（]/.test(left) && /[)）]$/.test(right);
  return (
    isEnclosed || /[=＝+×÷^]/.test(left + right) || /(?<![\p{L}\p{N}.])\d[\d.,]*%?$/u.test(left) || /^\d/.test(right)
  );
}

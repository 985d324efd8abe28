/** A model's answer, and its reasoning before it. */
interface SplitText {
  text: string;
  reasoning: string;
  /** The part of the reasoning that a finished text never ended. */
  unended?: string;
}

/** The text and the reasoning that one pass has collected so far. */
interface Split extends SplitText {
  /** Whether any opening or closing tag was met. */
  tagged: boolean;
  /** White space at the start of the text is left out: it belongs to the reasoning that was cut out before it. */
  dropsSpace: boolean;
}

/**
 * The next thing of interest outside reasoning: a fence at the start of a line, a run of backticks,
 * a tag (possibly cut off by the end of the text), or the block Dify wrote around reasoning before 0.15.3.
 */
const LANDMARK =
  /(?<fence>(?<=^|\n)[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:`{3,}(?=[^`\n]*(?:\n|$))|~{3,}))|(?<ticks>`+)|<(?<close>\/?)think(?:ing)?(?=[\s/>]|$)[^<>]*(?<end>>|$)|(?<legacy><details\b[^<>]*>\s*<summary>\s*Thinking\.\.\.\s*<\/summary>)/gi;

const TAG = /<(?<close>\/?)think(?:ing)?(?=[\s/>])[^<>]*>/gi;

const LEGACY_CLOSING_TAG = /<\/details\s*>/gi;

/** No tag is longer; the legacy opening, with its style attribute, has about 130 characters. */
const MAX_PARTIAL_TAG = 400;

/**
 * Separates the reasoning that models write into their text (`<think>…</think>` and relatives, see
 * docs of Dify's `reasoning_format`) from the answer. Tags inside code in the answer, and those that a sentence speaks of,
 * are ordinary text.
 *
 * With `finished: false` a tag that may still be coming (`<thi`) is withheld. Linear in the length of `text`.
 */
export function splitThinking(text: string, options: { finished: boolean }): SplitText {
  const split: Split = { text: '', reasoning: '', tagged: false, dropsSpace: false };
  const closingTicks = closingTickFinder(text);
  const closings = closingTags(text);
  let position = 0;
  let kept = 0;
  const keepUpTo = (end: number) => {
    const part = text.slice(kept, end);
    split.text += split.dropsSpace ? part.trimStart() : part;
    if (split.text !== '') split.dropsSpace = false;
  };

  for (;;) {
    LANDMARK.lastIndex = position;
    const found = LANDMARK.exec(text);
    if (found === null) break;
    const { fence, ticks, close, end, legacy } = found.groups ?? {};
    position = LANDMARK.lastIndex;
    const isAtEnd = legacy === undefined && (end === '' || (end === '>' && position === text.length));
    if (fence !== undefined) {
      position = endOfFence(text, position, fence);
    } else if (ticks !== undefined) {
      position = closingTicks(found.index, ticks.length) ?? position;
    } else if (isAtEnd && (end === '' || (!options.finished && isInLine(text, found.index, kept)))) {
      // The text ends within what may be a tag of reasoning, or right behind it. More text decides that.
      if (options.finished) continue;
      keepUpTo(found.index);
      return { text: split.text, reasoning: split.reasoning };
    } else if (legacy === undefined && isSpokenOf(text, found, { kept, closings, ...options })) {
      continue;
    } else {
      keepUpTo(found.index);
      if (close === '/') {
        // The opening tag is missing (Dify issue 14762): all so far was reasoning.
        if (!split.tagged) takeAsReasoning(split);
      } else if (split.text.trim() === '') {
        split.text = '';
      }
      if (close !== '/' && !found[0].endsWith('/>')) {
        const closing = legacy === undefined ? closings.get(found.index) : legacyClosing(text, position);
        const ended = closing?.isGuess && !options.finished ? undefined : closing;
        const reasoning = ended ? text.slice(position, ended.index) : unclosed(text.slice(position), options);
        split.reasoning += split.reasoning === '' ? reasoning : `\n${reasoning}`;
        if (!ended && options.finished) split.unended = reasoning;
        position = ended?.end ?? text.length;
      }
      split.tagged = true;
      split.dropsSpace = split.text === '';
      kept = position;
    }
  }

  const end =
    options.finished || position === text.length ? text.length : startOfPartialTag(text, Math.max(position, kept));
  keepUpTo(Math.max(end, kept));
  const { text: shown, reasoning, unended } = split;
  return { text: shown, reasoning, ...(unended === undefined ? {} : { unended }) };
}

/** Where reasoning ends. */
interface ClosingTag {
  index: number;
  end: number;
  /** A tag inside the reasoning took it: the own one is missing, or has not come yet. */
  isGuess: boolean;
}

/** The closing tag of each opening one, by the index of that. Reasoning can hold further reasoning. */
function closingTags(text: string): Map<number, ClosingTag> {
  const closings = new Map<number, ClosingTag>();
  const open: { index: number; firstInside: ClosingTag | undefined }[] = [];
  const leave = (firstInside: ClosingTag | undefined) => {
    const outer = open.at(-1);
    if (outer !== undefined) outer.firstInside ??= firstInside;
  };
  for (const { 0: tag, index, groups } of text.matchAll(TAG)) {
    const end = index + tag.length;
    if (groups?.['close'] !== '/') {
      const isInside = open.length > 0 && isInLine(text, index, 0) && isLikeWords(text, index, end);
      if (!tag.endsWith('/>') && !isInside) open.push({ index, firstInside: undefined });
      continue;
    }
    const inner = open.pop();
    if (inner === undefined) continue;
    const closing = { index, end, isGuess: false };
    closings.set(inner.index, closing);
    leave(inner.firstInside ?? closing);
  }
  for (let left = open.pop(); left !== undefined; left = open.pop()) {
    if (left.firstInside !== undefined) closings.set(left.index, { ...left.firstInside, isGuess: true });
    leave(left.firstInside);
  }
  return closings;
}

/** How far back a line is looked at. */
const LINE_CHARS = 200;

/** Whether a tag has other text before it in its line, that after `kept`. */
function isInLine(text: string, index: number, kept: number): boolean {
  const before = text.slice(Math.max(kept, index - LINE_CHARS, 0), index);
  return before.slice(before.lastIndexOf('\n') + 1).trim() !== '';
}

/** Whether a tag stands in a sentence like a word: between blanks or quotes, or before punctuation. */
function isLikeWords(text: string, index: number, end: number): boolean {
  const [before, after] = [text.charAt(index - 1), text.charAt(end)];
  if (/[，。、；：？！）】》」』”’…,.;:?!)"']/.test(after)) return true;
  return (
    (after === '' || /[ \t]/.test(after) || (after === '`' && before === '`')) &&
    /[\s“‘"'「『（(【`，。、：；]/.test(before)
  );
}

/** Whether a sentence only speaks of a tag, so that it is text like the rest. */
function isSpokenOf(
  text: string,
  { 0: tag, index, groups }: RegExpExecArray,
  { kept, closings, finished }: { kept: number; closings: Map<number, ClosingTag>; finished: boolean },
): boolean {
  if (!isInLine(text, index, kept)) return false;
  const isLike = isLikeWords(text, index, index + tag.length);
  if (groups?.['close'] === '/') return isLike;
  const closing = closings.get(index);
  if (closing === undefined || closing.isGuess) return finished || isLike;
  return isLike && isInLine(text, closing.index, 0) && isLikeWords(text, closing.index, closing.end);
}

function takeAsReasoning(split: Split): void {
  split.reasoning = split.text;
  split.text = '';
}

/** Reasoning without a closing tag: all the rest, without a closing tag that has only begun. */
function unclosed(rest: string, options: { finished: boolean }): string {
  return options.finished ? rest : rest.slice(0, startOfPartialTag(rest, 0));
}

function legacyClosing(text: string, position: number): ClosingTag | undefined {
  LEGACY_CLOSING_TAG.lastIndex = position;
  const found = LEGACY_CLOSING_TAG.exec(text);
  return found === null ? undefined : { index: found.index, end: LEGACY_CLOSING_TAG.lastIndex, isGuess: false };
}

/** The end of the fenced block whose opening line starts with `opening`: its closing line, or the end of the text. */
function endOfFence(text: string, position: number, opening: string): number {
  const marks = opening.replace(/^[^`~]*/, '');
  const closing = new RegExp(`\\n[ \\t>]*${marks.charAt(0)}{${marks.length},}[ \\t]*(?=\\n|$)`, 'g');
  closing.lastIndex = position;
  return closing.exec(text) === null ? text.length : closing.lastIndex;
}

/**
 * Answers where the code span opened at `start` by `length` backticks ends, looking no further than its line:
 * a stray backtick must not hide a tag far below. Runs are collected once, so all questions together are linear.
 */
function closingTickFinder(text: string): (start: number, length: number) => number | undefined {
  const starts = new Map<number, number[]>();
  for (const run of text.matchAll(/`+/g)) {
    const known = starts.get(run[0].length);
    if (known === undefined) starts.set(run[0].length, [run.index]);
    else known.push(run.index);
  }
  const next = new Map<number, number>();
  return (start, length) => {
    const candidates = starts.get(length) ?? [];
    let index = next.get(length) ?? 0;
    while ((candidates[index] ?? Infinity) <= start) index++;
    next.set(length, index);
    const closing = candidates[index];
    if (closing === undefined || text.slice(start, closing).includes('\n')) return undefined;
    return closing + length;
  };
}

/** Where a tag begins that the end of the text cuts off, at or after `from`; the length of the text if none does. */
function startOfPartialTag(text: string, from: number): number {
  let start = text.indexOf('<', Math.max(from, text.length - MAX_PARTIAL_TAG));
  while (start !== -1) {
    if (mayBecomeTag(text.slice(start).toLowerCase())) return start;
    start = text.indexOf('<', start + 1);
  }
  return text.length;
}

function mayBecomeTag(tail: string): boolean {
  if ('<thinking'.startsWith(tail) || '</thinking'.startsWith(tail) || '<details'.startsWith(tail)) return true;
  if (/^<\/?think(?:ing)?(?:[\s/][^<>]*)?$/.test(tail) || /^<details\b[^<>]*$/.test(tail)) return true;
  const inside = /^<details\b[^<>]*>([^]*)$/.exec(tail)?.[1];
  return inside !== undefined && '<summary>thinking...</summary>'.startsWith(inside.replace(/\s+/g, ''));
}

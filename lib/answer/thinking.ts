/** A model's answer, and its reasoning before it. */
interface SplitText {
  text: string;
  reasoning: string;
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

const CLOSING_TAG = /<\/think(?:ing)?\s*>/gi;

const LEGACY_CLOSING_TAG = /<\/details\s*>/gi;

/** No tag is longer; the legacy opening, with its style attribute, has about 130 characters. */
const MAX_PARTIAL_TAG = 400;

/**
 * Separates the reasoning that models write into their text (`<think>…</think>` and relatives, see
 * docs of Dify's `reasoning_format`) from the answer. Tags inside code in the answer are ordinary text.
 *
 * With `finished: false` a tag that may still be coming (`<thi`) is withheld. Linear in the length of `text`.
 */
export function splitThinking(text: string, options: { finished: boolean }): SplitText {
  const split: Split = { text: '', reasoning: '', tagged: false, dropsSpace: false };
  const closingTicks = closingTickFinder(text);
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
    if (fence !== undefined) {
      position = endOfFence(text, position, fence);
    } else if (ticks !== undefined) {
      position = closingTicks(found.index, ticks.length) ?? position;
    } else if (legacy === undefined && end === '') {
      // The text ends within what may be a tag of reasoning. More text decides that.
      if (options.finished) continue;
      keepUpTo(found.index);
      return { text: split.text, reasoning: split.reasoning };
    } else {
      keepUpTo(found.index);
      if (close === '/') {
        // The opening tag is missing (Dify issue 14762): all so far was reasoning.
        if (!split.tagged) takeAsReasoning(split);
      } else if (split.text.trim() === '') {
        split.text = '';
      }
      if (close !== '/' && !found[0].endsWith('/>')) {
        const tag = legacy === undefined ? CLOSING_TAG : LEGACY_CLOSING_TAG;
        const closing = findFrom(tag, text, position);
        const reasoning =
          closing === null ? unclosed(text.slice(position), options) : text.slice(position, closing.index);
        split.reasoning += split.reasoning === '' ? reasoning : `\n${reasoning}`;
        position = closing === null ? text.length : closing.index + closing[0].length;
      }
      split.tagged = true;
      split.dropsSpace = split.text === '';
      kept = position;
    }
  }

  const end =
    options.finished || position === text.length ? text.length : startOfPartialTag(text, Math.max(position, kept));
  keepUpTo(Math.max(end, kept));
  return { text: split.text, reasoning: split.reasoning };
}

function takeAsReasoning(split: Split): void {
  split.reasoning = split.text;
  split.text = '';
}

/** Reasoning without a closing tag: all the rest, without a closing tag that has only begun. */
function unclosed(rest: string, options: { finished: boolean }): string {
  return options.finished ? rest : rest.slice(0, startOfPartialTag(rest, 0));
}

function findFrom(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
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

/** A line that begins or ends a fence, also in a quote or a list. */
const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/;

/** The quote marks of a line. */
const QUOTE = /^(?: {0,3}> ?)*/;

const ITEM = /^ *(?:([-*+])|(\d{1,9})[.)])[ \t]+\S/;

const TABLE_DELIMITERS = /^ {0,3}\|[ \t:|-]*-[ \t:|-]*$/;

/** A line that is bold as a whole, also one whose end has not arrived. */
const BOLD_LINE = /^ ?(\*\*|__)(?=[^\s*_])(?:(?!\1).)+(?:\1[\s：:。]*)?$/;

const BOLD_BEGINNING = /^ ?(\*\*|__)(?=[\p{L}\p{N}“"「《（(【])(?:(?!\1).)+\1/u;

/** A heading by its number: `二、安排`, `（一）范围`, `第三章 总则`. */
const NUMBERED_LINE =
  /^ ?(?:第[一二三四五六七八九十百\d]{1,4}[章节部]|[一二三四五六七八九十]{1,3}、|（[一二三四五六七八九十]{1,3}）)[^。；]{0,40}$/;

/**
 * Takes a text out of a fence that holds all of it and says `markdown`: models wrap an answer in one. The fence may still
 * be open, because the text grows or was cut.
 */
export function withoutOuterFence(source: string): string {
  const [opening, marks = ''] = /^\s*(`{3,}|~{3,})[ \t]*(?:markdown|md)[ \t]*(?:\n|$)/i.exec(source) ?? [];
  if (opening === undefined) return source;
  const lines = source.slice(opening.length).split('\n');
  let inner: string | undefined;
  for (const [index, line] of lines.entries()) {
    const [, fence = '', info = ''] = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/.exec(line) ?? [];
    if (fence === '') continue;
    if (inner !== undefined) {
      if (fence.startsWith(inner) && info.trim() === '') inner = undefined;
    } else if (fence.startsWith(marks) && info.trim() === '') {
      const isLast = lines.slice(index + 1).every((rest) => rest.trim() === '');
      if (isLast) return lines.slice(0, index).join('\n');
      // A fence without a language that ends further down is code inside; else the text goes on below the outer fence.
      if (!lines.slice(index + 1, -1).some((rest) => /^ {0,3}(?:`{3,}|~{3,})\s*$/.test(rest))) return source;
      inner = fence;
    } else {
      inner = fence;
    }
  }
  return lines.join('\n');
}

/** A numbered item that begins a line, and the blanks before an item inside it. */
const NUMBERED_ITEM = /^\d{1,9}[.)] +(?=\S)/;

const INNER_ITEM = /^( {2,})(?:[-*+]|\d{1,9}[.)])[ \t]+\S/;

/**
 * Moves what stands inside a numbered item to where CommonMark looks for it. Models indent it by two or three blanks
 * whatever the number is; below `10. ` three are not enough, and the list would end.
 */
export function indentItems(source: string): string {
  if (!/^[> ]*\d{1,9}[.)] /m.test(source)) return source;
  let fence: string | undefined;
  let width = 0;
  let missing = 0;
  return source
    .split('\n')
    .map((whole) => {
      const line = whole.replace(QUOTE, '');
      const quote = whole.slice(0, whole.length - line.length);
      const mark = FENCE.exec(line)?.[1];
      const isInFence = fence !== undefined;
      if (mark !== undefined) fence = !isInFence ? mark : mark.startsWith(fence ?? '') ? undefined : fence;
      if (!isInFence && /^\S/.test(line)) {
        width = NUMBERED_ITEM.exec(line)?.[0].length ?? 0;
        missing = 0;
      }
      const indent = INNER_ITEM.exec(line)?.[1]?.length ?? width;
      if (!isInFence && missing === 0 && indent < width) missing = width - indent;
      return missing > 0 && line.startsWith('  ') ? quote + ' '.repeat(missing) + line : whole;
    })
    .join('\n');
}

/**
 * Ends a list before a line that is no part of its last item: a heading in bold or by number, a table. CommonMark takes
 * any line right below a list for the rest of its last item.
 */
export function separateLists(source: string): string {
  if (!/^[ >]*(?:[-*+]|\d{1,9}[.)])[ \t]/m.test(source)) return source;
  const lines = source.split('\n');
  const written: string[] = [];
  let fence: string | undefined;
  /** The list that the line above stands in: its last marker. */
  let list: { bullet: string | undefined; number: number } | undefined;
  lines.forEach((whole, index) => {
    const line = whole.replace(QUOTE, '');
    const quote = whole.slice(0, whole.length - line.length);
    const mark = FENCE.exec(line)?.[1];
    const item = ITEM.exec(line);
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
    } else if (mark !== undefined) {
      fence = mark;
    } else if (item !== null) {
      list = { bullet: item[1], number: Number(item[2] ?? 0) };
    } else if (line.trim() === '') {
      list = undefined;
    } else if (list !== undefined && isBlockOfItsOwn(line, quote, lines.slice(index + 1, index + 4), list)) {
      written.push(quote.trimEnd());
      list = undefined;
    }
    written.push(whole);
  });
  return written.join('\n');
}

function isBlockOfItsOwn(
  line: string,
  quote: string,
  below: readonly string[],
  list: { bullet: string | undefined; number: number },
): boolean {
  const next = below[0]?.slice(quote.length) ?? '';
  if (/^ {0,1}\|/.test(line) && TABLE_DELIMITERS.test(next)) return true;
  const isHeading = BOLD_LINE.test(line) || NUMBERED_LINE.test(line);
  if (!isHeading && !BOLD_BEGINNING.test(line)) return false;
  const following = below.map((text) => text.slice(quote.length)).find((text) => text.trim() !== '') ?? '';
  const [, bullet, number] = ITEM.exec(following) ?? [];
  // A list that counts on goes on: the line belongs to the item above it.
  if (list.bullet === undefined && Number(number) === list.number + 1) return false;
  return isHeading || bullet === undefined || bullet !== list.bullet;
}

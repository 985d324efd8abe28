/** The first line of an item of an ordered list, as the renderer writes it. */
const ITEM = /^(\d{1,9})\. ?/;

/**
 * An ordered list as paragraphs whose numbers are text. DingTalk counts each list from 1, so a list that goes on in
 * another message cannot stay one. A quote may hold other blocks beside its lists. Undefined for any other block.
 */
export function numbersAsText(block: string): string[] | undefined {
  const quote = block.slice(0, block.length - block.replace(/^(?:> )+/, '').length);
  const blocks: string[][] = [];
  /** The width of the marker of the item that a line stands in. */
  let indent = 0;
  let fence: string | undefined;
  let hasItem = false;
  for (const whole of block.split('\n')) {
    const line = whole.startsWith(quote) ? whole.slice(quote.length) : whole.replace(/^[> ]+$/, '');
    const [marker, number = ''] = (fence === undefined ? ITEM.exec(line) : null) ?? [];
    const mark = /^`{3,}/.exec(line)?.[0];
    if (mark !== undefined) fence = fence === undefined ? mark : line.startsWith(fence) ? undefined : fence;
    if (marker !== undefined) {
      indent = number.length + 2;
      hasItem = true;
      blocks.push([labelled(`**${number}.**`, line.slice(marker.length))]);
    } else if (indent > 0 && (line === '' || line.startsWith(' '))) {
      blocks.at(-1)?.push(line.slice(0, indent).trim() === '' ? line.slice(indent) : line.trimStart());
    } else if (quote === '') {
      return undefined;
    } else {
      if (indent > 0 || blocks.length === 0) blocks.push([]);
      indent = 0;
      blocks.at(-1)?.push(line);
    }
  }
  return hasItem ? blocks.map((lines) => quoted(lines.join('\n'), quote)) : undefined;
}

function quoted(text: string, quote: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (quote + line).trimEnd())
    .join('\n');
}

/** Puts a number before an item's text, or above a block that has to begin a line. */
export function labelled(number: string, text: string): string {
  return /^(?:`{3}|[|>#]|- |\d+\. )/.test(text) ? `${number}\n\n${text}` : `${number} ${text}`.trimEnd();
}

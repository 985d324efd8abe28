/** The first line of an item of an ordered list, as the renderer writes it. */
const ITEM = /^(\d{1,9})\. ?/;

/**
 * An ordered list as paragraphs whose numbers are text. DingTalk counts each list from 1, so a list that goes on in
 * another message cannot stay one. Undefined for any other block.
 */
export function numbersAsText(block: string): string[] | undefined {
  const quote = /^(?:> )*/.exec(block)?.[0] ?? '';
  const lines = block
    .split('\n')
    .map((line) => (line.startsWith(quote) ? line.slice(quote.length) : line.replace(/^[> ]+$/, '')));
  const items: string[][] = [];
  let indent = 0;
  for (const line of lines) {
    const [marker, number = ''] = ITEM.exec(line) ?? [];
    if (marker !== undefined) {
      indent = number.length + 2;
      items.push([labelled(`**${number}.**`, line.slice(marker.length))]);
    } else if (items.length > 0 && (line === '' || line.startsWith(' '))) {
      items.at(-1)?.push(line.slice(0, indent).trim() === '' ? line.slice(indent) : line.trimStart());
    } else {
      return undefined;
    }
  }
  return items.map((item) =>
    item
      .join('\n')
      .split('\n')
      .map((line) => (quote + line).trimEnd())
      .join('\n'),
  );
}

/** Puts a number before an item's text, or above a block that has to begin a line. */
export function labelled(number: string, text: string): string {
  return /^(?:`{3}|[|>#]|- |\d+\. )/.test(text) ? `${number}\n\n${text}` : `${number} ${text}`.trimEnd();
}

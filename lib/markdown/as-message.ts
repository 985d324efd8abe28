/**
 * Turns a page of the card dialect into a message. The two dialects differ in how a line breaks. Code and table rows
 * stay as they are: a message cannot break a line inside them.
 */
export function asMessage(page: string): string {
  let fence: string | null = null;
  return page
    .split('\n')
    .map((line) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
      if (fence !== null) {
        if (mark?.startsWith(fence)) fence = null;
        return line;
      }
      if (mark !== undefined) fence = mark;
      return mark !== undefined || line.startsWith('|') ? line : breakLine(line);
    })
    .join('\n');
}

/** The text after a break stays inside the quote or list item that the line opened. */
function breakLine(line: string): string {
  const [, quotes = '', item = ''] = /^((?:\s*>)*\s*)((?:[-*]|\d+\.)\s+)?/.exec(line) ?? [];
  const next = `  \n${quotes}${' '.repeat(item.length)}`;
  return line
    .split(/(`+[^`]*`+)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll('<br>', next)))
    .join('');
}

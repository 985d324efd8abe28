/** Puts `first` before the first line and `rest` before each other line, without trailing white space. */
export function indent(text: string, first: string, rest: string): string {
  const lines = text.split('\n').map((line, index) => {
    const prefix = index === 0 ? first : rest;
    return line === '' ? prefix.trimEnd() : prefix + line;
  });
  return lines.join('\n');
}

/** Takes the blanks before the first line off each line, as far as it has them. */
export function withoutIndent(text: string): string {
  const width = text.length - text.replace(/^ +/, '').length;
  return width === 0 ? text : text.replace(new RegExp(`^ {1,${width}}`, 'gm'), '');
}

/** The part of a picture's address before its data. */
const HEADER =
  /\bdata:(?:image\/[\w.+-]{1,40}(?:;[\w=.-]{1,60}){0,4}|[\w.+-]{1,40}\/[\w.+-]{1,60}(?:;[\w=.-]{1,60}){0,3};base64|;base64),/gi;

const BASE64 = /[\w+/=%-]*/y;

/** In an address between parentheses the data may be broken into lines. */
const BROKEN_BASE64 = /[\w+/=%\s-]*(?=\)|\s["']|$)/y;

const DRAWING = /\s*(?:<|%3C)(?:svg|\?xml)(?:(?!(?:<|%3C)\/svg(?:>|%3E))[^])*(?:(?:<|%3C)\/svg(?:>|%3E)|$)/iy;

/**
 * Removes the data of pictures that stand inside a text (`data:image/png;base64,…`); what is left is no address. DingTalk
 * shows no such pictures, and as letters they would push the answer away. Linear in the length of the text.
 */
export function withoutPictureData(text: string): string {
  let shown = '';
  let position = 0;
  for (;;) {
    HEADER.lastIndex = position;
    const header = HEADER.exec(text);
    if (header === null) return shown + text.slice(position);
    const isAddress = /\]\(\s*<?$/.test(text.slice(Math.max(0, header.index - 8), header.index));
    const end = endOfData(text, HEADER.lastIndex, isAddress);
    shown += `${text.slice(position, header.index)}data:,…`;
    // At the end of a growing text, or of one that was cut, the address is not closed.
    if (isAddress && end === text.length) shown += ')';
    position = end;
  }
}

function endOfData(text: string, start: number, isAddress: boolean): number {
  for (const pattern of [DRAWING, ...(isAddress ? [BROKEN_BASE64] : []), BASE64]) {
    pattern.lastIndex = start;
    if (pattern.test(text) && pattern.lastIndex > start) return pattern.lastIndex;
  }
  return start;
}

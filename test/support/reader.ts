// What a reader sees of a text: a plain client, independent of the function's own parser.
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';

/** One stretch of text that a reader sees, with what it is shown as. */
interface Stretch {
  text: string;
  /** The elements around it, outermost first. */
  inside: readonly string[];
}

export interface Reading {
  /** All text, with the numbers of lists. */
  seen: string;
  bold: string[];
  italic: string[];
  struck: string[];
  links: [label: string, address: string][];
  rows: string[][];
  /** The first numbers of the ordered lists. */
  listStarts: number[];
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** Zero-width characters only keep a client from seeing a link or a tag. */
function decoded(html: string): string {
  return html.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole).replaceAll('\u200B', '');
}

/** Reads CommonMark with GFM, where only two tildes strike out. */
export function read(markdown: string): Reading {
  const html = micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm({ singleTilde: false })],
    htmlExtensions: [gfmHtml()],
  });
  const stretches: Stretch[] = [];
  const inside: string[] = [];
  const links: [string, string][] = [];
  const rows: string[][] = [];
  const listStarts: number[] = [];
  /** The next number of each open list; NaN for one with bullets. */
  const numbers: number[] = [];
  const add = (text: string) => {
    stretches.push({ text, inside: [...inside] });
    const row = rows.at(-1);
    if (row && (inside.includes('td') || inside.includes('th'))) row.push((row.pop() ?? '') + text);
    const link = links.at(-1);
    if (link && inside.includes('a')) link[0] += text;
  };
  for (const [, tag, text] of html.matchAll(/(<[^<>]+>)|([^<>]+)/g)) {
    if (text !== undefined) add(decoded(text));
    const name = /^<\/?([a-z][a-z0-9]*)/i.exec(tag ?? '')?.[1]?.toLowerCase();
    if (tag === undefined || name === undefined) continue;
    if (tag.startsWith('</')) {
      if (inside.includes(name)) while (inside.pop() !== name);
      if (name === 'ol' || name === 'ul') numbers.pop();
      continue;
    }
    if (['br', 'img', 'hr', 'input'].includes(name)) {
      if (name === 'br') add('\n');
      continue;
    }
    inside.push(name);
    if (name === 'a') links.push(['', decoded(/href="([^"]*)"/.exec(tag)?.[1] ?? '')]);
    const start = Number(/start="(\d+)"/.exec(tag)?.[1] ?? 1);
    if (name === 'ol') listStarts.push(start);
    if (name === 'ol' || name === 'ul') numbers.push(name === 'ol' ? start : NaN);
    if (name === 'li') {
      const number = numbers.pop() ?? NaN;
      numbers.push(number + 1);
      if (!Number.isNaN(number)) add(`${number}. `);
    }
    if (name === 'tr') rows.push([]);
    if (name === 'td' || name === 'th') rows.at(-1)?.push('');
  }
  return {
    seen: stretches.map(({ text }) => text).join(''),
    bold: stretchesIn(stretches, 'strong'),
    italic: stretchesIn(stretches, 'em'),
    struck: stretchesIn(stretches, 'del'),
    links,
    rows,
    listStarts,
  };
}

/** The texts of an element, one for each stretch of it without a gap. */
function stretchesIn(stretches: readonly Stretch[], element: string): string[] {
  const found: string[] = [];
  let isOpen = false;
  for (const { text, inside } of stretches) {
    const isIn = inside.includes(element);
    if (isIn && isOpen) found.push((found.pop() ?? '') + text);
    else if (isIn) found.push(text);
    isOpen = isIn;
  }
  return found;
}

export function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}

/** The letters and digits of a text, in order. */
export function lettersOf(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '');
}

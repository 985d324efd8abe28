import { characterStart, codePointStart } from '../characters.ts';

/** A text cut in two. */
export interface Cut {
  head: string;
  tail: string;
  /** Number of code points at the start of `tail` that repeat a part of `head` (a mark, a fence, a header row). */
  repeated: number;
}

/** A stretch of markup that must not simply be cut. */
interface Span {
  start: number;
  end: number;
  /** The mark on both sides of a stretch that can be closed before a cut and opened again after it; else empty. */
  mark: string;
  /** The text of a link. It stands for a link that is longer than a page. */
  label: string | undefined;
}

/** The longest stretch that is recognised. A longer one may be cut: it loses its look and no text. */
const MAX_SPAN_CHARS = 2_000;

const SPAN = new RegExp(
  [
    String.raw`\\[^]`,
    '<br>',
    String.raw`!?\[(?<label>(?:\\.|[^[\]\\]|\[[^[\]]*\])*)\]\([^()\s]*\)`,
    String.raw`https?:\/\/[^\s<>"'，。；、（）【】]+`,
    `(?<ticks>(?<!\`)\`+(?!\`)).{1,${MAX_SPAN_CHARS}}?(?<!\`)\\k<ticks>(?!\`)`,
    `(?<mark>\\*{1,3}|~~)(?=\\S)(?:(?!\\k<mark>).){1,${MAX_SPAN_CHARS}}(?<=\\S)\\k<mark>`,
  ].join('|'),
  'g',
);

/** Places where a reader would pause, best first: ends of lines, sentences, phrases, words. */
const PAUSES = [/<br>|\n/g, /[。！？；…][”’」』）]?|[.!?;](?=\s)/g, /[，、：]|[,:](?=\s)|\s/g];

/** The part of the page that is filled before a better place to cut counts. */
const LEAST_FILL = 0.6;

/** The start of a quote, an item of a list or a heading. Alone it shows no text. */
const LEAD = /^[ >]*(?:(?:[-*+]|\d{1,9}[.)]) +)*(?:#{1,6} +)?/;

/**
 * Cuts a line so that its head has at most `room` UTF-16 units. Undefined if not even its beginning fits.
 *
 * @param force makes something fit in any case: the text of a link in place of the link, or a part of an address.
 */
export function cutLine(line: string, room: number, force: boolean): Cut | undefined {
  if (room <= 0) return undefined;
  if (line.length <= room) return { head: line, tail: '', repeated: 0 };
  const spans = spansUpTo(line, room);
  const broken = spans.find(({ start, end }) => start < room && room < end);
  if (broken !== undefined && broken.start < room * LEAST_FILL) {
    const inside = cutSpan(line, broken, room, force);
    if (inside !== undefined) return inside;
    if (broken.start === 0 && !force) return undefined;
    if (broken.start === 0 && broken.label !== undefined)
      return cutLine(broken.label + line.slice(broken.end), room, force);
  }
  const end = broken === undefined || broken.start === 0 ? graphemeStart(line, room) : broken.start;
  const lead = LEAD.exec(line)?.[0].length ?? 0;
  if (end <= lead) return undefined;
  const at = pauseBefore(line, Math.max(lead + 1, Math.floor(end * LEAST_FILL)), end, spans) ?? end;
  const prefix = /^[ >]*> ?/.exec(line)?.[0] ?? '';
  const rest = line.slice(at).replace(/^(?:<br>|\s)+/, '');
  return {
    head: line.slice(0, at).replace(/(?:<br>|\s){1,20}$/, ''),
    tail: rest === '' ? '' : prefix + rest,
    repeated: rest === '' ? 0 : prefix.length,
  };
}

/** Cuts a line of code. Every character is kept. */
export function cutCode(line: string, room: number): Cut | undefined {
  if (room <= 0) return undefined;
  const at = line.length <= room ? line.length : graphemeStart(line, room);
  return at === 0 ? undefined : { head: line.slice(0, at), tail: line.slice(at), repeated: 0 };
}

function cutSpan(line: string, { start, end, mark }: Span, room: number, force: boolean): Cut | undefined {
  if (mark === '') return undefined;
  const content = line.slice(start + mark.length, end - mark.length);
  const cut = cutLine(content, room - start - 2 * mark.length, force && start === 0);
  if (cut === undefined || cut.tail === '' || cut.head.trim() === '') return undefined;
  return {
    head: line.slice(0, start) + mark + cut.head + mark,
    tail: mark + cut.tail + mark + line.slice(end),
    repeated: mark.length + cut.repeated,
  };
}

function spansUpTo(line: string, position: number): Span[] {
  const spans: Span[] = [];
  SPAN.lastIndex = 0;
  for (let found = SPAN.exec(line); found !== null && found.index < position; found = SPAN.exec(line)) {
    const { mark, ticks, label } = found.groups ?? {};
    spans.push({ start: found.index, end: found.index + found[0].length, mark: mark ?? ticks ?? '', label });
  }
  return spans;
}

/** The position itself, or the start of the character (as readers see it) that it lies in. */
function graphemeStart(line: string, position: number): number {
  // One character with thousands of combining marks fills the whole line, so it is cut between code points.
  return characterStart(line, position) || codePointStart(line, position);
}

function pauseBefore(line: string, from: number, end: number, spans: readonly Span[]): number | undefined {
  for (const pause of PAUSES) {
    const places = [...line.slice(from, end).matchAll(pause)].map((found) => from + found.index + found[0].length);
    const place = places.findLast((at) => !spans.some((span) => span.start < at && at < span.end));
    if (place !== undefined) return place;
  }
  return undefined;
}

/** A text cut in two. */
export interface Cut {
  head: string;
  tail: string;
  /** How many code points at the start of `tail` repeat something of `head` (a mark, a fence, a header row). */
  repeated: number;
}

/** Markup that is not cut; `mark` is what stands on both sides where it can be closed and opened again. */
interface Span {
  start: number;
  end: number;
  mark: string;
  /** What remains of a link that is longer than a page. */
  label: string | undefined;
}

/** How far a span's end is looked for; longer ones may be cut, which only costs their looks. */
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

/** Where a reader would pause, best first: lines, sentences, phrases, words. */
const PAUSES = [/<br>|\n/g, /[。！？；…][”’」』）]?|[.!?;](?=\s)/g, /[，、：]|[,:](?=\s)|\s/g];

/** A page is filled at least this far before a better place to cut is preferred. */
const LEAST_FILL = 0.6;

/** What makes a line a quote, an item of a list or a heading, and says nothing on its own. */
const LEAD = /^[ >]*(?:(?:[-*+]|\d{1,9}[.)]) +)*(?:#{1,6} +)?/;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Cuts a line so that its head has at most `room` UTF-16 units; undefined if not even its beginning fits.
 * `force` has it make something fit: of a link the label, of an address a part.
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

/** The same for a line of code, of which every character counts. */
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

/** The position itself, or the start of the character (as readers see it) that it falls into. */
function graphemeStart(line: string, position: number): number {
  const start = graphemes.segment(line).containing(position)?.index ?? position;
  if (start > 0) return start;
  // One character with thousands of marks on it: only its code points can be told apart.
  return /[\uDC00-\uDFFF]/.test(line.charAt(position)) ? position - 1 : position;
}

function pauseBefore(line: string, from: number, end: number, spans: readonly Span[]): number | undefined {
  for (const pause of PAUSES) {
    const places = [...line.slice(from, end).matchAll(pause)].map((found) => from + found.index + found[0].length);
    const place = places.findLast((at) => !spans.some((span) => span.start < at && at < span.end));
    if (place !== undefined) return place;
  }
  return undefined;
}

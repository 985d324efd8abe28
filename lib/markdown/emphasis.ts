import type { Token } from 'marked';
import { LINE_TAGS, readTag } from './html.ts';
import { LEAST_CONTENT_COST } from './mark-costs.ts';
import type { MarkRun } from './mark-runs.ts';
import { LAYERS, mayBeMark, type MarkLayer } from './marks.ts';
import type { RawToken } from './tokens.ts';

/** How many other runs of its kind one emphasis may have inside: bounds the work on hostile text. */
const MAX_INSIDE = 12;

/** The longest text that is looked at for what speaks against it as one emphasis. */
const MAX_CONTENT = 2_000;

/** What it costs to take the rest of a growing text for emphasis whose end is still to come. */
const OPEN_AT_END = 0.5;

/** Two marks that belong together: indexes of runs. `last` is the number of runs where the end is still to come. */
interface Pair {
  layer: MarkLayer;
  first: number;
  last: number;
}

/** A run among the tokens. */
interface PlacedRun extends MarkRun {
  token: number;
}

/**
 * Makes emphasis of the marks among inline tokens. CommonMark pairs each mark by the characters beside it, with rules
 * that were not made for Chinese, and one stray mark turns the rest of a paragraph inside out. Here the marks of a
 * paragraph are read together: of all ways to pair them or to leave them as characters the one that fits best is taken.
 *
 * @param growing emphasis may stay open at the end of the text.
 */
export function resolveMarks(tokens: Token[], growing: boolean): Token[] {
  if (!tokens.some(({ type }) => type === 'marks')) return tokens;
  const { runs, source } = placedRuns(tokens);
  const pairs: Pair[] = [];
  const covers: { cover: Int32Array; own: Pair[] }[] = [];
  for (const layer of LAYERS) {
    const own = pairsOf(layer, runs, source, growing).filter((pair) => covers.every((other) => !crosses(pair, other)));
    covers.push({ cover: coverOf(own, runs.length), own });
    pairs.push(...own);
  }
  return build(tokens, runs, pairs);
}

function placedRuns(tokens: readonly RawToken[]): { runs: PlacedRun[]; source: string } {
  const source = tokens.map(({ raw }) => raw).join('');
  const runs: PlacedRun[] = [];
  let offset = 0;
  tokens.forEach(({ type, raw }, token) => {
    const [start, end] = [offset, offset + raw.length];
    offset = end;
    if (type !== 'marks') return;
    const before = /.$/su.exec(rawBeside(tokens, token, -1))?.[0] ?? '';
    const after = /^\\?(.)/su.exec(rawBeside(tokens, token, 1).slice(0, 3))?.[1] ?? '';
    const mark = raw.startsWith('*') ? '*' : raw.startsWith('_') ? '_' : '~';
    const place = { mark, token, before, after } as const;
    if (raw.length === 4 && before.trim() !== '' && after.trim() !== '' && !/^[\w]{2}$/.test(before + after)) {
      // One emphasis ends and the next begins.
      runs.push({ ...place, length: 2, start, end: start + 2, after: '|' });
      runs.push({ ...place, length: 2, start: start + 2, end, before: '|' });
    } else {
      runs.push({ ...place, length: raw.length, start, end });
    }
  });
  return { runs, source };
}

/** The source beside a token, inline tags aside: they show nothing. Empty at the edge of a line. */
function rawBeside(tokens: readonly RawToken[], index: number, step: 1 | -1): string {
  let beside = tokens[index + step];
  for (let at = index + step; beside?.type === 'html'; beside = tokens[(at += step)]) {
    const tag = readTag(beside.raw);
    if (tag !== undefined && LINE_TAGS.has(tag.name)) return '';
  }
  return beside?.raw ?? '';
}

/** A run of one layer, with its place among all runs. `may` is false for one that can be no mark. */
interface Candidate {
  run: MarkRun;
  index: number;
  may: boolean;
}

/** What the first so many runs of a layer cost at least, and the one that opens the pair that ends there; -1 for none. */
interface Best {
  cost: number;
  from: number;
}

/** The cheapest reading of the runs of one layer. Its pairs follow each other; none lies in another. */
function pairsOf(layer: MarkLayer, runs: readonly MarkRun[], source: string, growing: boolean): Pair[] {
  const own = runs.flatMap((run, index) => (layer.takes(run) ? [{ run, index, may: mayBeMark(run, source) }] : []));
  const best: Best[] = [{ cost: 0, from: -1 }];
  for (const { run, may } of own) {
    const plain = { cost: (best.at(-1)?.cost ?? 0) + (may ? layer.costs(run).literal : 0), from: -1 };
    best.push(may ? cheapest(layer, own, best, plain, { source, closing: run }) : plain);
  }
  const pairs: Pair[] = [];
  let count = own.length;
  const open = growing ? cheapest(layer, own, best, { cost: best.at(-1)?.cost ?? 0, from: -1 }, { source }).from : -1;
  if (open >= 0) {
    pairs.push({ layer, first: own[open]?.index ?? 0, last: runs.length });
    count = open;
  }
  while (count > 0) {
    const from = best[count]?.from ?? -1;
    if (from >= 0) pairs.push({ layer, first: own[from]?.index ?? 0, last: own[count - 1]?.index ?? 0 });
    count = from >= 0 ? from : count - 1;
  }
  return pairs.toReversed();
}

/**
 * The cheapest reading that ends with the next run as a closing mark, if it costs less than `plain`. Without a closing
 * mark: with an emphasis whose end has not arrived.
 */
function cheapest(
  layer: MarkLayer,
  own: readonly Candidate[],
  best: readonly Best[],
  plain: Best,
  { source, closing }: { source: string; closing?: MarkRun },
): Best {
  const atEnd = closing ? layer.costs(closing).close(closing) : OPEN_AT_END;
  if (atEnd === Infinity) return plain;
  const count = closing ? best.length - 1 : own.length;
  let choice = plain;
  let inside = 0;
  for (let first = count - 1; first >= Math.max(0, count - MAX_INSIDE); first--) {
    const opening = own[first];
    if (!opening?.may) continue;
    const costs = layer.costs(opening.run);
    const cost = (best[first]?.cost ?? 0) + costs.open(opening.run) + atEnd + inside;
    inside += costs.literal;
    // The content is looked at only where it can make a difference.
    if (cost + LEAST_CONTENT_COST >= choice.cost) continue;
    const { end } = opening.run;
    const text = source.slice(end, Math.min(closing?.start ?? source.length, end + MAX_CONTENT));
    const whole = cost + costs.content(opening.run, closing, closing ? text : text.replace(/[*_~]+$/, ''));
    if (whole < choice.cost) choice = { cost: whole, from: first };
  }
  return choice;
}

/** For each run the number of the pair that it lies in, its own marks aside; -1 for none. */
function coverOf(pairs: readonly Pair[], count: number): Int32Array {
  const cover = new Int32Array(count + 1).fill(-1);
  pairs.forEach(({ first, last }, number) => cover.fill(number, first + 1, Math.min(last, count + 1)));
  return cover;
}

function crosses({ first, last }: Pair, { cover, own }: { cover: Int32Array; own: readonly Pair[] }): boolean {
  const [outer, inner] = [cover[first] ?? -1, cover[last] ?? -1];
  if (outer === inner) return false;
  return (outer >= 0 && own[outer]?.last !== last) || (inner >= 0 && own[inner]?.first !== first);
}

interface OpenEmphasis {
  pair: Pair | undefined;
  tokens: Token[];
}

function build(tokens: readonly Token[], runs: readonly PlacedRun[], pairs: readonly Pair[]): Token[] {
  const outermost: Token[] = [];
  const open: OpenEmphasis[] = [{ pair: undefined, tokens: outermost }];
  const append = (token: Token) => void open.at(-1)?.tokens.push(token);
  const close = () => {
    const { pair, tokens: inner } = open.pop() ?? {};
    if (pair === undefined || inner === undefined) return;
    const { type, width } = pair.layer;
    const text = inner.map(({ raw }) => raw).join('');
    const mark = runs[pair.first]?.mark.repeat(width) ?? '';
    append({ type, raw: mark + text + (pair.last < runs.length ? mark : ''), text, tokens: inner });
  };
  const opening = Map.groupBy(pairs, ({ first }) => first);
  const closing = Map.groupBy(pairs, ({ last }) => last);
  let next = 0;
  tokens.forEach((token, index) => {
    if (token.type !== 'marks') {
      append(token);
      return;
    }
    for (let run = runs[next]; run?.token === index; run = runs[++next]) {
      const begins = opening.get(next) ?? [];
      const ends = closing.get(next) ?? [];
      for (let count = ends.length; count > 0; count--) close();
      const taken = [...begins, ...ends].reduce((sum, { layer }) => sum + layer.width, 0);
      const left = taken === 0 || run.length < 4 ? Math.max(0, run.length - taken) : 0;
      if (left > 0) append({ type: 'text', raw: run.mark.repeat(left), text: run.mark.repeat(left) });
      // What ends last stands outside.
      for (const pair of begins.toSorted((one, other) => other.last - one.last)) open.push({ pair, tokens: [] });
    }
  });
  while (open.length > 1) close();
  return outermost;
}

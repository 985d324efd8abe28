import { h } from '../dom.js';
import { inlineNodes } from './inline.js';

/**
 * Markdown as DingTalk shows it, and not better: a bare newline is no line break, a table needs a blank line before
 * it, lists in lists are bullets. Two dialects: the markdown variable of a card (`<br>` breaks a line) and a robot's
 * message (two spaces and a newline do). Builds nodes only; nothing of a text ever becomes HTML.
 *
 * @typedef {import('./inline.js').Context} Context
 * @typedef {Context & { inOrdered?: boolean, depth?: number }} BlockContext
 */

/**
 * @param {string} text
 * @param {'card' | 'message'} dialect
 * @param {ReadonlyMap<string, string>} [mentions] names by user id
 * @returns {DocumentFragment}
 */
export function renderMarkdown(text, dialect, mentions = new Map()) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replaceAll('\r\n', '\n').split('\n'), { dialect, mentions }));
  return fragment;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const LIST = /^( *)([-*+]|\d{1,9}[.)])(?: +(.*)|$)/;
const RULE = /^ {0,3}(?:\*[ *]*\*[ *]*\*|-[ -]*-[ -]*-)\s*$/;
const DELIMITERS = /^ *\|?(?: *:?-+:? *\|)* *:?-+:? *\|? *$/;
const MAX_DEPTH = 8;

const isBlank = (/** @type {string | undefined} */ line) => (line ?? '').trim() === '';
const headingOf = (/** @type {string} */ line, /** @type {BlockContext} */ { dialect }) =>
  (dialect === 'card' ? /^ {0,3}(#{1,5}) +(.*?)(?: +#+)? *$/ : /^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$/).exec(line);

/**
 * @param {readonly string[]} lines
 * @param {BlockContext} context
 * @returns {Node[]}
 */
function blocks(lines, context) {
  /** @type {Node[]} */
  const nodes = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    if (isBlank(line)) {
      at += 1;
      continue;
    }
    const isAfterBlank = at === 0 || isBlank(lines[at - 1]);
    const found =
      fence(lines, at) ??
      heading(line, at, context) ??
      rule(line, at) ??
      quote(lines, at, context) ??
      list(lines, at, context) ??
      (isAfterBlank ? table(lines, at, context) : null) ??
      paragraph(lines, at, context);
    nodes.push(found.node);
    at = found.end;
  }
  return nodes;
}

/** @typedef {{ node: Node, end: number } | null} Block */

/** @param {readonly string[]} lines @param {number} at @returns {Block} */
function fence(lines, at) {
  const open = FENCE.exec(lines[at] ?? '');
  if (!open) return null;
  const [, marks = '', language = ''] = open;
  const closing = new RegExp(`^ {0,3}${marks[0]}{${marks.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end] ?? '')) end += 1;
  const code = h('code', null, lines.slice(at + 1, end).join('\n'));
  const node = h('pre', { tabindex: 0, 'data-language': language.trim() || undefined }, code);
  return { node, end: end + 1 };
}

/** @param {string} line @param {number} at @param {BlockContext} context @returns {Block} */
function heading(line, at, context) {
  const match = headingOf(line, context);
  if (!match) return null;
  const [, marks = '#', text = ''] = match;
  // The page's own headings come first; these begin at the third level.
  const props = { class: `heading h${marks.length}`, role: 'heading', 'aria-level': Math.min(6, marks.length + 2) };
  return { node: h('div', props, inlineNodes(text, context)), end: at + 1 };
}

/** @param {string} line @param {number} at @returns {Block} */
function rule(line, at) {
  return RULE.test(line) ? { node: h('hr', null), end: at + 1 } : null;
}

/** @param {readonly string[]} lines @param {number} at @param {BlockContext} context @returns {Block} */
function quote(lines, at, context) {
  if (!/^ {0,3}>/.test(lines[at] ?? '') || (context.depth ?? 0) > MAX_DEPTH) return null;
  let end = at;
  while (end < lines.length && /^ {0,3}>/.test(lines[end] ?? '')) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ''));
  return { node: h('blockquote', null, blocks(inner, deeper(context))), end };
}

/** @param {BlockContext} context @returns {BlockContext} */
const deeper = (context) => ({ ...context, depth: (context.depth ?? 0) + 1 });

/** @param {string} line @param {BlockContext} context */
function listMarker(line, context) {
  const match = LIST.exec(line);
  if (!match || RULE.test(line) || (context.depth ?? 0) > MAX_DEPTH) return null;
  const [, indent = '', marker = '', text = ''] = match;
  const ordered = /\d/.test(marker);
  // KB-C3/0016: ordered lists are not nested in ordered ones; such a line is text.
  if (ordered && context.inOrdered) return null;
  return { indent: indent.length, ordered, text, width: line.length - text.length };
}

/** @param {readonly string[]} lines @param {number} at @param {BlockContext} context @returns {Block} */
function list(lines, at, context) {
  const first = listMarker(lines[at] ?? '', context);
  if (!first) return null;
  const inner = deeper({ ...context, inOrdered: context.inOrdered || first.ordered });
  /** @type {HTMLLIElement[]} */
  const items = [];
  let end = at;
  while (end < lines.length) {
    const marker = listMarker(lines[end] ?? '', context);
    if (!marker || marker.ordered !== first.ordered || marker.indent > first.indent + 3) break;
    const own = [marker.text];
    end += 1;
    while (end < lines.length && belongs(lines, end, marker, context)) {
      const line = lines[end] ?? '';
      own.push(line.slice(Math.min(marker.width, line.search(/\S|$/))));
      end += 1;
    }
    items.push(h('li', null, tight(blocks(own, inner))));
    while (isBlank(lines[end]) && end < lines.length && listMarker(lines[end + 1] ?? '', context)) end += 1;
  }
  // Numbers always begin at 1 (KB-C3/0016), whatever was written.
  return { node: h(first.ordered ? 'ol' : 'ul', null, items), end };
}

/**
 * Whether a line goes on with an item: it is indented, or plain text that follows directly.
 *
 * @param {readonly string[]} lines
 * @param {number} at
 * @param {{ indent: number, width: number }} marker
 * @param {BlockContext} context
 */
function belongs(lines, at, marker, context) {
  const line = lines[at] ?? '';
  const indent = line.search(/\S|$/);
  if (isBlank(line)) {
    const next = lines[at + 1] ?? '';
    return !isBlank(next) && next.search(/\S|$/) >= marker.width;
  }
  if (indent >= Math.min(marker.width, marker.indent + 2)) return true;
  return !isBlank(lines[at - 1]) && !startsBlock(line, context);
}

/** @param {string} line @param {BlockContext} context */
function startsBlock(line, context) {
  return (
    FENCE.test(line) ||
    headingOf(line, context) !== null ||
    RULE.test(line) ||
    /^ {0,3}>/.test(line) ||
    listMarker(line, context) !== null
  );
}

/** An item of one paragraph needs no paragraph. @param {Node[]} nodes @returns {Node[]} */
function tight(nodes) {
  return nodes.flatMap((node) =>
    node instanceof HTMLParagraphElement ? [h('span', null, ...node.childNodes)] : [node],
  );
}

/** @param {string} line */
function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** @param {readonly string[]} lines @param {number} at @param {BlockContext} context @returns {Block} */
function table(lines, at, context) {
  const delimiters = lines[at + 1] ?? '';
  const header = cells(lines[at] ?? '');
  if (!lines[at]?.includes('|') || !delimiters.includes('-') || !DELIMITERS.test(delimiters)) return null;
  const aligns = cells(delimiters).map((cell) =>
    /^:.*:$/.test(cell) ? 'center' : cell.endsWith(':') ? 'right' : 'left',
  );
  if (aligns.length !== header.length) return null;
  let end = at + 2;
  while (end < lines.length && !isBlank(lines[end]) && lines[end]?.includes('|')) end += 1;
  /** @param {'th' | 'td'} tag @param {string} line */
  const row = (tag, line) => {
    const values = cells(line);
    return h('tr', null, header.map((_, column) =>
      h(tag, { class: aligns[column] }, inlineNodes(values[column] ?? '', context)),
    )); // prettier-ignore
  };
  const body = lines.slice(at + 2, end).map((line) => row('td', line));
  const node = h('table', null, h('thead', null, row('th', lines[at] ?? '')), h('tbody', null, body));
  return { node: h('div', { class: 'table', tabindex: 0, role: 'group' }, node), end };
}

/** @param {readonly string[]} lines @param {number} at @param {BlockContext} context */
function paragraph(lines, at, context) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !startsBlock(lines[end] ?? '', context)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trimStart());
  // A newline is a space; in messages two spaces before it make a break.
  const joined = text
    .map((line, index) => {
      if (index === text.length - 1) return line.trimEnd();
      return context.dialect === 'message' && line.endsWith('  ') ? `${line.trimEnd()}<br>` : `${line.trimEnd()} `;
    })
    .join('');
  return { node: h('p', null, inlineNodes(joined, context)), end };
}

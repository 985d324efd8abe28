import { h } from '../dom.js';

/**
 * The inline half of DingTalk's markdown: bold, italic, code, links, images, `<br>`, `<font>`, mentions. Whatever else
 * looks like HTML is dropped, as DingTalk does; whatever else looks like markdown stays as it was typed.
 *
 * @typedef {{ dialect: 'card' | 'message', mentions: ReadonlyMap<string, string> }} Context
 */

const TAG = /^<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*)?)>/i;
const BARE_LINK = /^https?:\/\/[^\s<>()[\]"'`，。；！？、（）【】「」《》]+/;
const ENTITIES = /** @type {Record<string, string>} */ ({ nbsp: '\u00a0', lt: '<', gt: '>', amp: '&', quot: '"' });
/** A link that sends a text in the name of the person who clicks it; the page decides what a click does. */
const SEND_LINK = /^dtmd:\/\/dingtalkclient\/sendMessage\?content=/i;
/** DingTalk's colour tokens name the colour; the exact shade is the page's. */
const COLOURS = /(blue|red|green|orange|yellow|purple|gray|grey)/;
/** No real text is nested deeper; hostile text could be. */
const MAX_DEPTH = 12;

/**
 * @param {string} text
 * @param {Context} context
 * @param {number} [depth]
 * @returns {Node[]}
 */
export function inlineNodes(text, context, depth = 0) {
  /** @type {Node[]} */
  const nodes = [];
  let plain = '';
  /** Lengths of emphasis that nothing ends any more; looking for each again would take hostile text for ever. */
  const endless = /** @type {Set<number>} */ (new Set());
  const flush = () => {
    if (plain !== '') nodes.push(...mentionNodes(plain, context));
    plain = '';
  };
  /** @param {Node[]} found */
  const push = (...found) => {
    flush();
    nodes.push(...found);
  };
  for (let at = 0; at < text.length;) {
    const found = depth < MAX_DEPTH ? construct(text, at, context, depth, endless) : null;
    if (found) {
      if (found.nodes.length > 0) push(...found.nodes);
      plain += found.text ?? '';
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

/**
 * @typedef {{ nodes: Node[], text?: string, end: number } | null} Construct
 */

/**
 * What begins at one place of the text, if anything does.
 *
 * @param {string} text
 * @param {number} at
 * @param {Context} context
 * @param {number} depth
 * @param {Set<number>} endless
 * @returns {Construct}
 */
function construct(text, at, context, depth, endless) {
  switch (text[at]) {
    case '\\':
      return /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '') ? { nodes: [], text: text[at + 1] ?? '', end: at + 2 } : null;
    case '`':
      return codeSpan(text, at);
    case '*':
      return emphasis(text, at, context, depth, endless);
    case '!':
      return text[at + 1] === '[' ? link(text, at + 1, context, depth, true) : null;
    case '[':
      return link(text, at, context, depth, false);
    case '<':
      return tag(text, at, context, depth);
    case '&':
      return entity(text, at);
    case 'h':
      return bareLink(text, at);
    default:
      return null;
  }
}

/**
 * @param {string} text
 * @param {number} at
 * @returns {Construct}
 */
function codeSpan(text, at) {
  const run = /^`+/.exec(text.slice(at))?.[0] ?? '`';
  let close = text.indexOf(run, at + run.length);
  while (close !== -1 && (text[close + run.length] === '`' || text[close - 1] === '`')) {
    close = text.indexOf(run, close + 1);
  }
  if (close === -1) return { nodes: [], text: run, end: at + run.length };
  const code = text.slice(at + run.length, close);
  const trimmed = /^ .*[^ ].* $|^ `|` $/s.test(code) ? code.replace(/^ | $/g, '') : code;
  return { nodes: [h('code', null, trimmed)], end: close + run.length };
}

const isSpace = (/** @type {string | undefined} */ sign) => sign === undefined || /\s/.test(sign);
const isMark = (/** @type {string | undefined} */ sign) => sign !== undefined && /[\p{P}\p{S}]/u.test(sign);

/**
 * Bold and italic by the rules of CommonMark 6.2, which is why `**“x”**y` stays as it is.
 *
 * @param {string} text
 * @param {number} at
 * @param {Context} context
 * @param {number} depth
 * @param {Set<number>} endless
 * @returns {Construct}
 */
function emphasis(text, at, context, depth, endless) {
  const run = /^\*+/.exec(text.slice(at))?.[0].length ?? 1;
  const before = text[at - 1];
  const after = text[at + run];
  const mayOpen = !isSpace(after) && (!isMark(after) || isSpace(before) || isMark(before));
  for (let length = mayOpen ? Math.min(run, 3) : 0; length > 0; length -= 1) {
    const close = endless.has(length) ? -1 : closer(text, at + run, length);
    if (close === -1) {
      endless.add(length);
      continue;
    }
    const inner = inlineNodes('*'.repeat(run - length) + text.slice(at + run, close), context, depth + 1);
    const bold = length >= 2 ? h('strong', null, inner) : null;
    const node = length === 2 ? bold : h('em', null, bold ?? inner);
    return { nodes: node ? [node] : [], end: close + length };
  }
  return { nodes: [], text: '*'.repeat(run), end: at + run };
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} length
 */
function closer(text, from, length) {
  const runs = /\\.|`[^`]*`|\*+/gs;
  runs.lastIndex = from;
  for (let match = runs.exec(text); match; match = runs.exec(text)) {
    const [run] = match;
    if (!run.startsWith('*') || run.length < length || (length === 1 && run.length === 2)) continue;
    const before = text[match.index - 1];
    const after = text[match.index + run.length];
    if (!isSpace(before) && (!isMark(before) || isSpace(after) || isMark(after))) {
      return match.index + run.length - length;
    }
  }
  return -1;
}

/**
 * @param {string} text
 * @param {number} at where the `[` is
 * @param {Context} context
 * @param {number} depth
 * @param {boolean} isImage
 * @returns {Construct}
 */
function link(text, at, context, depth, isImage) {
  const match =
    /^\[((?:\\.|[^\\[\]]|\[[^\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/s.exec(
      text.slice(at, at + 4000),
    );
  if (!match) return null;
  const [whole, label = '', address = ''] = match;
  const end = at + whole.length;
  if (isImage) return { nodes: [image(label.replaceAll(/\\(.)/g, '$1'), address)], end };
  return { nodes: [anchor(address, inlineNodes(label, context, depth + 1))], end };
}

/** Only web addresses can be opened; DingTalk's own ones are shown for what they are.
 * @param {string} address @param {Node[]} label */
function anchor(address, label) {
  const sent = SEND_LINK.exec(address);
  if (sent) return h('button', { type: 'button', class: 'link send-link', 'data-url': address }, label);
  const isWeb = /^https?:\/\//i.test(address);
  const props = isWeb ? { href: address, target: '_blank', rel: 'noopener noreferrer' } : { title: address };
  return h('a', { class: isWeb ? 'link' : 'link inert', ...props }, label);
}

/** @param {string} alt @param {string} address */
function image(alt, address) {
  if (!/^https?:\/\//i.test(address)) return h('span', { class: 'no-image' }, alt || address);
  const element = h('img', { src: address, alt, loading: 'lazy', referrerpolicy: 'no-referrer' });
  element.addEventListener('error', () => element.replaceWith(h('span', { class: 'no-image' }, alt || address)), {
    once: true,
  });
  return element;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {Context} context
 * @param {number} depth
 * @returns {Construct}
 */
function tag(text, at, context, depth) {
  if (text.startsWith('<!--', at)) {
    const end = text.indexOf('-->', at);
    return { nodes: [], end: end === -1 ? text.length : end + 3 };
  }
  const match = TAG.exec(text.slice(at, at + 1000));
  if (!match) return null;
  const [whole, closing, name = '', attributes = ''] = match;
  const end = at + whole.length;
  const kind = name.toLowerCase();
  if (kind === 'br') return { nodes: [h('br', null)], end };
  const close = text.toLowerCase().indexOf(`</${kind}>`, end);
  if (closing || close === -1 || (kind !== 'font' && kind !== 'a')) return { nodes: [], end };
  const inner = inlineNodes(text.slice(end, close), context, depth + 1);
  const after = close + kind.length + 3;
  if (kind === 'font') {
    const colour = COLOURS.exec(attributes)?.[1] ?? 'plain';
    return { nodes: [h('span', { class: `font-${colour === 'grey' ? 'gray' : colour}` }, inner)], end: after };
  }
  return { nodes: /\batId=/i.test(attributes) ? [h('span', { class: 'mention' }, '@', inner)] : inner, end: after };
}

/** @param {string} text @param {number} at @returns {Construct} */
function entity(text, at) {
  const match = /^&([a-z]{2,6});/.exec(text.slice(at, at + 10));
  const sign = match?.[1] ? ENTITIES[match[1]] : undefined;
  return match && sign !== undefined ? { nodes: [], text: sign, end: at + match[0].length } : null;
}

/** @param {string} text @param {number} at @returns {Construct} */
function bareLink(text, at) {
  const address = BARE_LINK.exec(text.slice(at, at + 2000))?.[0].replace(/[.,;:!?]+$/, '');
  return address ? { nodes: [anchor(address, [document.createTextNode(address)])], end: at + address.length } : null;
}

/** A mention is the id in the text, shown as the name. @param {string} text @param {Context} context @returns {Node[]} */
function mentionNodes(text, { mentions }) {
  for (const [id, name] of mentions) {
    const at = text.indexOf(`@${id}`);
    if (at === -1) continue;
    const rest = new Map([...mentions].filter(([other]) => other !== id));
    const context = { dialect: /** @type {const} */ ('message'), mentions: rest };
    return [
      ...mentionNodes(text.slice(0, at), context),
      h('span', { class: 'mention' }, `@${name}`),
      ...mentionNodes(text.slice(at + id.length + 1), context),
    ];
  }
  return text === '' ? [] : [document.createTextNode(text)];
}

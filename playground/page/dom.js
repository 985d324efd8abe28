/**
 * Elements without a framework. Content only ever enters as text or as nodes, never as HTML.
 *
 * @typedef {Node | string | number | null | false | undefined | readonly Child[]} Child
 * @typedef {Record<string, unknown>} Props
 */

/**
 * Makes an element. `class`, `on…` handlers, `data-…`, `aria-…` and other attributes; `undefined`, `null` and `false`
 * leave an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
export function setProp(element, name, value) {
  if (name.startsWith('on') && typeof value === 'function') {
    element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? '' : `${/** @type {string | number} */ (value)}`);
  }
}

/**
 * @param {Node} parent
 * @param {readonly Child[]} children
 */
export function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) parent.appendChild(child);
    else if (typeof child === 'object') append(parent, child);
    else parent.appendChild(document.createTextNode(`${child}`));
  }
}

/**
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An icon drawn with one stroke, 24 by 24.
 *
 * @param {string} path
 * @param {string} [className]
 */
export function icon(path, className = 'icon') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/**
 * Brings the children of `parent` in line with a list, keeping elements that stay: what is open, focused, scrolled or
 * pressed in them remains so. An element that was moved would lose its focus and its press, so what goes is removed first.
 *
 * @template Item
 * @template {HTMLElement} Row
 * @param {HTMLElement} parent
 * @param {readonly Item[]} items
 * @param {{ key: (item: Item) => string, create: (item: Item) => Row, update?: (row: Row, item: Item) => void }} how
 */
export function reconcile(parent, items, { key, create, update }) {
  const wanted = new Set(items.map(key));
  /** @type {Map<string, Row>} */
  const known = new Map();
  const rows = /** @type {Row[]} */ (Array.from(parent.children));
  for (const row of rows) {
    const id = row.dataset.key ?? '';
    if (wanted.has(id) && !known.has(id)) known.set(id, row);
    else row.remove();
  }
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let row = known.get(id);
    known.delete(id);
    if (!row) {
      row = create(item);
      row.dataset.key = id;
    }
    update?.(row, item);
    if (row === next) next = next.nextElementSibling;
    else parent.insertBefore(row, next);
  }
}

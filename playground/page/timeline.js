import { h, icon } from './dom.js';
import { createEntry } from './entry.js';
import { isAsked } from './model.js';
import { followSendLinks } from './send-link.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').Part} Part
 * @typedef {import('./model.js').ChatItem} ChatItem
 */

/** Closer to the end than this, new text keeps the view at the end. */
const NEAR_END_PX = 90;

/** A place that moves so soon after a wheel, a touch, a key or a press was moved by a person. */
const BY_HAND_MS = 1_000;

/**
 * What was said in the open chat.
 *
 * @param {Ui} ui
 * @param {(text: string) => void} announce
 * @returns {Part}
 */
export function createTimeline(ui, announce) {
  const { model, words } = ui;
  const list = h('ol', { class: 'entries', 'data-testid': 'timeline' });
  const empty = h(
    'div',
    { class: 'empty' },
    h('img', { src: '/page/icon.svg', alt: '', width: 56, height: 56 }),
    h('p', { class: 'empty-title' }, words.emptyTitle),
    h('p', null, words.emptyText),
    h(
      'button',
      { type: 'button', class: 'text-button tour-offer', 'data-testid': 'tour-offer', onclick: () => ui.startTour() },
      words.tour.offer,
    ),
  );
  const toEnd = h(
    'button',
    { type: 'button', class: 'to-end', hidden: true, onclick: () => scrollToEnd() },
    words.toLatest,
    icon('M6 9l6 6 6-6'),
  );
  const scroller = h(
    'div',
    { class: 'timeline', role: 'log', 'aria-live': 'off', 'aria-label': words.chat, tabindex: 0 },
    empty,
    list,
  );
  followSendLinks(ui, list);
  /** @type {Map<string, import('./entry.js').Entry>} */
  const entries = new Map();
  let isAtEnd = true;

  const scrollToEnd = () => {
    isAtEnd = true;
    scroller.scrollTop = scroller.scrollHeight;
    toEnd.hidden = true;
  };
  let lastTop = 0;
  let byHandAtMs = Number.NEGATIVE_INFINITY;
  for (const type of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
    scroller.addEventListener(type, () => (byHandAtMs = performance.now()), { passive: true });
  }
  scroller.addEventListener('scroll', () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    // Only a person who scrolls up leaves the end. A tall message that has just come does not, and neither does a layout
    // that moves the place up, as when the field for the question becomes smaller.
    const isByHand = performance.now() - byHandAtMs < BY_HAND_MS;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) isAtEnd = true;
    else if (scrollTop < lastTop && isByHand) isAtEnd = false;
    lastTop = scrollTop;
    toEnd.hidden = isAtEnd;
  });
  // The typewriter makes the list grow without any event of ours; what is attached makes room for it smaller.
  const growth = new ResizeObserver(() => {
    if (isAtEnd) scrollToEnd();
    else toEnd.hidden = false;
  });
  growth.observe(list);
  growth.observe(scroller);

  /** @param {ChatItem} item @param {boolean} instant */
  const add = (item, instant) => {
    const known = entries.get(item.id);
    if (known) {
      known.update(item);
      return;
    }
    const entry = createEntry(ui, item, { instant, announce });
    entries.set(item.id, entry);
    list.append(entry.element);
    empty.hidden = true;
    if (isAsked(item)) scrollToEnd();
  };

  /** @param {string} id */
  const remove = (id) => {
    entries.get(id)?.element.remove();
    entries.delete(id);
  };

  /** Shows what there is now. Entries that stay keep their forms, and the view keeps its place. */
  const catchUp = () => {
    for (const id of entries.keys()) if (!model.item(id)) remove(id);
    empty.hidden = entries.size > 0;
    for (const item of model.itemsOf(ui.place.chat)) add(item, true);
    mark();
    if (entries.size === 0) scrollToEnd();
  };

  const rebuild = () => {
    entries.clear();
    list.replaceChildren();
    catchUp();
    scrollToEnd();
  };

  /** The question that the panel is about. */
  const mark = () => {
    const { question } = ui;
    for (const [id, { element }] of entries) {
      const item = model.item(id);
      const about = item && (isAsked(item) ? item.id : item.question);
      element.classList.toggle('looked-at', ui.place.question !== null && about === question?.id);
    }
  };

  const stops = [
    model.subscribe((change) => {
      if (change.kind === 'snapshot' || change.kind === 'cleared') catchUp();
      else if (change.kind === 'item' && change.item.chat === ui.place.chat) {
        // A person who asks wants to see the new answer, not the one looked at before.
        if (isAsked(change.item) && !entries.has(change.item.id)) ui.go({ question: null });
        add(change.item, false);
        for (const id of [...entries.keys()].slice(0, -300)) remove(id);
      }
    }),
    ui.onMove((change) => {
      if (change.chat !== undefined || change.speaker !== undefined) rebuild();
      else mark();
    }),
  ];
  rebuild();
  return {
    element: h('div', { class: 'timeline-frame' }, scroller, toEnd),
    dispose() {
      growth.disconnect();
      stops.forEach((stop) => stop());
    },
  };
}

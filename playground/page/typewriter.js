import { prefersLessMotion } from './preferences.js';

/**
 * Shows a text that grows in big steps as if it were being typed, the way DingTalk's own client does: how fast it
 * looks has nothing to do with how often it is updated. What is not typed yet is in the document already, empty.
 *
 * @typedef {{ node: Text, full: string, start: number }} Piece
 * @typedef {{ element: HTMLElement, start: number }} Container
 */

/** Never slower, in characters a second. */
const MIN_SPEED = 24;
/** What is left after the last frame is typed within this time. */
const FINAL_MS = 700;
/** Guess of the time to the next frame, before there have been two. */
const FIRST_GAP_MS = 700;
const MAX_GAP_MS = 2_400;
/** Everything but text that takes its turn: pictures, rules, line breaks. */
const ATOMS = 'img, hr, br';

/** @param {HTMLElement} target */
export function createTypewriter(target) {
  /** @type {Piece[]} */
  let pieces = [];
  /** @type {Container[]} */
  let containers = [];
  let total = 0;
  let shown = 0;
  let speed = MIN_SPEED;
  let text = '';
  let lastFrameAt = 0;
  let isFinal = false;
  let running = 0;
  const caret = document.createElement('span');
  caret.className = 'caret';
  caret.setAttribute('aria-hidden', 'true');
  /** @type {(() => void)[]} */
  let waiting = [];

  const measure = () => {
    pieces = [];
    containers = [];
    total = 0;
    const walker = document.createTreeWalker(target, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node instanceof Text) {
        pieces.push({ node, full: node.data, start: total });
        total += node.data.length;
      } else if (node instanceof HTMLElement) {
        containers.push({ element: node, start: total });
        if (node.matches(ATOMS)) total += 1;
      }
    }
  };

  /** @param {number} upTo */
  const reveal = (upTo) => {
    shown = upTo;
    const isTyping = upTo < total || !isFinal;
    /** @type {Text | null} */
    let last = null;
    for (const { node, full, start } of pieces) {
      const visible = full.slice(0, Math.max(0, upTo - start));
      if (node.data !== visible) node.data = visible;
      if (visible !== '') last = node;
    }
    for (const { element, start } of containers) element.toggleAttribute('hidden', start >= upTo && start > 0);
    if (isTyping && last) last.after(caret);
    else caret.remove();
  };

  const settle = () => {
    running = 0;
    if (!isFinal) return;
    for (const resolve of waiting.splice(0)) resolve();
  };

  /** @param {number} before */
  const step = (before) => {
    running = requestAnimationFrame((now) => {
      const next = Math.min(total, shown + ((now - before) / 1000) * speed);
      reveal(next);
      if (next < total) step(now);
      else settle();
    });
  };

  const finishNow = () => {
    cancelAnimationFrame(running);
    reveal(total);
    settle();
  };

  /** Only characters that stand where they stood before are kept; a replaced text is typed again. */
  const keptLength = (/** @type {string} */ before, /** @type {string} */ after) => {
    let same = 0;
    while (same < before.length && before[same] === after[same]) same += 1;
    return same;
  };

  return {
    /**
     * @param {DocumentFragment} fragment the whole text so far
     * @param {{ final: boolean, instant?: boolean }} how `instant`: as it is, for what happened before
     */
    show(fragment, { final, instant = false }) {
      const now = performance.now();
      const gap = lastFrameAt === 0 ? FIRST_GAP_MS : Math.min(MAX_GAP_MS, now - lastFrameAt);
      lastFrameAt = now;
      isFinal = final;
      const next = fragment.textContent ?? '';
      const kept = Math.min(shown, keptLength(text, next) + 1);
      text = next;
      cancelAnimationFrame(running);
      target.replaceChildren(fragment);
      measure();
      if (instant || prefersLessMotion() || document.hidden) {
        finishNow();
        return;
      }
      const rest = Math.max(0, total - kept);
      speed = Math.max(MIN_SPEED, (rest / (final ? Math.min(FINAL_MS, Math.max(200, rest * 12)) : gap * 1.15)) * 1000);
      reveal(Math.min(kept, total));
      step(now);
    },
    /** Resolves when the last frame is typed to its end. @returns {Promise<void>} */
    done: () =>
      new Promise((resolve) => {
        if (isFinal && shown >= total) resolve();
        else waiting.push(resolve);
      }),
  };
}

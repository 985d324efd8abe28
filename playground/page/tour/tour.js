import { fill, h, icon, setProp } from '../dom.js';
import { icons } from '../icons.js';
import { server } from '../server.js';
import { placeBeside, visibleBox } from './place.js';
import { hasNoCard, numbersOf, STEPS } from './steps.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../ui.js').Part} Part
 * @typedef {import('../model.js').QuestionItem} QuestionItem
 */

/**
 * Asks a question by itself and shows, step by step, what the function does with it. The page stays usable beneath.
 *
 * @param {Ui} ui
 * @returns {Part}
 */
export function createTour(ui) {
  const { model, words } = ui;
  const say = words.tour;
  const progress = h('p', { class: 'tour-progress', 'data-testid': 'tour-progress' });
  const title = h('h2', { id: 'tour-title', 'data-testid': 'tour-title' });
  const text = h('p', { id: 'tour-text', class: 'tour-text' });
  const numbers = h('dl', { class: 'tour-numbers' });
  const note = h('p', { class: 'tour-note', hidden: true });
  /** @param {string} id @param {string} label @param {() => void} onclick */
  const button = (id, label, onclick) =>
    h('button', { type: 'button', class: 'text-button', 'data-testid': id, onclick }, label);
  const back = button('tour-back', say.back, () => move(-1));
  const next = button('tour-next', say.next, () => move(1));
  next.classList.add('primary');
  const cross = h(
    'button',
    {
      type: 'button',
      class: 'icon-button tour-close',
      'data-testid': 'tour-close',
      'aria-label': say.close,
      title: say.close,
      onclick: () => close(),
    },
    icon(icons.cross),
  );
  const card = h(
    'section',
    {
      class: 'tour-card',
      role: 'dialog',
      tabindex: -1,
      'aria-labelledby': 'tour-title',
      'aria-describedby': 'tour-text',
      'data-testid': 'tour',
      onkeydown: onArrow,
    },
    h('div', { class: 'tour-head' }, progress, cross),
    title,
    text,
    numbers,
    note,
    h('div', { class: 'tour-foot' }, h('span', { class: 'tour-keys', 'aria-hidden': 'true' }, say.keys), back, next),
  );
  const ring = h('div', { class: 'tour-ring', 'aria-hidden': 'true', 'data-testid': 'tour-ring' });
  const element = h('div', { class: 'tour', hidden: true }, ring, card);
  /** A question is on its way: a second press on the same button asks no second one. */
  let isStarting = false;
  let following = 0;
  /** A person has scrolled: the tour does not scroll back before the next step. */
  let hasScrolled = false;
  let drawn = '';

  const step = () => STEPS[ui.tour?.step ?? 0];
  /** @returns {QuestionItem | null} */
  const question = () => {
    const item = model.item(ui.tour?.question ?? null);
    return item?.kind === 'question' ? item : null;
  };

  const start = async () => {
    if (isStarting) return;
    isStarting = true;
    const { chat } = ui.place;
    const id = await server.ask({ chat, from: ui.speaker, text: say.question });
    isStarting = false;
    if (id === null) return;
    ui.tour = { question: id, chat, step: 0 };
    show();
  };

  /** Brings what a step speaks of onto the screen. */
  const show = () => {
    const { tour } = ui;
    const now = step();
    if (!tour || !now) return;
    if (ui.place.chat !== tour.chat) ui.go({ chat: tour.chat });
    ui.go({ view: now.view, everything: false, ...(now.tab ? { tab: now.tab } : {}) });
    if (question()) ui.go({ question: tour.question });
    element.hidden = false;
    hasScrolled = false;
    drawn = '';
    render();
    bringIntoView();
    card.focus({ preventScroll: true });
    cancelAnimationFrame(following);
    follow();
  };

  /** @param {number} by */
  const move = (by) => {
    const { tour } = ui;
    if (!tour) return;
    if (tour.step + by >= STEPS.length) {
      close();
      return;
    }
    tour.step = Math.max(0, tour.step + by);
    show();
  };

  const close = () => {
    if (!ui.tour) return;
    ui.tour = null;
    hide();
    const opener = document.querySelector('[data-testid=tour-open]');
    if (opener instanceof HTMLElement) opener.focus();
  };
  const hide = () => {
    element.hidden = true;
    cancelAnimationFrame(following);
  };

  const targetOf = () => {
    for (const selector of step()?.targets ?? []) {
      const found = document.querySelector(selector);
      if (found && visibleBox(found)) return found;
    }
    return document.querySelector(step()?.targets[0] ?? '');
  };

  const bringIntoView = () => targetOf()?.scrollIntoView({ block: 'center' });

  const render = () => {
    const { tour } = ui;
    const now = step();
    if (!tour || !now) return;
    const { name } = now;
    const asked = question();
    const lines = asked ? numbersOf(ui, asked, name) : [];
    const lacksCard = asked !== null && hasNoCard(ui, asked);
    // Whatever has not changed stays as it is, so that nothing selected or read out is torn away.
    const state = JSON.stringify([tour.step, lines, lacksCard]);
    if (state === drawn) return;
    drawn = state;
    progress.textContent = say.progress(tour.step + 1, STEPS.length);
    title.textContent = say.steps[name].title;
    text.textContent = say.steps[name].text;
    setProp(card, 'data-step', name);
    fill(
      numbers,
      lines.map(([label, value]) =>
        h(
          'div',
          { 'data-testid': 'tour-number', 'data-known': value !== null },
          h('dt', null, label),
          h('dd', null, value ?? '…'),
        ),
      ),
    );
    note.hidden = !lacksCard && name !== 'death';
    note.textContent = name === 'death' ? say.trouble(words.trouble.functionKilled[0] ?? '') : say.noCard;
    back.disabled = tour.step === 0;
    next.textContent = tour.step === STEPS.length - 1 ? say.done : say.next;
  };

  /** The page moves by itself: text is typed, lists grow. */
  const follow = () => {
    const target = targetOf();
    // An answer that grows pushes what the step speaks of off the screen.
    if (target && !visibleBox(target) && !hasScrolled) bringIntoView();
    const box = target ? visibleBox(target) : null;
    ring.hidden = box === null;
    if (box) {
      for (const side of /** @type {const} */ (['left', 'top', 'width', 'height'])) ring.style[side] = `${box[side]}px`;
    }
    const { left, top } = placeBeside(box, { width: card.offsetWidth, height: card.offsetHeight });
    card.style.left = `${Math.round(left)}px`;
    card.style.top = `${Math.round(top)}px`;
    following = requestAnimationFrame(follow);
  };

  /** @param {KeyboardEvent} event */
  function onArrow(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'ArrowRight') move(1);
    else if (event.key === 'ArrowLeft') move(-1);
    else return;
    event.preventDefault();
  }
  /** @param {KeyboardEvent} event */
  const onEscape = (event) => {
    if (event.key === 'Escape' && !event.isComposing) close();
  };
  document.addEventListener('keydown', onEscape);
  const onScroll = () => {
    hasScrolled = true;
  };
  const byHand = /** @type {const} */ (['wheel', 'touchmove', 'pointerdown']);
  for (const kind of byHand) document.addEventListener(kind, onScroll, { passive: true });

  const stops = [
    ui.onTour(() => void start()),
    model.subscribe((change) => {
      const { tour } = ui;
      if (!tour) return;
      if (change.kind === 'cleared') {
        close();
        return;
      }
      // The question arrives by itself, perhaps after the answer to its sending.
      const isIt = change.kind === 'item' && change.item.id === tour.question;
      if (isIt && ui.place.question !== tour.question) ui.go({ question: tour.question });
      render();
    }),
  ];
  // After a change of language it goes on where it was.
  if (ui.tour) queueMicrotask(show);
  return {
    element,
    dispose() {
      hide();
      document.removeEventListener('keydown', onEscape);
      for (const kind of byHand) document.removeEventListener(kind, onScroll);
      stops.forEach((stop) => stop());
    },
  };
}

import { createCardParts } from './card-parts.js';
import { h, icon } from './dom.js';
import { icons } from './icons.js';
import { renderMarkdown } from './markdown/render.js';
import { createTypewriter } from './typewriter.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').CardItem} CardItem
 */

/**
 * An AI card in its four states, with what its template shows around the text. It ends when its text has been typed to
 * the end, as on a phone.
 *
 * @param {Ui} ui
 * @param {CardItem} first
 * @param {{ instant: boolean, onEnd: (card: CardItem, text: string) => void }} options `instant`: from before the page was opened
 */
export function createCardView(ui, first, { instant, onEnd }) {
  const { words } = ui;
  const body = h('div', { class: 'markdown', 'data-testid': 'card-text' });
  const waiting = h(
    'div',
    { class: 'processing', 'data-testid': 'card-processing' },
    h('span', null, words.ofTemplate(pendingTip(first)) || words.processing),
    h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i', null), h('i', null), h('i', null)),
  );
  const parts = createCardParts(ui, first.id);
  const footer = h('footer', { class: 'card-footer', hidden: true, 'data-testid': 'card-footer' });
  const mentions =
    first.mentions.length > 0
      ? h(
          'p',
          { class: 'card-mentions', 'data-testid': 'card-mentions' },
          first.mentions.map(({ name }) => h('span', { class: 'mention' }, `@${name}`)),
        )
      : null;
  const element = h(
    'article',
    { class: first.wide ? 'card wide' : 'card', 'data-testid': 'card', 'data-phase': 'processing' },
    mentions,
    waiting,
    parts.above,
    body,
    parts.below,
    footer,
  );
  const typewriter = createTypewriter(body);
  let shownContent = '';
  let shownPhase = 'processing';

  /** What is the latest, also while an older text is still being typed. */
  let latest = first;

  const end = () => {
    const card = latest;
    const hasFailed = card.phase === 'failed';
    element.dataset.phase = card.phase;
    footer.replaceChildren(
      icon(hasFailed ? icons.cross : icons.check),
      h('span', null, hasFailed ? words.failed : words.finished),
    );
    footer.hidden = false;
    parts.update(card);
    onEnd(card, body.textContent ?? '');
  };

  /** @param {CardItem} card @param {boolean} isInstant */
  const update = (card, isInstant) => {
    const isFinal = card.phase === 'finished' || card.phase === 'failed';
    latest = card;
    if (card.content === shownContent && card.phase === shownPhase) {
      if (element.dataset.phase === card.phase) parts.update(card);
      return;
    }
    shownContent = card.content;
    shownPhase = card.phase;
    waiting.hidden = card.phase !== 'processing' && (card.content !== '' || isFinal);
    if (!isFinal) {
      element.dataset.phase = card.phase;
      parts.update(card);
    }
    typewriter.show(renderMarkdown(card.content, 'card'), { final: isFinal, instant: isInstant });
    if (isFinal) void typewriter.done().then(end);
  };
  if (first.phase !== 'processing') update(first, instant);

  return { element, update: (/** @type {CardItem} */ card) => update(card, false) };
}

/** @param {CardItem} card */
function pendingTip({ drawn }) {
  const parts = Object.values(drawn)[0] ?? [];
  return parts.flatMap((part) => (part.kind === 'pending' ? part.text : []))[0] ?? '';
}

import { robotAvatar } from './avatar.js';
import { createCardView } from './card-view.js';
import { h, icon } from './dom.js';
import { createFileView } from './file-view.js';
import { icons } from './icons.js';
import { renderMarkdown } from './markdown/render.js';
import { createQuestion, createTap, quoteButton } from './said.js';
import { clockTime } from './ui.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').ChatItem} ChatItem
 * @typedef {import('./model.js').MessageItem} MessageItem
 * @typedef {{ element: HTMLElement, update: (item: ChatItem) => void }} Entry
 */

/**
 * One line of a chat: who says it, and what.
 *
 * @param {Ui} ui
 * @param {ChatItem} item
 * @param {{ instant: boolean, announce: (text: string) => void }} options
 * @returns {Entry}
 */
export function createEntry(ui, item, { instant, announce }) {
  const { words } = ui;
  switch (item.kind) {
    case 'question':
      return createQuestion(ui, item);
    case 'tap':
      return createTap(ui, item);
    case 'message': {
      const text = messageBody(ui, item);
      if (!instant) announce(words.answered(item.file?.name || (text.textContent ?? '')));
      return { element: robotLine(ui, item, text), update: () => undefined };
    }
    case 'card': {
      if (!instant) announce(words.answering(ui.robot));
      let isAnnounced = instant;
      const view = createCardView(ui, item, {
        instant,
        onEnd(card, text) {
          if (!isAnnounced) announce(card.phase === 'failed' ? words.answerFailed(text) : words.answered(text));
          isAnnounced = true;
        },
      });
      return {
        element: robotLine(ui, item, view.element),
        update(next) {
          if (next.kind === 'card') view.update(next);
        },
      };
    }
  }
}

/** @param {Ui} ui @param {MessageItem} item */
function messageBody(ui, { text, mentions, file }) {
  if (file) return h('div', { class: 'sent-file', 'data-testid': 'robot-file' }, createFileView(ui, file));
  const names = new Map(mentions.map(({ id, name }) => [id, name]));
  return h('div', { class: 'bubble markdown', 'data-testid': 'robot-message' }, renderMarkdown(text, 'message', names));
}

/**
 * @param {Ui} ui
 * @param {ChatItem & { question: string | null }} item
 * @param {HTMLElement} body
 */
function robotLine(ui, item, body) {
  return h(
    'li',
    { class: 'entry robot-entry', 'data-testid': 'entry', 'data-kind': item.kind },
    robotAvatar(),
    h(
      'div',
      { class: 'said' },
      h('div', { class: 'said-by' }, h('span', null, ui.robot), h('time', null, clockTime(item.at))),
      body,
      h('div', { class: 'said-meta' }, quoteButton(ui, item.id), detailsButton(ui, item.question)),
    ),
  );
}

/** @param {Ui} ui @param {string | null} question */
function detailsButton(ui, question) {
  const props = {
    type: 'button',
    class: 'meta-button',
    'data-testid': 'details',
    'aria-label': ui.words.detailsLabel,
    onclick: () => ui.go({ question, view: 'panel', tab: ui.place.tab === 'trouble' ? 'answer' : ui.place.tab }),
  };
  return h('button', props, icon(icons.details), ui.words.details);
}

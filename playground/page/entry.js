import { personAvatar, robotAvatar } from './avatar.js';
import { createCardView } from './card-view.js';
import { fill, h, icon, setProp } from './dom.js';
import { icons } from './icons.js';
import { renderMarkdown } from './markdown/render.js';
import { server } from './server.js';
import { clockTime } from './ui.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').ChatItem} ChatItem
 * @typedef {import('./model.js').QuestionItem} QuestionItem
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
    case 'message': {
      const text = messageBody(item);
      if (!instant) announce(words.answered(text.textContent ?? ''));
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

/** @param {MessageItem} item */
function messageBody({ text, mentions }) {
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
      h('div', { class: 'said-meta' }, detailsButton(ui, item.question)),
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

/**
 * @param {Ui} ui
 * @param {QuestionItem} first
 * @returns {Entry}
 */
function createQuestion(ui, first) {
  const { words, model } = ui;
  const person = model.person(first.from) ?? { id: first.from, name: first.from };
  const isMine = first.from === ui.speaker;
  const isGroup = model.chat(first.chat)?.kind === 'group';
  const state = h('span', { class: 'delivery', 'data-testid': 'delivery' });
  const again = h('span', { class: 'delivery again', 'data-testid': 'redeliveries' });
  const redeliver = h(
    'button',
    {
      type: 'button',
      class: 'meta-button',
      'data-testid': 'redeliver',
      'aria-label': words.redeliverLabel,
      title: words.redeliverLabel,
      onclick: () => void server.redeliver(first.id),
    },
    icon(icons.again),
    words.redeliver,
  );
  const text = h(
    'div',
    { class: 'bubble own-text' },
    isGroup ? h('span', { class: 'mention' }, `@${ui.robot} `) : null,
    first.text,
  );
  const element = h(
    'li',
    { class: `entry person-entry${isMine ? ' mine' : ''}`, 'data-testid': 'entry', 'data-kind': 'question' },
    personAvatar(person),
    h(
      'div',
      { class: 'said' },
      h('div', { class: 'said-by' }, h('span', null, person.name), h('time', null, clockTime(first.at))),
      text,
      h('div', { class: 'said-meta' }, state, again, redeliver),
    ),
  );
  /** @param {ChatItem} item */
  const update = (item) => {
    if (item.kind !== 'question') return;
    const [delivery, ...others] = item.deliveries;
    const { status = null, ms = null } = delivery ?? {};
    fill(state, status === null ? words.delivering : status === 200 ? words.delivered(ms ?? 0) : words.refused(status));
    setProp(state, 'data-status', status);
    const repeated = others.filter((other) => other.status === 200).length;
    fill(again, repeated > 0 ? words.redelivered(repeated) : null);
  };
  update(first);
  return { element, update };
}

import { personAvatar } from './avatar.js';
import { fill, h, icon, setProp } from './dom.js';
import { createFileView } from './file-view.js';
import { icons } from './icons.js';
import { server } from './server.js';
import { clockTime } from './ui.js';

/**
 * What people say and do.
 *
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').ChatItem} ChatItem
 * @typedef {import('./model.js').QuestionItem} QuestionItem
 * @typedef {import('./model.js').TapItem} TapItem
 * @typedef {import('./entry.js').Entry} Entry
 */

/**
 * @param {Ui} ui
 * @param {QuestionItem} first
 * @returns {Entry}
 */
export function createQuestion(ui, first) {
  const { words, model } = ui;
  const person = ui.person(first.from) ?? { id: first.from, name: first.from };
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
  const body = [
    first.quote ? quoteLine(ui, first.quote) : null,
    first.text
      ? h(
          'div',
          { class: 'bubble own-text' },
          isGroup ? h('span', { class: 'mention' }, `@${ui.robot} `) : null,
          first.text,
        )
      : null,
    first.record
      ? h(
          'div',
          { class: 'bubble own-text', 'data-testid': 'record' },
          h('b', null, words.record),
          first.record.map(({ name, text, file }) => h('div', null, words.says(name, text || (file?.name ?? '')))),
        )
      : null,
    first.files.length > 0
      ? h(
          'div',
          { class: 'sent-files', 'data-testid': 'sent-files' },
          first.files.map((file) => createFileView(ui, file)),
        )
      : null,
    first.recognition === null
      ? null
      : h('p', { class: 'recognition' }, first.recognition ? words.recognised(first.recognition) : words.notRecognised),
  ];
  const element = h(
    'li',
    { class: `entry person-entry${isMine ? ' mine' : ''}`, 'data-testid': 'entry', 'data-kind': 'question' },
    personAvatar(person),
    h(
      'div',
      { class: 'said' },
      h('div', { class: 'said-by' }, h('span', null, person.name), h('time', null, clockTime(first.at))),
      body,
      h('div', { class: 'said-meta' }, state, again, quoteButton(ui, first.id), redeliver),
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

/** A question in one line. @param {Ui} ui @param {QuestionItem} question */
export const lineOf = ({ words }, { text, recognition, record, files }) =>
  text || recognition || (record ? words.record : files.map(({ name }) => name).join('、'));

/** @param {Ui} ui @param {NonNullable<QuestionItem['quote']>} quote */
export function quoteLine(ui, { from, text }) {
  const name = from === null ? ui.robot : (ui.person(from)?.name ?? from);
  return h('blockquote', { class: 'quoted', 'data-testid': 'quoted' }, h('b', null, `${name}: `), text);
}

/** @param {Ui} ui @param {string} id */
export function quoteButton(ui, id) {
  const props = {
    type: 'button',
    class: 'meta-button',
    'data-testid': 'quote',
    'aria-label': ui.words.quoteLabel,
    onclick: () => ui.quote(id),
  };
  return h('button', props, icon(icons.quote), ui.words.quote);
}

/**
 * A tap on a button: DingTalk shows nothing of it, but here one wants to see how long it took.
 *
 * @param {Ui} ui
 * @param {TapItem} first
 * @returns {Entry}
 */
export function createTap(ui, first) {
  const { words } = ui;
  const state = h('span', { class: 'delivery' });
  const element = h(
    'li',
    { class: 'tap-entry', 'data-testid': 'tap', 'data-action': first.actionId },
    h(
      'button',
      { type: 'button', 'aria-label': words.detailsLabel, onclick: () => ui.go({ question: first.id, view: 'panel' }) },
      icon(icons.tap),
      h('span', { class: 'tap-words' }, words.tapped(ui.person(first.from)?.name ?? first.from, first.text)),
      state,
    ),
  );
  /** @param {ChatItem} item */
  const update = (item) => {
    if (item.kind !== 'tap') return;
    const { status = null, ms = null } = item.deliveries[0] ?? {};
    fill(state, status === null ? '…' : status === 200 ? `${ms ?? 0} ms` : words.refused(status));
    setProp(state, 'data-status', status);
  };
  update(first);
  return { element, update };
}

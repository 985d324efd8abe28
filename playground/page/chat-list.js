import { groupAvatar, personAvatar } from './avatar.js';
import { h, reconcile, setProp } from './dom.js';
import { renderMarkdown } from './markdown/render.js';
import { isAsked } from './model.js';
import { lineOf } from './said.js';
import { clockTime } from './ui.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').Part} Part
 * @typedef {import('./model.js').ChatInfo} ChatInfo
 * @typedef {import('./model.js').ChatItem} ChatItem
 */

/**
 * The chats, with the line that DingTalk would show: of a card what it was made with, and then its text, where that line
 * follows the answer.
 *
 * @param {Ui} ui
 * @returns {Part}
 */
export function createChatList(ui) {
  const { model, words } = ui;
  const singles = h('ul', { class: 'chat-rows' });
  const groups = h('ul', { class: 'chat-rows' });
  /** Chats in which something was answered while one was elsewhere. @type {Set<string>} */
  const unread = new Set();

  /** @param {ChatItem} item */
  const summary = (item) => {
    if (item.kind === 'tap') return '';
    const isPerson = item.kind === 'question';
    const speaker = isPerson ? (ui.person(item.from)?.name ?? '') : ui.robot;
    const text =
      item.kind === 'card' ? plainText(item.summary ?? '') : isPerson ? lineOf(ui, item) : (item.title ?? item.text);
    const [file] = isPerson ? item.files : item.kind === 'message' && item.file ? [item.file] : [];
    const line = file ? `[${words.fileKinds[file.kind]}] ${text || file.name}` : text;
    return model.chat(item.chat)?.kind === 'group' || !isPerson ? words.says(speaker, line) : line;
  };

  /** @param {ChatInfo} chat */
  const create = (chat) => {
    const people = chat.members.flatMap((id) => ui.person(id) ?? []);
    const [person] = people;
    const isExternal = chat.kind === 'single' && person?.staffId === null;
    const avatar = chat.kind === 'group' || !person ? groupAvatar(people) : personAvatar(person);
    return h(
      'li',
      null,
      h(
        'button',
        {
          type: 'button',
          class: 'chat-row',
          'data-testid': 'chat',
          'data-chat': chat.id,
          'aria-label': `${ui.name(chat.title)}, ${chat.kind === 'group' ? words.members(people.length) : words.single}`,
          onclick: () => ui.go({ chat: chat.id, view: 'chat' }),
        },
        avatar,
        h(
          'span',
          { class: 'chat-name' },
          h('span', { class: 'ellipsis' }, ui.name(chat.title)),
          isExternal ? h('span', { class: 'tag' }, words.external) : null,
        ),
        h('time', { class: 'chat-time' }),
        h('span', { class: 'chat-line ellipsis', 'data-testid': 'chat-line' }),
        h('span', { class: 'unread-dot', 'aria-hidden': 'true' }),
      ),
    );
  };

  /** @param {HTMLElement} row @param {ChatInfo} chat */
  const update = (row, chat) => {
    const button = /** @type {HTMLElement} */ (row.firstElementChild);
    // DingTalk's chat list does not show presses.
    const last = model.itemsOf(chat.id).findLast(({ kind }) => kind !== 'tap');
    const line = /** @type {HTMLElement} */ (button.querySelector('.chat-line'));
    const time = /** @type {HTMLElement} */ (button.querySelector('.chat-time'));
    line.textContent = last ? summary(last) : words.noMessages;
    line.classList.toggle('faint', !last);
    time.textContent = last ? clockTime(last.at) : '';
    setProp(button, 'aria-current', chat.id === ui.place.chat ? 'true' : null);
    button.classList.toggle('unread', unread.has(chat.id));
  };

  const render = () => {
    unread.delete(ui.place.chat);
    const how = { key: (/** @type {ChatInfo} */ { id }) => id, create, update };
    reconcile(
      singles,
      model.chats.filter(({ kind }) => kind === 'single'),
      how,
    );
    reconcile(
      groups,
      model.chats.filter(({ kind }) => kind === 'group'),
      how,
    );
  };

  const stops = [
    model.subscribe((change) => {
      if (change.kind === 'item' && !isAsked(change.item)) unread.add(change.item.chat);
      if (change.kind === 'cleared') unread.clear();
      if (change.kind !== 'call' && change.kind !== 'log' && change.kind !== 'frame') render();
    }),
    ui.onMove(render),
  ];
  render();
  return {
    element: h(
      'nav',
      { class: 'chat-list', 'aria-label': words.chats, 'data-view': 'chats' },
      h('h2', null, words.singles),
      singles,
      h('h2', null, words.groups),
      groups,
    ),
    dispose: () => stops.forEach((stop) => stop()),
  };
}

/** More than a line has room for. */
const MAX_LINE_CHARS = 200;

/** The beginning of an answer without its marks. @param {string} text */
const plainText = (text) =>
  [...renderMarkdown(text.slice(0, MAX_LINE_CHARS), 'card').childNodes]
    .map(({ textContent }) => textContent?.trim())
    .join(' ');

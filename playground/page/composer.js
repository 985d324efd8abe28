import { fill, h, icon } from './dom.js';
import { icons } from './icons.js';
import { server } from './server.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').Part} Part
 */

/** Lines of the field before it scrolls. */
const MAX_HEIGHT_PX = 132;

/**
 * Where one types. Enter sends, Shift+Enter breaks the line.
 *
 * @param {Ui} ui
 * @returns {Part}
 */
export function createComposer(ui) {
  const { model, words } = ui;
  const field = h('textarea', {
    id: 'message',
    rows: 1,
    'data-testid': 'composer',
    'aria-label': words.message,
    'aria-describedby': 'composer-hint',
    placeholder: words.placeholder,
    maxlength: 10_000,
    oninput: () => {
      ui.drafts.set(ui.place.chat, field.value);
      fit();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      // Enter also ends the choice of a Chinese word; that one is not ours.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void submit();
    },
  });
  const speaker = h('select', {
    'data-testid': 'speaker',
    'aria-label': words.speakAs,
    onchange: () => ui.speakAs(speaker.value),
  });
  const speakerBox = h('label', { class: 'speaker' }, h('span', null, words.speakAs), speaker);
  const mention = h('span', { class: 'mention composer-mention', 'aria-hidden': 'true' });
  const sendButton = h(
    'button',
    { type: 'submit', class: 'send', 'data-testid': 'send', 'aria-label': words.send },
    icon(icons.send),
    h('span', null, words.send),
  );
  const chips = h(
    'div',
    { class: 'chips', role: 'group', 'aria-label': words.quick },
    words.samples.map(([label = '', text = '']) =>
      h(
        'button',
        {
          type: 'button',
          class: text.startsWith('/') ? 'chip command' : 'chip',
          'data-testid': 'chip',
          'data-text': text,
          title: text,
          onclick: () => void say(text),
        },
        label,
      ),
    ),
  );

  const fit = () => {
    field.style.height = 'auto';
    field.style.height = `${Math.min(MAX_HEIGHT_PX, field.scrollHeight)}px`;
    sendButton.classList.toggle('ready', field.value.trim() !== '');
  };

  /** @param {string} text */
  const say = (text) => server.send({ chat: ui.place.chat, from: ui.speaker, text });

  const submit = async () => {
    const text = field.value.trim();
    if (text === '') return;
    field.value = '';
    ui.drafts.delete(ui.place.chat);
    fit();
    if (await say(text)) return;
    // Nothing typed is lost because the server is away.
    field.value = text;
    fit();
  };

  const render = () => {
    const { chat } = ui;
    const isGroup = chat?.kind === 'group';
    speakerBox.hidden = !isGroup;
    mention.hidden = !isGroup;
    mention.textContent = `@${ui.robot}`;
    fill(
      speaker,
      (chat?.members ?? []).map((id) => h('option', { value: id }, model.person(id)?.name ?? id)),
    );
    speaker.value = ui.speaker;
  };

  const stops = [
    ui.onMove((change) => {
      if (change.chat === undefined) return;
      render();
      field.value = ui.drafts.get(change.chat) ?? '';
      fit();
    }),
  ];
  render();
  field.value = ui.drafts.get(ui.place.chat) ?? '';
  queueMicrotask(fit);
  const form = h(
    'form',
    {
      class: 'composer',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void submit();
      },
    },
    chips,
    h('div', { class: 'composer-box' }, h('div', { class: 'composer-line' }, mention, field), speakerBox, sendButton),
    h('p', { class: 'composer-hint', id: 'composer-hint' }, words.hint),
  );
  return { element: form, dispose: () => stops.forEach((stop) => stop()) };
}

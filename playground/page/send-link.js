import { h } from './dom.js';
import { server } from './server.js';

/**
 * Links that send a text in the name of the person who clicks (`dtmd://dingtalkclient/sendMessage`). In a single chat that is what
 * happens. In a group it is not known whether the robot is mentioned, so there the words are shown that one has to type.
 *
 * @param {import('./ui.js').Ui} ui
 * @param {HTMLElement} list where the links are
 */
export function followSendLinks(ui, list) {
  list.addEventListener('click', ({ target }) => {
    const link = target instanceof Element ? target.closest('.send-link') : null;
    if (!(link instanceof HTMLElement)) return;
    const { url = '' } = link.dataset;
    if (ui.chat?.kind === 'group') showWords(ui, link, textOf(url));
    else void server.follow({ chat: ui.place.chat, from: ui.speaker, url });
  });
}

/** @param {string} url */
function textOf(url) {
  try {
    return decodeURIComponent(url.slice(url.indexOf('=') + 1));
  } catch {
    return url;
  }
}

/** @param {import('./ui.js').Ui} ui @param {HTMLElement} link @param {string} text */
function showWords(ui, link, text) {
  const block = link.closest('.card, .bubble');
  block?.parentElement?.querySelector('.type-this')?.remove();
  const note = h(
    'p',
    { class: 'type-this', role: 'status', 'data-testid': 'type-this' },
    ui.words.typeThis,
    ' ',
    h('kbd', null, `@${ui.robot} ${text}`),
  );
  block?.after(note);
}

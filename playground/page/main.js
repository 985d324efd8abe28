import { createChatList } from './chat-list.js';
import { createChatView } from './chat-view.js';
import { fill, h, icon, setProp } from './dom.js';
import { icons } from './icons.js';
import { createModel } from './model.js';
import { createPanel } from './panel/panel.js';
import { applyTheme, preferredLanguage, wordsOf } from './preferences.js';
import { listen, server } from './server.js';
import { createTopbar } from './topbar.js';
import { createTour } from './tour/tour.js';
import { createUi } from './ui.js';

/**
 * The page: chats on the left, the open one in the middle, what happens behind it on the right.
 *
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').View} View
 */

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announcer'));
/** Longest text that is read out by itself; the rest can be read in the card. */
const MAX_SPOKEN_CHARS = 400;

/** @param {string} text */
const announce = (text) => {
  announcer.textContent = text.slice(0, MAX_SPOKEN_CHARS);
};

/** Narrow screens show one part at a time. @param {Ui} ui @param {HTMLElement} shell */
function createBottomBar(ui, shell) {
  const { words } = ui;
  /** @type {readonly { view: View, label: string, path: string }[]} */
  const views = [
    { view: 'chats', label: words.chats, path: icons.chats },
    { view: 'chat', label: words.chat, path: icons.chat },
    { view: 'panel', label: words.panel, path: icons.panel },
  ];
  const buttons = views.map(({ view, label, path }) => ({
    view,
    button: h(
      'button',
      { type: 'button', 'data-testid': `view-${view}`, onclick: () => ui.go({ view }) },
      icon(path),
      label,
    ),
  }));
  const render = () => {
    shell.dataset.view = ui.place.view;
    for (const { view, button } of buttons) setProp(button, 'aria-current', view === ui.place.view ? 'true' : null);
  };
  const stop = ui.onMove(render);
  render();
  return {
    element: h(
      'nav',
      { class: 'bottom-bar', 'aria-label': words.title },
      buttons.map(({ button }) => button),
    ),
    dispose: stop,
  };
}

/** The robot speaks the language of the page, unless `REPLY_LANGUAGE` or the settings say otherwise. @param {Ui} ui */
async function speakAsPage({ model: { setup }, replyLanguage }) {
  if (setup.followsPage && setup.replyLanguage !== replyLanguage) await server.configure({ replyLanguage });
}

/** @param {Ui} ui */
function mount(ui) {
  document.documentElement.lang = ui.language === 'zh' ? 'zh-CN' : 'en';
  document.title = `${ui.words.title} · Dify on DingTalk`;
  const shell = h('div', { class: 'shell' });
  const parts = [
    createTopbar(ui, () => {
      ui.setLanguage(ui.language === 'zh' ? 'en' : 'zh');
      void speakAsPage(ui);
      parts.forEach(({ dispose }) => dispose());
      mount(ui);
      const button = document.querySelector('[data-testid=language]');
      if (button instanceof HTMLElement) button.focus();
    }),
    createChatList(ui),
    createChatView(ui, announce),
    createPanel(ui),
    createBottomBar(ui, shell),
  ];
  shell.append(...parts.map(({ element }) => element));
  const tour = createTour(ui);
  parts.push(tour);
  fill(root, shell, tour.element);
}

applyTheme();
const words = () => wordsOf(preferredLanguage());
const notice = h('div', { class: 'notice', role: 'alert', hidden: true });
document.body.append(notice);
document.documentElement.lang = preferredLanguage() === 'zh' ? 'zh-CN' : 'en';
fill(root, h('p', { class: 'loading' }, words().connecting));

/** @type {Ui | undefined} */
let ui;
listen({
  async onSnapshot(snapshot) {
    notice.hidden = true;
    if (ui) {
      ui.model.replace(snapshot);
      await speakAsPage(ui);
      return;
    }
    ui = createUi(createModel(snapshot));
    await speakAsPage(ui);
    mount(ui);
    // Where there is a keyboard one can ask at once; on a phone it would cover the page.
    if (matchMedia('(pointer: fine)').matches) document.getElementById('message')?.focus();
  },
  onChange: (change) => ui?.model.change(change),
  onLost() {
    notice.hidden = false;
    notice.textContent = words().lost;
  },
});

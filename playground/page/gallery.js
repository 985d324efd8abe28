import { fill, h, icon, setProp } from './dom.js';
import { icons } from './icons.js';
import { renderMarkdown } from './markdown/render.js';
import { applyTheme, isDark, keep, preferredLanguage, wordsOf } from './preferences.js';

/**
 * Every construct of markdown: what an app wrote, and what reaches a chat.
 *
 * @typedef {import('../server/protocol.ts').GalleryEntry} GalleryEntry
 * @typedef {import('./preferences.js').Language} Language
 */

const root = /** @type {HTMLElement} */ (document.getElementById('app'));

/** @param {string} className @param {string} label @param {HTMLElement} shown @param {string} raw @param {string} rawLabel */
const pane = (className, label, shown, raw, rawLabel) =>
  h(
    'div',
    { class: `pane ${className}` },
    h('h3', null, label),
    shown,
    h('details', { class: 'raw' }, h('summary', null, rawLabel), h('pre', { tabindex: 0 }, raw)),
  );

/** @param {GalleryEntry} entry @param {Language} language */
function section({ id, name, source, card, message }, language) {
  const words = wordsOf(language);
  const drawnCard = h('article', { class: 'card', 'data-testid': 'gallery-card' });
  drawnCard.append(h('div', { class: 'markdown' }, renderMarkdown(card, 'card')));
  const bubble = h(
    'div',
    { class: 'bubble markdown', 'data-testid': 'gallery-message' },
    renderMarkdown(message, 'message'),
  );
  return h(
    'section',
    { id, class: 'sample', 'data-testid': `gallery-${id}` },
    h('h2', null, h('a', { href: `#${id}` }, name[language])),
    h(
      'div',
      { class: 'panes' },
      h('div', { class: 'pane source' }, h('h3', null, words.gallerySource), h('pre', { tabindex: 0 }, source)),
      pane('on-card', words.galleryCard, drawnCard, card, words.galleryRaw),
      pane('in-message', words.galleryMessage, bubble, message, words.galleryRaw),
    ),
  );
}

/** @param {readonly GalleryEntry[]} entries @param {Language} language */
function mount(entries, language) {
  const words = wordsOf(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = `${words.gallery} · Dify on DingTalk`;
  const theme = h('button', { class: 'icon-button', type: 'button', 'data-testid': 'theme', onclick: toggle });
  function toggle() {
    keep('theme', isDark() ? 'light' : 'dark');
    applyTheme();
    showTheme();
  }
  function showTheme() {
    fill(theme, icon(isDark() ? icons.sun : icons.moon));
    setProp(theme, 'aria-label', isDark() ? words.toLight : words.toDark);
  }
  showTheme();
  const other = language === 'zh' ? 'en' : 'zh';
  const switchLanguage = () => {
    keep('language', other);
    void show(other);
  };
  fill(
    root,
    h(
      'header',
      { class: 'topbar' },
      h('a', { href: '/', class: 'home', 'aria-label': words.backToChats, title: words.backToChats, 'data-testid': 'back' },
        h('img', { class: 'logo', src: '/page/icon.svg', alt: '', width: 28, height: 28 })),
      h('div', { class: 'brand' }, h('h1', null, words.gallery), h('p', null, words.subtitle)),
      h('span', { class: 'spacer' }),
      h('a', { class: 'text-button', href: '/' }, words.backToChats),
      theme,
      h('button', { class: 'text-button', type: 'button', 'data-testid': 'language', 'aria-label': words.languageLabel, onclick: switchLanguage }, words.language),
    ),
    h(
      'div',
      { class: 'gallery' },
      h(
        'nav',
        { class: 'contents', 'aria-label': words.galleryContents },
        h('ul', null, entries.map(({ id, name }) => h('li', null, h('a', { href: `#${id}` }, name[language])))),
      ),
      h('main', { class: 'samples' }, h('p', { class: 'intro' }, words.galleryIntro), entries.map((entry) => section(entry, language))),
    ),
  ); // prettier-ignore
}

/** What the function adds to an answer is in the language of the page. @param {Language} language */
async function show(language) {
  const response = await fetch(`/playground/gallery?language=${language === 'zh' ? 'zh-CN' : 'en'}`);
  mount(/** @type {GalleryEntry[]} */ (await response.json()), language);
}

applyTheme();
await show(preferredLanguage());
if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();

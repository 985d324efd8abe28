import { fill, h, icon, setProp } from './dom.js';
import { icons } from './icons.js';
import { askFirst } from './ask-first.js';
import { applyTheme, isDark, keep } from './preferences.js';
import { server } from './server.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').Part} Part
 */

/**
 * The bar above everything: which app answers, troubles that are on, language, light or dark.
 *
 * @param {Ui} ui
 * @param {() => void} onLanguage
 * @returns {Part}
 */
export function createTopbar(ui, onLanguage) {
  const { model, words } = ui;
  const app = h('select', {
    id: 'app-choice',
    'data-testid': 'app-choice',
    onchange: () => void server.configure({ app: app.value }),
  });
  const warning = h('button', {
    class: 'badge warning',
    type: 'button',
    'data-testid': 'trouble-badge',
    onclick: () => ui.go({ tab: 'trouble', view: 'panel' }),
  });
  const theme = h('button', { class: 'icon-button', type: 'button', 'data-testid': 'theme', onclick: toggleTheme });

  function toggleTheme() {
    keep('theme', isDark() ? 'light' : 'dark');
    applyTheme();
    showTheme();
  }

  function showTheme() {
    fill(theme, icon(isDark() ? icons.sun : icons.moon));
    setProp(theme, 'aria-label', isDark() ? words.toLight : words.toDark);
    setProp(theme, 'title', isDark() ? words.toLight : words.toDark);
  }

  const render = () => {
    const { setup } = model;
    fill(
      app,
      setup.apps.map(({ id, name, type, real }) =>
        h(
          'option',
          { value: id },
          [ui.name(name), ...(type === ui.name(name).toLowerCase() ? [] : [type])].join(' · '),
          real ? ` (${words.realApp})` : '',
        ),
      ),
    );
    app.value = setup.app;
    const count = Object.values(setup.trouble).filter(Boolean).length;
    warning.hidden = count === 0;
    fill(warning, icon(icons.warn), h('span', null, words.troubleOn(count)));
  };
  const unsubscribe = model.subscribe(({ kind }) => {
    if (kind === 'setup' || kind === 'snapshot') render();
  });
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', showTheme);
  render();
  showTheme();

  const element = h(
    'header',
    { class: 'topbar' },
    h('img', { class: 'logo', src: '/page/icon.svg', alt: '', width: 28, height: 28 }),
    h('div', { class: 'brand' }, h('h1', null, words.title), h('p', null, words.subtitle)),
    h('div', { class: 'app-choice' }, h('label', { for: 'app-choice' }, words.answersFrom), app),
    warning,
    h('span', { class: 'spacer' }),
    h(
      'button',
      {
        class: 'text-button tour-open',
        type: 'button',
        'data-testid': 'tour-open',
        'aria-label': words.tour.openLabel,
        title: words.tour.openLabel,
        onclick: () => ui.startTour(),
      },
      words.tour.open,
    ),
    h(
      'a',
      {
        class: 'icon-button',
        href: '/gallery',
        'data-testid': 'gallery',
        'aria-label': words.gallery,
        title: words.gallery,
      },
      icon(icons.gallery),
    ),
    h(
      'button',
      {
        class: 'icon-button',
        type: 'button',
        'data-testid': 'reset',
        'aria-label': words.resetLabel,
        title: words.resetLabel,
        onclick: () => askFirst(ui, { onYes: () => void server.reset() }),
      },
      icon(icons.trash),
    ),
    theme,
    h(
      'button',
      {
        class: 'text-button',
        type: 'button',
        'data-testid': 'language',
        'aria-label': words.languageLabel,
        onclick: onLanguage,
      },
      words.language,
    ),
  );
  return {
    element,
    dispose() {
      unsubscribe();
      scheme.removeEventListener('change', showTheme);
    },
  };
}

import { h, setProp } from '../dom.js';
import { server } from '../server.js';
import { withDocLinks } from './doc-link.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../model.js').Setup} Setup
 * @typedef {keyof Setup['trouble']} TroubleName
 */

/**
 * Switches for everything that goes wrong in real life, and the settings of the next answer.
 *
 * @param {Ui} ui
 */
export function createTroubleTab(ui) {
  const { words, model } = ui;
  const names = /** @type {TroubleName[]} */ (Object.keys(words.trouble));
  const switches = names.map((name) => {
    const [label = '', ...explanations] = words.trouble[name];
    const state = h('span', { class: 'switch-state' });
    const button = h(
      'button',
      {
        type: 'button',
        role: 'switch',
        class: 'switch',
        'data-testid': `trouble-${name}`,
        'aria-describedby': `explain-${name}`,
        onclick: () => void server.trouble(name, !model.setup.trouble[name]),
      },
      h('span', { class: 'switch-track', 'aria-hidden': 'true' }),
      h('span', { class: 'switch-label' }, label),
      state,
    );
    const row = h(
      'li',
      { class: 'trouble' },
      button,
      h(
        'dl',
        { id: `explain-${name}` },
        words.troubleParts.map((part, index) =>
          h('div', null, h('dt', null, part), h('dd', null, withDocLinks(ui, explanations[index] ?? ''))),
        ),
      ),
    );
    return { name, row, button, state };
  });

  /**
   * @param {string} id
   * @param {string} label
   * @param {readonly (readonly [value: string, label: string])[]} choices
   * @param {(value: string) => void} onChoice
   */
  const choice = (id, label, choices, onChoice) => {
    const select = h(
      'select',
      { id, 'data-testid': id, onchange: () => onChoice(select.value) },
      choices.map(([value, text]) => h('option', { value }, text)),
    );
    return { select, row: h('div', { class: 'setting' }, h('label', { for: id }, label), select) };
  };
  const streaming = choice(
    'setting-streaming',
    words.streaming,
    Object.entries(words.streamings).map(([value, label]) => [value, `${label} · ${value}`]),
    (value) => void server.configure({ streaming: /** @type {Setup['streaming']} */ (value) }),
  );
  const language = choice(
    'setting-language',
    words.replyLanguage,
    [
      ['page', words.asPage],
      ['zh-CN', '中文 · zh-CN'],
      ['en', 'English · en'],
    ],
    (value) => {
      const followsPage = value === 'page';
      const replyLanguage = followsPage ? ui.replyLanguage : /** @type {Setup['replyLanguage']} */ (value);
      void server.configure({ followsPage, replyLanguage });
    },
  );
  const press = choice(
    'setting-press',
    words.press,
    Object.entries(words.presses).map(([value, label]) => [value, label]),
    (value) => void server.configure({ press: /** @type {Setup['press']} */ (value) }),
  );
  /** @param {'showThinking' | 'buttons'} name @param {string} id @param {string} label */
  const settingSwitch = (name, id, label) => {
    const state = h('span', { class: 'switch-state' });
    const button = h(
      'button',
      {
        type: 'button',
        role: 'switch',
        class: 'switch',
        'data-testid': id,
        onclick: () => void server.configure({ [name]: !model.setup[name] }),
      },
      h('span', { class: 'switch-track', 'aria-hidden': 'true' }),
      h('span', { class: 'switch-label' }, label),
      state,
    );
    return {
      button,
      render() {
        setProp(button, 'aria-checked', String(model.setup[name]));
        state.textContent = model.setup[name] ? words.on : words.off;
      },
    };
  };
  const thinking = settingSwitch('showThinking', 'setting-thinking', words.showThinking);
  const buttons = settingSwitch('buttons', 'setting-buttons', words.buttonTemplate);

  const render = () => {
    const { setup } = model;
    for (const { name, row, button, state } of switches) {
      const isOn = setup.trouble[name];
      setProp(button, 'aria-checked', String(isOn));
      row.classList.toggle('active', isOn);
      state.textContent = isOn ? words.on : words.off;
    }
    streaming.select.value = setup.streaming;
    language.select.value = setup.followsPage ? 'page' : setup.replyLanguage;
    press.select.value = setup.press;
    thinking.render();
    buttons.render();
  };
  return {
    element: h(
      'section',
      { class: 'trouble-tab' },
      h('p', { class: 'hint' }, words.troubleNote),
      h(
        'ul',
        { class: 'troubles' },
        switches.map(({ row }) => row),
      ),
      h('h3', null, words.settings),
      h('p', { class: 'hint' }, words.settingsNote),
      h(
        'div',
        { class: 'settings' },
        streaming.row,
        language.row,
        thinking.button,
        buttons.button,
        h('p', { class: 'hint' }, words.buttonTemplateNote),
        press.row,
        h('p', { class: 'hint' }, words.pressNote),
      ),
    ),
    render,
  };
}

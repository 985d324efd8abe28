import { h } from '../dom.js';

/**
 * Whether a list is about one answer or about everything.
 *
 * @param {import('../ui.js').Ui} ui
 */
export function createScopeSwitch(ui) {
  const { words } = ui;
  /** @param {boolean} everything @param {string} label */
  const choice = (everything, label) => h('button', { type: 'button', onclick: () => ui.go({ everything }) }, label);
  const one = choice(false, words.onlyThis);
  const all = choice(true, words.everything);
  return {
    element: h('div', { class: 'scope', role: 'group' }, one, all),
    render() {
      one.setAttribute('aria-pressed', String(!ui.place.everything));
      all.setAttribute('aria-pressed', String(ui.place.everything));
    },
    /** @template {{ question: string | null }} Item @param {readonly Item[]} items @returns {readonly Item[]} */
    filter: (items) => (ui.place.everything ? items : items.filter(({ question }) => question === ui.question?.id)),
  };
}

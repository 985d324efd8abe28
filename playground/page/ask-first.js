import { h } from './dom.js';

/**
 * Asks before everything is deleted. The browser keeps the focus inside, and Escape keeps everything.
 *
 * @param {import('./ui.js').Ui} ui
 * @param {{ onYes: () => void }} options
 */
export function askFirst({ words }, { onYes }) {
  /** @param {string} value @param {string} label @param {string} [extra] */
  const button = (value, label, extra = '') =>
    h('button', { class: `text-button ${extra}`, value, 'data-testid': `reset-${value}` }, label);
  const dialog = h(
    'dialog',
    { class: 'ask-first', 'aria-labelledby': 'ask-first-title', 'aria-describedby': 'ask-first-text' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'ask-first-title' }, words.resetTitle),
      h('p', { id: 'ask-first-text' }, words.resetText),
      h('div', { class: 'ask-first-foot' }, button('keep', words.resetKeep), button('yes', words.resetDo, 'danger')),
    ),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (dialog.returnValue === 'yes') onYes();
  });
  document.body.append(dialog);
  dialog.showModal();
}

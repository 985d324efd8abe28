import { h, icon } from '../dom.js';
import { icons } from '../icons.js';
import { server } from '../server.js';

/**
 * Copies a call as a command for a shell. Where the browser does not let it, the command is shown to be copied by hand.
 *
 * @param {import('../ui.js').Ui} ui
 * @param {import('../model.js').Call} call
 */
export function createCopyCurl({ words }, call) {
  if (call.target === null || call.method === null) return null;
  const shown = h('pre', { class: 'json', tabindex: 0, hidden: true, 'data-testid': 'curl-text' });
  const state = h('span', { class: 'copy-state', role: 'status' });
  const copy = async () => {
    const text = await server.curl(call.id);
    if (text === null) {
      state.textContent = words.curlGone;
      return;
    }
    shown.textContent = text;
    shown.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      state.textContent = words.copied;
    } catch {
      state.textContent = words.copyByHand;
    }
  };
  const props = { type: 'button', class: 'copy-curl', 'data-testid': 'copy-curl', title: words.curlNote };
  return h(
    'div',
    { class: 'curl' },
    h('button', { ...props, onclick: () => void copy() }, icon(icons.copy), words.copyCurl),
    state,
    shown,
  );
}

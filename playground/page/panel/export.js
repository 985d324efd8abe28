import { h, icon, setProp } from '../dom.js';
import { icons } from '../icons.js';

/**
 * Downloads what happened as JSON to test with, without secrets and without people's ids.
 *
 * @param {import('../ui.js').Ui} ui
 */
export function createExportBar(ui) {
  const { words } = ui;
  /** @param {string} id @param {string} label */
  const link = (id, label) =>
    h(
      'a',
      { class: 'export-link', 'data-testid': id, download: 'playground-fixture.json', title: words.exportNote },
      label,
    );
  const one = link('export-one', words.exportOne);
  const all = link('export-all', words.exportAll);
  setProp(all, 'href', '/playground/export');
  const element = h(
    'div',
    { class: 'export-bar', role: 'group', 'aria-label': words.exportNote, hidden: true },
    icon(icons.download),
    h('span', { class: 'export-label ellipsis' }, words.exportLabel),
    one,
    all,
  );
  return {
    element,
    render() {
      const { question } = ui;
      element.hidden = question === null;
      if (question) setProp(one, 'href', `/playground/export?question=${encodeURIComponent(question.id)}`);
    },
  };
}

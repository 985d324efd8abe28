import { h, reconcile } from '../dom.js';
import { fieldValue } from './doc-link.js';
import { createScopeSwitch } from './scope.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../model.js').LogLine} LogLine
 */

/**
 * The function's own log, a JSON object a line.
 *
 * @param {Ui} ui
 */
export function createLogTab(ui) {
  const { words, model } = ui;
  const scope = createScopeSwitch(ui);
  const list = h('ol', { class: 'logs', 'data-testid': 'logs' });
  const nothing = h('p', { class: 'nothing' }, words.nothingYet);

  /** @param {LogLine} line */
  const create = ({ fields }) => {
    const { time, level, event, ...rest } = fields;
    return h(
      'li',
      { class: 'log-line', 'data-level': level, 'data-testid': 'log-line' },
      h(
        'p',
        { class: 'log-head' },
        h('span', { class: 'log-level' }, String(level)),
        h('span', { class: 'log-event' }, String(event)),
        h('time', null, String(time).slice(11, 23)),
      ),
      h(
        'p',
        { class: 'log-fields' },
        Object.entries(rest)
          .filter(([, value]) => value !== null && value !== undefined)
          .map(([name, value]) => h('span', null, h('b', null, name), ' ', fieldValue(ui, name, value), ' ')),
      ),
    );
  };

  const render = () => {
    scope.render();
    const lines = scope.filter(model.logs());
    nothing.hidden = lines.length > 0;
    reconcile(list, lines, { key: ({ id }) => String(id), create });
  };
  return { element: h('section', { class: 'log-tab' }, scope.element, nothing, list), render };
}

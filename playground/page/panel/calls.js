import { fill, h, reconcile, setProp } from '../dom.js';
import { bytes, clockTime, duration } from '../ui.js';
import { createCopyCurl } from './copy-curl.js';
import { createScopeSwitch } from './scope.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../model.js').Call} Call
 */

/**
 * Every call that the function made, in order.
 *
 * @param {Ui} ui
 */
export function createCallsTab(ui) {
  const { words, model } = ui;
  const scope = createScopeSwitch(ui);
  const list = h('ol', { class: 'calls', 'data-testid': 'calls' });
  const nothing = h('p', { class: 'nothing' }, words.nothingYet);
  const element = h('section', { class: 'calls-tab' }, scope.element, nothing, list);

  /** When the call was made, counted from its question. @param {Call} call */
  const since = (call) => {
    const question = model.item(call.question);
    if (!question) return clockTime(call.at);
    return `+${((call.at - question.at) / 1000).toFixed(2)} s`;
  };

  /** @param {Call} call */
  const create = (call) => {
    const body = h('div', { class: 'call-body' });
    const details = h(
      'details',
      { class: 'call', 'data-testid': 'call', 'data-service': call.service },
      h(
        'summary',
        null,
        h('span', { class: 'call-since' }, since(call)),
        h('span', { class: 'call-service' }, words.services[call.service]),
        h(
          'span',
          { class: 'call-name ellipsis' },
          call.method && call.method !== 'POST' ? `${call.method} ${call.name}` : call.name,
        ),
        h('span', { class: 'call-status' }),
        h('span', { class: 'call-ms' }),
      ),
      body,
    );
    details.addEventListener('toggle', () => showBody(details, call.id));
    return h('li', null, details);
  };

  /** @param {HTMLDetailsElement} details @param {number} id */
  const showBody = (details, id) => {
    const body = /** @type {HTMLElement} */ (details.querySelector('.call-body'));
    const call = details.open ? model.calls().find((known) => known.id === id) : undefined;
    if (!call) {
      body.replaceChildren();
      return;
    }
    fill(
      body,
      h(
        'p',
        { class: 'call-line' },
        `${words.upDown} ${bytes(call.requestBytes)} / ${bytes(call.responseBytes)}`,
        call.service === 'dingtalk' ? ` · ${call.counted ? words.counted : words.free}` : '',
      ),
      createCopyCurl(ui, call),
      h('h4', null, words.request),
      code(call.request),
      h('h4', null, words.response),
      code(call.response),
    );
  };

  /** @param {string | null} text */
  const code = (text) =>
    text === null || text === '' || text === 'null'
      ? h('p', { class: 'no-body' }, words.noBody)
      : h('pre', { class: 'json', tabindex: 0 }, pretty(text));

  /** @param {HTMLElement} row @param {Call} call */
  const update = (row, call) => {
    const details = /** @type {HTMLDetailsElement} */ (row.firstElementChild);
    const state = call.ms === null ? 'running' : call.code === 'ok' ? 'ok' : 'failed';
    if (details.dataset.state !== state) {
      setProp(details, 'data-state', state);
      if (details.open) showBody(details, call.id);
    }
    fill(
      /** @type {HTMLElement} */ (row.querySelector('.call-status')),
      state === 'running' ? words.running : statusOf(call),
    );
    fill(/** @type {HTMLElement} */ (row.querySelector('.call-ms')), call.ms === null ? '…' : duration(call.ms));
  };

  const render = () => {
    scope.render();
    const calls = scope.filter(model.calls());
    nothing.hidden = calls.length > 0;
    reconcile(list, calls, { key: ({ id }) => String(id), create, update });
  };
  return { element, render };
}

/** @param {Call} call */
function statusOf({ status, code }) {
  if (code === 'ok') return status === null ? 'ok' : String(status);
  const short = code?.split('.').at(-1) ?? '';
  return status === null || String(status) === code ? short : `${status} ${short}`;
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a stream, or a body that was cut
  }
}

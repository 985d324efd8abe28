import { fill, h, reconcile, setProp } from '../dom.js';
import { duration } from '../ui.js';
import { fieldValue } from './doc-link.js';
import { factsOf } from './facts.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../model.js').Call} Call
 * @typedef {object} Tile
 * @property {string} id
 * @property {string} label
 * @property {string} value
 * @property {string} note
 * @property {string | null} [row] where the documents tell of what failed
 * @property {[name: string, value: string | null]} logged the field of `turn_finished` on the same
 * @property {string} [extra]
 */

/** Bars shorter than this could not be seen. */
const MIN_BAR_PERCENT = 0.6;

/**
 * What this answer took, and when.
 *
 * @param {Ui} ui
 */
export function createAnswerTab(ui) {
  const { words, model } = ui;
  const tiles = h('dl', { class: 'tiles' });
  const bars = h('ol', { class: 'bars', 'data-testid': 'bars' });
  const axis = h('div', { class: 'axis', 'aria-hidden': 'true' });
  const legend = h(
    'ul',
    { class: 'legend' },
    Object.entries(words.services).map(([service, label]) => h('li', { 'data-service': service }, label)),
  );
  const content = h(
    'div',
    null,
    tiles,
    h('div', { class: 'timeline-head' }, h('h3', null, words.timeline), legend),
    axis,
    bars,
  );
  const nothing = h('p', { class: 'nothing' }, words.nothingYet);
  const element = h('section', { class: 'answer-tab' }, nothing, content);

  /** @param {Tile} tile */
  const createTile = ({ id, label, value, note, row = null, logged: [name, figure], extra = '' }) =>
    h(
      'div',
      { class: `tile ${extra}`, 'data-testid': `tile-${id}` },
      h('dt', null, label),
      h('dd', { class: 'value' }, value),
      h('dd', { class: 'note' }, note, row === null ? null : fieldValue(ui, 'row', row)),
      figure === null
        ? null
        : h('dd', { class: 'note logged', 'data-testid': `logged-${name}` }, words.inLog(name, figure)),
    );

  /** @param {Call} call */
  const createBar = (call) =>
    h(
      'li',
      null,
      h(
        'button',
        { type: 'button', class: 'bar-row', 'data-service': call.service, onclick: () => ui.go({ tab: 'calls' }) },
        h('span', { class: 'bar-name ellipsis' }, call.name),
        h('span', { class: 'bar-track' }, h('span', { class: 'bar' })),
        h('span', { class: 'bar-ms' }),
      ),
    );

  const render = () => {
    const { question } = ui;
    nothing.hidden = question !== null;
    content.hidden = question === null;
    if (!question) return;
    const facts = factsOf(model, question);
    const { tiles: say } = words;
    const { logged } = facts;
    /** @param {number | null} value */
    const count = (value) => (value === null ? null : String(value));
    /** @param {number | null} ms */
    const time = (ms) => (ms === null ? null : duration(ms));
    /** @type {Tile[]} */
    const figures = [
      {
        id: 'calls',
        label: say.calls,
        value: String(facts.counted),
        note: [
          facts.answersAMonth === null ? say.callsNone : say.callsNote(facts.answersAMonth),
          facts.registrations > 0 ? say.registered(facts.registrations) : '',
        ].join(''),
        logged: ['calls', count(logged.calls)],
        extra: 'wide accent',
      },
      {
        id: 'ack',
        label: say.ack,
        value: duration(facts.ackMs),
        note: question.kind === 'tap' ? say.tapNote : say.ackNote,
        logged: ['acceptMs', time(logged.acceptMs)],
      },
      {
        id: 'first',
        label: say.first,
        value: duration(facts.firstWordsMs),
        note: say.firstNote(duration(facts.difyFirstByteMs)),
        logged: ['firstTextMs', time(logged.firstTextMs)],
      },
      {
        id: 'end',
        label: say.end,
        value: duration(facts.endMs),
        note: facts.card ? say.endNote(facts.frames.length, facts.characters) : say.endMessage(facts.messages.length),
        logged: ['totalMs', time(logged.totalMs)],
      },
      {
        id: 'store',
        label: say.store,
        value: String(facts.storeRequests),
        note: `${say.outcome}${words.colon}${words.outcomes[facts.outcome]} `,
        row: logged.row,
        logged: ['storeRequests', count(logged.storeRequests)],
      },
    ];
    // A tile stays as long as it says the same: so does a press on its link that has begun.
    reconcile(tiles, figures, { key: (tile) => JSON.stringify(tile), create: createTile });
    const now = facts.isRunning ? Date.now() - question.at : 0;
    const ends = facts.calls.map((call) => call.at - question.at + (call.ms ?? 0));
    const total = Math.max(500, now, ...ends);
    fill(
      axis,
      [0, 0.25, 0.5, 0.75, 1].map((part) =>
        h('span', null, part === 0 ? '0' : `${((total * part) / 1000).toFixed(1)} s`),
      ),
    );
    reconcile(bars, facts.calls, {
      key: ({ id }) => String(id),
      create: createBar,
      update(row, call) {
        const start = ((call.at - question.at) / total) * 100;
        const length = call.ms === null ? 100 - start : (call.ms / total) * 100;
        const bar = /** @type {HTMLElement} */ (row.querySelector('.bar'));
        bar.style.insetInlineStart = `${Math.max(0, Math.min(start, 100 - MIN_BAR_PERCENT))}%`;
        bar.style.inlineSize = `${Math.max(MIN_BAR_PERCENT, length)}%`;
        setProp(bar, 'data-state', call.ms === null ? 'running' : call.code === 'ok' ? 'ok' : 'failed');
        const ms = /** @type {HTMLElement} */ (row.querySelector('.bar-ms'));
        ms.textContent = call.ms === null ? '…' : duration(call.ms);
      },
    });
  };
  return { element, render };
}

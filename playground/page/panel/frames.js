import { fill, h, reconcile, setProp } from '../dom.js';
import { renderMarkdown } from '../markdown/render.js';
import { factsOf } from './facts.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../model.js').Frame} Frame
 */

/**
 * The raw snapshots that DingTalk was given, each the whole text so far.
 *
 * @param {Ui} ui
 */
export function createFramesTab(ui) {
  const { words, model } = ui;
  const list = h('ol', { class: 'frames', 'data-testid': 'frames' });
  const heading = h('h3', { id: 'frame-heading' });
  const seen = h('div', { class: 'markdown frame-seen', tabindex: 0, role: 'group', 'data-testid': 'frame-seen' });
  const text = h('pre', {
    class: 'frame-text',
    tabindex: 0,
    'aria-labelledby': 'frame-heading',
    'data-testid': 'frame-text',
  });
  const nothing = h('p', { class: 'nothing' });
  const both = h(
    'div',
    { class: 'frame-both' },
    h('div', null, heading, text),
    h('div', null, h('h3', { id: 'frame-seen-heading' }, words.frameSeen), seen),
  );
  seen.setAttribute('aria-labelledby', 'frame-seen-heading');
  const content = h('div', null, list, both);
  const element = h('section', { class: 'frames-tab' }, nothing, content);

  /** @param {Frame} frame */
  const create = (frame) =>
    h(
      'li',
      null,
      h(
        'button',
        { type: 'button', class: 'frame', 'data-testid': 'frame', onclick: () => ui.go({ frame: frame.index }) },
        h('span', { class: 'frame-number' }, `#${frame.index + 1}`),
        h('span', { class: 'frame-at' }),
        h('span', { class: 'frame-size' }, h('i', { class: 'frame-fill' })),
        h('span', { class: 'frame-length' }),
        h('span', { class: 'frame-state' }),
      ),
    );

  const render = () => {
    const { question } = ui;
    const facts = question ? factsOf(model, question) : null;
    const frames = facts?.frames ?? [];
    nothing.hidden = frames.length > 0;
    content.hidden = frames.length === 0;
    nothing.textContent = facts && !facts.isRunning ? words.noFrames : words.nothingYet;
    const longest = Math.max(1, ...frames.map(charactersOf));
    const chosen = frames.find(({ index }) => index === ui.place.frame) ?? frames.at(-1);
    reconcile(list, frames, {
      key: ({ card, index }) => `${card} ${index}`,
      create,
      update(row, frame) {
        const state = frame.error ? 'error' : frame.final ? 'final' : 'typing';
        /** @param {string} name */
        const part = (name) => /** @type {HTMLElement} */ (row.querySelector(`.${name}`));
        part('frame-at').textContent = `+${((frame.at - (question?.at ?? frame.at)) / 1000).toFixed(2)} s`;
        part('frame-fill').style.inlineSize = `${(charactersOf(frame) / longest) * 100}%`;
        part('frame-length').textContent = words.characters(charactersOf(frame));
        part('frame-state').textContent = words.frame[state];
        setProp(part('frame'), 'data-state', state);
        setProp(part('frame'), 'aria-pressed', String(frame === chosen));
      },
    });
    if (!chosen) return;
    fill(heading, words.frameText(chosen.index + 1));
    const shown = chosen.content === '' ? words.frame.empty : chosen.content;
    if (text.textContent === shown) return;
    text.textContent = shown;
    fill(seen, chosen.content === '' ? words.frame.empty : renderMarkdown(chosen.content, 'card'));
  };
  return { element, render };
}

/** @param {Frame} frame */
const charactersOf = ({ content }) => Array.from(content).length;

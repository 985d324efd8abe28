import { fill, h, setProp } from '../dom.js';
import { lineOf } from '../said.js';
import { createAnswerTab } from './answer.js';
import { createCallsTab } from './calls.js';
import { createExportBar } from './export.js';
import { createFramesTab } from './frames.js';
import { createLogTab } from './log.js';
import { createTroubleTab } from './trouble.js';

/**
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../ui.js').Tab} Tab
 * @typedef {{ element: HTMLElement, render: () => void }} TabView
 */

/** @type {readonly Tab[]} */
const TABS = ['answer', 'calls', 'frames', 'log', 'trouble'];

/**
 * What a developer wants to know. Only the open tab is drawn, at most once a frame.
 *
 * @param {Ui} ui
 * @returns {import('../ui.js').Part}
 */
export function createPanel(ui) {
  const { model, words } = ui;
  /** @type {Record<Tab, TabView>} */
  const views = {
    answer: createAnswerTab(ui),
    calls: createCallsTab(ui),
    frames: createFramesTab(ui),
    log: createLogTab(ui),
    trouble: createTroubleTab(ui),
  };
  const about = h('p', { class: 'about ellipsis', 'data-testid': 'about' });
  const exportBar = createExportBar(ui);
  const body = h('div', { class: 'tab-body', role: 'tabpanel', id: 'tab-body', tabindex: 0 });
  const tabs = TABS.map((tab) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${tab}`,
        'data-testid': `tab-${tab}`,
        'aria-controls': 'tab-body',
        onclick: () => ui.go({ tab }),
        onkeydown: onArrow,
      },
      words.tabs[tab],
    ),
  );

  /** @param {import('../model.js').QuestionItem | import('../model.js').TapItem} question */
  const aboutWords = (question) => {
    if (question.kind === 'tap') return words.tapped(ui.person(question.from)?.name ?? question.from, question.text);
    return `“${lineOf(ui, question)}”`;
  };

  /** Arrow keys move between tabs, as everywhere. @param {KeyboardEvent} event */
  function onArrow(event) {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const next = (TABS.indexOf(ui.place.tab) + step + TABS.length) % TABS.length;
    ui.go({ tab: TABS[next] ?? 'answer' });
    tabs[next]?.focus();
  }

  let scheduled = 0;
  const render = () => {
    scheduled = 0;
    const { tab } = ui.place;
    TABS.forEach((name, index) => {
      const button = tabs[index];
      if (!button) return;
      setProp(button, 'aria-selected', String(name === tab));
      setProp(button, 'tabindex', name === tab ? 0 : -1);
    });
    setProp(body, 'aria-labelledby', `tab-${tab}`);
    const { question } = ui;
    about.hidden = tab === 'trouble' || !question;
    fill(about, question ? aboutWords(question) : '');
    const view = views[tab];
    if (body.firstElementChild !== view.element) {
      body.replaceChildren(view.element);
      body.scrollTop = 0;
    }
    view.render();
    exportBar.render();
  };
  const schedule = () => {
    // A hidden page draws nothing; a timer still brings it up to date.
    scheduled ||= document.hidden ? window.setTimeout(render, 500) : requestAnimationFrame(render);
  };
  // What one clicks on shows at once; what happens by itself, once a frame.
  const stops = [model.subscribe(schedule), ui.onMove(render)];
  // A running answer's clock goes on without events.
  const timer = setInterval(() => {
    if (ui.place.tab === 'answer') schedule();
  }, 250);
  render();
  return {
    element: h(
      'aside',
      { class: 'panel', 'aria-label': words.developerPanel, 'data-view': 'panel', 'data-testid': 'panel' },
      h('div', { class: 'tabs', role: 'tablist', 'aria-label': words.developerPanel }, tabs),
      about,
      body,
      exportBar.element,
    ),
    dispose() {
      clearInterval(timer);
      stops.forEach((stop) => stop());
    },
  };
}

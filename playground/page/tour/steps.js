import { factsOf } from '../panel/facts.js';
import { duration } from '../ui.js';

/**
 * What the tour shows, and the numbers of the question that it asked.
 *
 * @typedef {import('../ui.js').Ui} Ui
 * @typedef {import('../ui.js').View} View
 * @typedef {import('../ui.js').Tab} Tab
 * @typedef {import('../model.js').QuestionItem} QuestionItem
 * @typedef {import('../model.js').Call} Call
 * @typedef {keyof Ui['words']['tour']['steps']} StepName
 * @typedef {readonly (readonly [label: string, value: string | null])[]} Numbers `null`: not known yet
 * @typedef {object} Step
 * @property {StepName} name
 * @property {View} view where it is on a narrow screen
 * @property {Tab | null} tab the one of the panel that it needs
 * @property {readonly string[]} targets selectors; the first that is there is pointed at
 */

/** How long a running answer is left to its function without a word (`LEASE_TIMING` of the function). */
const LEASE_MS = 30_000;

const CARD = '.looked-at[data-kind="card"] .card';

/** @type {readonly Step[]} */
export const STEPS = [
  {
    name: 'ack',
    view: 'chat',
    tab: 'answer',
    targets: ['.looked-at[data-kind="question"] .said', '.looked-at[data-kind="question"]'],
  },
  { name: 'open', view: 'panel', tab: 'answer', targets: ['[data-testid="bars"]'] },
  { name: 'frames', view: 'panel', tab: 'answer', targets: ['[data-testid="tile-calls"]'] },
  { name: 'typing', view: 'chat', tab: 'frames', targets: [CARD] },
  { name: 'final', view: 'panel', tab: 'frames', targets: ['.frame[data-state="final"]', '.frames'] },
  { name: 'store', view: 'panel', tab: 'answer', targets: ['[data-testid="tile-store"]'] },
  { name: 'reference', view: 'panel', tab: 'log', targets: ['.log-line:last-child', '.logs'] },
  { name: 'death', view: 'panel', tab: 'trouble', targets: ['.trouble:has([data-testid="trouble-functionKilled"])'] },
];

/** @param {Ui} ui @param {QuestionItem} question @param {StepName} name @returns {Numbers} */
export function numbersOf(ui, question, name) {
  const { words, model } = ui;
  const facts = factsOf(model, question);
  const { calls, frames } = facts;
  const { steps } = words.tour;
  /** @param {string} service @param {RegExp} called */
  const call = (service, called) => calls.find((each) => each.service === service && called.test(each.name));
  /** @param {Call | undefined} each */
  const span = (each) => each && each.ms !== null && `${since(each.at)} · ${duration(each.ms)}`;
  /** @param {number} at */
  const since = (at) => `+${duration(Math.max(0, at - question.at))}`;
  /** @param {number | null | undefined | false} ms */
  const time = (ms) => (typeof ms === 'number' ? duration(ms) : null);
  const characters = (/** @type {string} */ text) => words.characters(Array.from(text).length);

  switch (name) {
    case 'ack': {
      const { numbers } = steps.ack;
      return [
        [numbers.ack, time(facts.ackMs)],
        [numbers.accept, time(call('store', /^(?:accept|claim|hold)$/)?.ms)],
      ];
    }
    case 'open': {
      const { numbers } = steps.open;
      const run = call('dify', /(?:-messages|workflows\/run)$/);
      return [
        [numbers.card, span(call('dingtalk', /^createAndDeliver$/)) || null],
        [numbers.dify, run ? since(run.at) : null],
        [numbers.firstByte, facts.difyFirstByteMs === null ? null : `+${duration(facts.difyFirstByteMs)}`],
      ];
    }
    case 'frames': {
      const { numbers, ofMonth } = steps.frames;
      return [
        [numbers.frames, frames.length > 0 ? String(frames.length) : null],
        [numbers.calls, facts.counted > 0 ? ofMonth(String(facts.counted)) : null],
        [numbers.answers, facts.answersAMonth === null ? null : facts.answersAMonth.toLocaleString('en')],
      ];
    }
    case 'typing': {
      const { numbers } = steps.typing;
      const gaps = frames.slice(1).map((frame, index) => frame.at - (frames[index]?.at ?? frame.at));
      return [
        [numbers.first, time(facts.firstWordsMs)],
        [numbers.gap, gaps.length > 0 ? duration(Math.max(...gaps)) : null],
        [numbers.characters, facts.characters > 0 ? words.characters(facts.characters) : null],
      ];
    }
    case 'final': {
      const { numbers } = steps.final;
      const last = frames.find((frame) => frame.final || frame.error);
      return [
        [numbers.number, last ? `${last.index + 1} / ${frames.length}` : null],
        [numbers.at, last ? since(last.at) : null],
        [numbers.size, last ? characters(last.content) : null],
      ];
    }
    case 'store': {
      const { numbers } = steps.store;
      const finish = call('store', /^finish$/);
      return [
        [numbers.requests, facts.storeRequests > 0 ? String(facts.storeRequests) : null],
        [numbers.names, countedNames(calls.filter(({ service }) => service === 'store')) || null],
        [numbers.erased, finish && finish.code === 'ok' && finish.ms !== null ? since(finish.at + finish.ms) : null],
      ];
    }
    case 'reference': {
      const { numbers } = steps.reference;
      const lines = model.logs().filter((line) => line.question === question.id);
      const ended = lines.findLast(({ fields }) => fields['event'] === 'turn_finished')?.fields;
      const tokens = ended?.['tokens'];
      const turn = lines.find(({ fields }) => typeof fields['turn'] === 'string')?.fields['turn'];
      return [
        [numbers.reference, typeof turn === 'string' ? turn : null],
        [numbers.lines, lines.length > 0 ? String(lines.length) : null],
        [numbers.tokens, typeof tokens === 'number' ? tokens.toLocaleString('en') : null],
      ];
    }
    case 'death': {
      const { numbers } = steps.death;
      const stream = call('dify', /(?:-messages|workflows\/run)$/)?.response ?? '';
      return [
        [numbers.lease, `${LEASE_MS / 1000} s`],
        [numbers.took, hasEnded(ui, question) ? time(facts.endMs) : null],
        [numbers.run, /"task_id": ?"([\w-]{8})/.exec(stream)?.[1] ?? null],
      ];
    }
  }
}

/** Whether some numbers will stay unknown. @param {Ui} ui @param {QuestionItem} question */
export function hasNoCard(ui, question) {
  return hasEnded(ui, question) && !factsOf(ui.model, question).card;
}

/** The log says it: a message alone may be the app's opening words. @param {Ui} ui @param {QuestionItem} question */
const hasEnded = (ui, question) =>
  ui.model.logs().some((line) => line.question === question.id && line.fields['event'] === 'turn_finished');

/** `accept 1 · renew 2`. @param {readonly Call[]} calls */
function countedNames(calls) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(' · ');
}

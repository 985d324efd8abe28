import { createCardForm } from './card-form.js';
import { h, icon, reconcile } from './dom.js';
import { icons } from './icons.js';
import { server } from './server.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').CardItem} CardItem
 * @typedef {import('./model.js').ButtonInfo} ButtonInfo
 * @typedef {import('./model.js').DrawnInfo} DrawnInfo
 * @typedef {Omit<ButtonInfo, 'label' | 'color'>} Press
 * @typedef {Exclude<DrawnInfo, { kind: 'pending' | 'answer' }> | { kind: 'failure' }} Part
 */

const ICONS = /** @type {Record<string, string>} */ ({
  stop: icons.stop,
  like: icons.like,
  dislike: icons.dislike,
  new: icons.fresh,
  retry: icons.again,
});

/**
 * What stands above and below the answer on a card, as the person sees it whose role the page has now. The card template
 * says which parts there are, and in which order.
 *
 * @param {Ui} ui
 * @param {string} id the card's
 */
export function createCardParts(ui, id) {
  const { words } = ui;
  const above = h('div', { class: 'card-parts above' });
  const below = h('div', { class: 'card-parts', 'data-testid': 'card-buttons' });
  const failure = h('p', { class: 'card-notice', role: 'status', 'data-testid': 'card-notice' });
  /** Presses that have no answer yet. @type {Set<string>} */
  const pending = new Set();
  /** Field and form keep what was typed while the card changes. @type {Map<string, ReturnType<typeof createCardForm>>} */
  const forms = new Map();
  let shown = '';
  /** @type {CardItem | null} */
  let card = null;

  /** @param {Press} press */
  const keyOf = ({ actionId, params }) => `${actionId} ${JSON.stringify(params)}`;

  /** @param {string} key @param {Press} press @param {string} label */
  const tap = async (key, press, label) => {
    if (pending.has(key)) return;
    pending.add(key);
    failure.textContent = '';
    draw();
    const isAnswered = await server.tap({ card: id, from: ui.speaker, ...press, label });
    pending.delete(key);
    draw();
    if (isAnswered) forms.get(key)?.forget();
    else failure.textContent = words.tapFailed;
  };

  /** @param {ButtonInfo} button @param {boolean} isList */
  const drawButton = (button, isList) => {
    const { actionId, params, color } = button;
    const key = keyOf(button);
    const label = words.ofTemplate(button.label);
    const path = isList || Object.hasOwn(params, 'reason') ? undefined : ICONS[actionId];
    const isPending = pending.has(key);
    const props = {
      type: 'button',
      class: `card-button ${color}`,
      'data-testid': `button-${actionId}`,
      'data-key': key,
      'aria-busy': isPending ? 'true' : undefined,
      // Not `disabled`: that would take the focus away.
      'aria-disabled': isPending ? 'true' : undefined,
      onclick: () => void tap(key, { actionId, params }, label),
    };
    return h(
      'button',
      props,
      path ? icon(path) : null,
      h('span', null, label),
      actionId === 'ask' ? icon(icons.ask) : null,
    );
  };

  /** @param {string} name @param {Parameters<typeof createCardForm>[1]['onSubmit']} onSubmit */
  const formOf = (name, onSubmit) => {
    const known = forms.get(name) ?? createCardForm(ui, { card: id, onSubmit });
    forms.set(name, known);
    return known;
  };

  /** @param {Extract<DrawnInfo, { kind: 'form' }>} part */
  const drawForm = ({ actionId, submit, fields }) => {
    const key = `${actionId} submit`;
    const label = words.ofTemplate(submit);
    const form = formOf(key, (values) => void tap(key, { actionId, params: { form: values } }, label));
    form.render({ key, fields, submit: label, isPending: pending.has(key) });
    return form.element;
  };

  /** @param {Extract<DrawnInfo, { kind: 'input' }>} part */
  const drawInput = ({ actionId, label, hint }) => {
    const key = `${actionId} input`;
    const form = formOf(
      key,
      ({ input = '' }) => void tap(key, { actionId, params: { input } }, words.ofTemplate(label)),
    );
    form.render({
      key,
      fields: [{ name: 'input', label: words.ofTemplate(label), type: 'text', options: [], value: '' }],
      hint: words.ofTemplate(hint),
      submit: words.send,
      isPending: pending.has(key),
    });
    return form.element;
  };

  /** @param {Extract<DrawnInfo, { kind: 'copy' }>} part */
  const drawCopy = ({ text }) =>
    h(
      'button',
      {
        type: 'button',
        class: 'card-copy',
        'data-testid': 'button-copy',
        'data-key': 'copy',
        onclick: (/** @type {MouseEvent} */ { currentTarget }) =>
          void navigator.clipboard.writeText(text).then(
            () => {
              if (currentTarget instanceof HTMLElement) currentTarget.lastElementChild?.replaceChildren(words.copied);
            },
            () => (failure.textContent = words.copyFailed),
          ),
      },
      icon(icons.copy),
      h('span', null, words.copy),
    );

  /** @param {Part} part */
  const drawPart = (part) => {
    switch (part.kind) {
      case 'text': {
        const { variable } = part;
        const role = variable === 'notice' ? 'status' : undefined;
        const props = {
          class: 'card-line',
          'data-variable': variable,
          role,
          'data-testid': `card-${variable ?? 'line'}`,
        };
        return h('p', props, words.ofTemplate(part.text));
      }
      case 'buttons': {
        const buttons = part.buttons.map((button) => drawButton(button, part.isList));
        const isQuestions = part.buttons[0]?.actionId === 'ask';
        const label = isQuestions ? words.suggestions : words.cardButtons;
        return h(
          'div',
          { class: isQuestions ? 'suggestions' : 'card-actions', role: 'group', 'aria-label': label },
          buttons,
        );
      }
      case 'form':
        return drawForm(part);
      case 'input':
        return drawInput(part);
      case 'copy':
        return drawCopy(part);
      case 'failure':
        return failure;
    }
  };

  /** @param {DrawnInfo} part */
  const isPart = (part) => part.kind !== 'pending' && part.kind !== 'answer';
  /** @param {Part} part */
  const hasFields = (part) => part.kind === 'form' || part.kind === 'input';

  /** @type {Parameters<typeof reconcile<Part, HTMLElement>>[2]} */
  const rows = {
    // As long as a part stays as it is, so does its element, with its focus and a press that has begun on it.
    key: (part) =>
      hasFields(part)
        ? `${part.kind} ${part.actionId}`
        : JSON.stringify([part, part.kind === 'buttons' && part.buttons.map((button) => pending.has(keyOf(button)))]),
    create: drawPart,
    update: (_row, part) => {
      if (hasFields(part)) drawPart(part);
    },
  };

  /** Draws what has changed, and gives the focus back to what had it. */
  const draw = () => {
    if (!card) return;
    const drawn = card.drawn[ui.speaker] ?? [];
    const state = JSON.stringify([drawn, [...pending]]);
    if (state === shown) return;
    shown = state;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    const answerAt = drawn.findIndex(({ kind }) => kind === 'answer');
    reconcile(above, drawn.slice(0, Math.max(0, answerAt)).filter(isPart), rows);
    reconcile(below, [...drawn.slice(answerAt + 1).filter(isPart), { kind: 'failure' }], rows);
    const again = focused === undefined ? null : below.querySelector(`[data-key="${CSS.escape(focused)}"]`);
    if (again instanceof HTMLElement) again.focus();
  };

  return {
    above,
    below,
    /** @param {CardItem} next */
    update(next) {
      card = next;
      draw();
    },
  };
}

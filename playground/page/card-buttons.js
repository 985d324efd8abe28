import { fill, h, icon } from './dom.js';
import { icons } from './icons.js';
import { createCardForm } from './card-form.js';
import { server } from './server.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').CardItem} CardItem
 * @typedef {import('./model.js').ButtonInfo} ButtonInfo
 */

/** What is drawn as an icon with its name for those who cannot see it. */
const RATINGS = /** @type {Record<string, string>} */ ({ like: icons.like, dislike: icons.dislike });
const ICONS = /** @type {Record<string, string>} */ ({ stop: icons.stop, new: icons.fresh, retry: icons.again });

/**
 * The buttons of a card, as the one sees them who one is now: DingTalk's side says which there are.
 *
 * @param {Ui} ui
 */
export function createCardButtons(ui) {
  const { words } = ui;
  const form = h('div', { class: 'card-form-place' });
  const questions = h('div', { class: 'suggestions', role: 'group', 'aria-label': words.suggestions });
  const actions = h('div', { class: 'card-actions', role: 'group', 'aria-label': words.cardButtons });
  const notice = h('p', { class: 'card-notice', role: 'status', 'data-testid': 'card-notice' });
  const element = h(
    'div',
    { class: 'card-buttons', hidden: true, 'data-testid': 'card-buttons' },
    form,
    questions,
    actions,
    notice,
  );
  /** Keys of buttons that were tapped and have no answer yet. @type {Set<string>} */
  const pending = new Set();
  let shown = '';
  /** @type {CardItem | null} */
  let card = null;

  /** @param {ButtonInfo} button */
  const keyOf = ({ actionId, params }) => `${actionId} ${JSON.stringify(params)}`;

  /** @param {ButtonInfo} button @param {Record<string, string>} [values] */
  const tap = async (button, values) => {
    const key = keyOf(button);
    if (!card || pending.has(key)) return;
    pending.add(key);
    draw();
    const params = values ? { ...button.params, form: values } : button.params;
    const isAnswered = await server.tap({
      card: card.id,
      from: ui.speaker,
      actionId: button.actionId,
      params,
      label: labelOf(button),
    });
    pending.delete(key);
    draw();
    if (!isAnswered) notice.textContent = words.tapFailed;
  };

  /** @param {ButtonInfo} button */
  const labelOf = ({ actionId, label }) =>
    Object.hasOwn(words.buttons, actionId)
      ? words.buttons[/** @type {keyof typeof words.buttons} */ (actionId)]
      : label;

  /** @param {ButtonInfo} button @param {string} className */
  const drawn = (button, className) => {
    const rating = RATINGS[button.actionId];
    const path = rating ?? ICONS[button.actionId];
    const isPending = pending.has(keyOf(button));
    const label = labelOf(button);
    return h(
      'button',
      {
        type: 'button',
        class: className,
        'data-testid': `button-${button.actionId}`,
        'data-key': keyOf(button),
        'aria-label': rating ? label : undefined,
        title: rating ? label : undefined,
        'aria-pressed': rating ? String(button.chosen) : undefined,
        'aria-busy': isPending ? 'true' : undefined,
        // Not `disabled`: that would take the focus away.
        'aria-disabled': isPending ? 'true' : undefined,
        onclick: () => void tap(button),
      },
      path ? icon(path) : null,
      rating ? null : h('span', null, label),
      button.actionId === 'ask' ? icon(icons.ask) : null,
    );
  };

  /** Draws what has changed, and gives the focus back to the button that had it. */
  const draw = () => {
    if (!card) return;
    const buttons = card.buttons[ui.speaker] ?? [];
    const sentence = card.notices[ui.speaker] ?? '';
    const state = JSON.stringify([buttons, sentence, [...pending]]);
    if (state === shown) return;
    shown = state;
    element.hidden = buttons.length === 0 && sentence === '';
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    const submits = buttons.filter(({ actionId }) => actionId === 'form');
    drawForm(submits);
    const asks = buttons.filter(({ actionId }) => actionId === 'ask');
    fill(
      questions,
      asks.map((button) => drawn(button, 'suggestion')),
    );
    questions.hidden = asks.length === 0;
    const others = buttons.filter(({ actionId }) => actionId !== 'ask' && actionId !== 'form');
    fill(
      actions,
      others.map((button) => drawn(button, `card-button ${button.actionId}`)),
    );
    actions.hidden = others.length === 0;
    notice.textContent = sentence;
    const again = focused === undefined ? null : element.querySelector(`[data-key="${CSS.escape(focused)}"]`);
    if (again instanceof HTMLElement) again.focus();
  };

  const cardForm = createCardForm(ui, { onSubmit: (button, values) => void tap(button, values) });
  form.append(cardForm.element);
  /** @param {ButtonInfo[]} submits */
  const drawForm = (submits) => {
    form.hidden = submits.length === 0;
    cardForm.render(submits, (button) => pending.has(keyOf(button)));
  };

  return {
    element,
    /** @param {CardItem} next */
    update(next) {
      card = next;
      draw();
    },
  };
}

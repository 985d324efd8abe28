import { fill, h, setProp } from './dom.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').FieldInfo} FieldInfo
 * @typedef {{ key: string, fields: readonly FieldInfo[], hint?: string, submit: string, isPending: boolean }} FormInfo
 */

let forms = 0;

/**
 * Fields on a card with the button that sends them. What was filled in stays while the card changes, and when one has
 * been to another chat.
 *
 * @param {Ui} ui
 * @param {{ card: string, onSubmit: (values: Record<string, string>) => void }} options
 */
export function createCardForm(ui, { card, onSubmit }) {
  const number = (forms += 1);
  const rows = h('div', { class: 'form-fields' });
  const submit = h('button', {
    type: 'button',
    class: 'card-button blue',
    'data-testid': 'form-submit',
    onclick: () => onSubmit(Object.fromEntries([...controls].map(([name, { value }]) => [name, value]))),
  });
  const element = h(
    'div',
    { class: 'card-form', role: 'group', 'aria-label': ui.words.form, 'data-testid': 'card-form' },
    rows,
    h('div', { class: 'form-actions' }, submit),
  );
  let drawnFields = '';
  /** @type {Map<string, HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>} */
  const controls = new Map();
  const filledBy = ui.speaker;
  /** @param {string} name */
  const placeOf = (name) => JSON.stringify([filledBy, card, name]);

  /** @param {FieldInfo} field @param {string} id @param {string | undefined} hint */
  const control = ({ name, type, options, value: preset }, id, hint) => {
    const place = placeOf(name);
    const value = ui.filledIn.get(place) ?? preset;
    const props = {
      id,
      'data-testid': `field-${name}`,
      'data-key': id,
      oninput: (/** @type {Event & { target: { value: string } }} */ { target }) =>
        ui.filledIn.set(place, target.value),
    };
    if (type === 'text') {
      const area = h('textarea', { ...props, rows: 2, maxlength: 2000, placeholder: hint });
      area.value = value;
      return area;
    }
    const select = h(
      'select',
      props,
      options.map((option) => h('option', { value: option }, option)),
    );
    select.value = value || (options[0] ?? '');
    return select;
  };

  /** @param {readonly FieldInfo[]} fields @param {string | undefined} hint */
  const drawFields = (fields, hint) => {
    controls.clear();
    fill(
      rows,
      fields.map((field, index) => {
        const id = `form-${number}-${index}`;
        const input = control(field, id, hint);
        controls.set(field.name, input);
        return h('div', { class: 'form-field' }, h('label', { for: id }, field.label), input);
      }),
    );
  };

  return {
    element,
    /** What was filled in has been sent. */
    forget() {
      for (const name of controls.keys()) ui.filledIn.delete(placeOf(name));
    },
    /** @param {FormInfo} info */
    render({ key, fields, hint, submit: label, isPending }) {
      const wanted = JSON.stringify(fields);
      if (wanted !== drawnFields) drawFields(fields, hint);
      drawnFields = wanted;
      submit.textContent = label;
      submit.dataset.key = key;
      setProp(submit, 'aria-busy', isPending ? 'true' : null);
      setProp(submit, 'aria-disabled', isPending ? 'true' : null);
    },
  };
}

import { fill, h, setProp } from './dom.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').ButtonInfo} ButtonInfo
 * @typedef {ButtonInfo['fields'][number]} FieldInfo
 */

let forms = 0;

/**
 * The form on a card: its fields, and a button for each way to answer. What was filled in stays while the card changes.
 *
 * @param {Ui} ui
 * @param {{ onSubmit: (button: ButtonInfo, values: Record<string, string>) => void }} options
 */
export function createCardForm(ui, { onSubmit }) {
  const number = (forms += 1);
  const rows = h('div', { class: 'form-fields' });
  const submits = h('div', { class: 'form-actions' });
  const element = h(
    'div',
    { class: 'card-form', role: 'group', 'aria-label': ui.words.form, 'data-testid': 'card-form' },
    rows,
    submits,
  );
  let drawnFields = '';
  /** @type {Map<string, HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>} */
  const controls = new Map();

  /** @param {FieldInfo} field @param {string} id */
  const control = ({ name, type, options, value }, id) => {
    const props = { id, 'data-testid': `field-${name}` };
    if (type === 'text') {
      const area = h('textarea', { ...props, rows: 2, maxlength: 2000 });
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

  /** @param {readonly FieldInfo[]} fields */
  const drawFields = (fields) => {
    controls.clear();
    fill(
      rows,
      fields.map((field, index) => {
        const id = `form-${number}-${index}`;
        const input = control(field, id);
        controls.set(field.name, input);
        return h('div', { class: 'form-field' }, h('label', { for: id }, field.label), input);
      }),
    );
  };

  return {
    element,
    /** @param {readonly ButtonInfo[]} buttons @param {(button: ButtonInfo) => boolean} isPending */
    render(buttons, isPending) {
      const fields = buttons[0]?.fields ?? [];
      const wanted = JSON.stringify(fields);
      if (wanted !== drawnFields) drawFields(fields);
      drawnFields = wanted;
      fill(
        submits,
        buttons.map((button, index) => {
          const submit = h(
            'button',
            {
              type: 'button',
              class: index === 0 ? 'form-button primary' : 'form-button',
              'data-testid': 'button-form',
              'data-key': `form ${JSON.stringify(button.params)}`,
              onclick: () => {
                const values = [...controls].map(([name, { value }]) => [name, value]);
                onSubmit(button, Object.fromEntries(values));
              },
            },
            button.label,
          );
          const isBusy = isPending(button);
          setProp(submit, 'aria-busy', isBusy ? 'true' : null);
          setProp(submit, 'aria-disabled', isBusy ? 'true' : null);
          return submit;
        }),
      );
    },
  };
}

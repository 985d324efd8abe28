import { fill, h, icon } from './dom.js';
import { icons } from './icons.js';
import { lineOf } from './said.js';

/**
 * What the next message replies to.
 *
 * @param {import('./ui.js').Ui} ui
 */
export function createQuoteBar(ui) {
  const { words, model } = ui;
  const text = h('span', { class: 'ellipsis' });
  const element = h(
    'div',
    { class: 'quote-bar', hidden: true, 'data-testid': 'quote-bar' },
    icon(icons.quote),
    text,
    h(
      'button',
      { type: 'button', 'aria-label': words.removeQuote, 'data-testid': 'remove-quote', onclick: () => ui.quote(null) },
      icon(icons.cross),
    ),
  );

  /** @param {import('./model.js').ChatItem} item */
  const summary = (item) => {
    if (item.kind === 'tap') return '';
    if (item.kind === 'card') return words.says(ui.robot, item.content);
    if (item.kind === 'message') return words.says(ui.robot, item.text || (item.file?.name ?? ''));
    return words.says(ui.person(item.from)?.name ?? '', lineOf(ui, item));
  };

  return {
    element,
    render() {
      const item = model.item(ui.quotes.get(ui.place.chat) ?? null);
      element.hidden = !item;
      fill(text, item ? summary(item).slice(0, 200) : '');
    },
  };
}

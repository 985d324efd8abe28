import { chipsOf } from './chips.js';
import { h, reconcile, setProp } from './dom.js';

/**
 * @typedef {import('./chips.js').ChipName} ChipName
 * @typedef {import('./chips.js').ChipGroup} ChipGroup
 */

/**
 * The chips above the field, one group of them at a time.
 *
 * @param {import('./ui.js').Ui} ui
 * @param {{ onText: (text: string) => void }} options
 */
export function createChipBar(ui, { onText }) {
  const { model, words } = ui;
  const tabs = h('div', { class: 'chip-groups', role: 'group', 'aria-label': words.chipGroupsLabel });
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': words.quick });

  /** @param {ChipGroup} group */
  const createTab = (group) => {
    const open = () => {
      ui.chipGroup = group;
      render();
    };
    const props = { type: 'button', class: 'chip-group', 'data-testid': 'chip-group', 'data-group': group };
    return h('button', { ...props, onclick: open }, words.chipGroups[group]);
  };

  /** @param {ChipName} name */
  const createChip = (name) => {
    const [label = '', text = ''] = words.chips[name];
    const props = {
      type: 'button',
      class: text.startsWith('/') ? 'chip command' : 'chip',
      'data-testid': 'chip',
      'data-chip': name,
      'data-text': text,
      title: text,
      onclick: () => onText(text),
    };
    return h('button', props, label);
  };

  const render = () => {
    const groups = chipsOf(model.setup);
    const open = groups.find(({ group }) => group === ui.chipGroup) ?? groups[0];
    tabs.hidden = groups.length < 2;
    reconcile(tabs, groups, {
      key: ({ group }) => group,
      create: ({ group }) => createTab(group),
      update: (tab, { group }) => setProp(tab, 'aria-pressed', String(group === open?.group)),
    });
    reconcile(chips, open?.chips ?? [], { key: (name) => name, create: createChip });
  };

  const stop = model.subscribe(({ kind }) => {
    if (kind === 'setup' || kind === 'snapshot') render();
  });
  render();
  return { element: h('div', { class: 'chip-bar' }, tabs, chips), dispose: stop };
}

/**
 * What can be sent with one press: commands, and questions to which a sample app plays its samples.
 *
 * @typedef {import('./model.js').Setup} Setup
 * @typedef {keyof import('./preferences.js').Words['chips']} ChipName
 * @typedef {keyof import('./preferences.js').Words['chipGroups']} ChipGroup
 */

/** @type {Readonly<Record<ChipGroup, readonly ChipName[]>>} */
const CHIPS = {
  answers: ['short', 'table', 'list', 'code', 'long', 'think', 'samples'],
  abilities: ['agent', 'workflow', 'echarts', 'suggestions', 'makeFiles'],
  forms: ['approval', 'claim', 'countersign', 'seal'],
  failures: ['error', 'modelBusy', 'cut', 'lost', 'moderation', 'empty', 'slow', 'queue'],
  load: ['steady', 'takesLong'],
  commands: ['new', 'help', 'stop', 'id'],
};

/** The sample that a chip asks for, where its own name is another. @type {Partial<Record<ChipName, string>>} */
const SAMPLE_OF = { samples: 'help' };

/**
 * The chips of the app that answers, in groups. An app of one's own plays no samples, so it has the commands alone.
 *
 * @param {Setup} setup
 * @returns {{ group: ChipGroup, chips: ChipName[] }[]}
 */
export function chipsOf({ app, apps }) {
  const samples = apps.find(({ id }) => id === app)?.samples ?? [];
  return Object.entries(CHIPS)
    .map(([group, names]) => ({
      group: /** @type {ChipGroup} */ (group),
      chips: names.filter((name) => group === 'commands' || samples.includes(SAMPLE_OF[name] ?? name)),
    }))
    .filter(({ chips }) => chips.length > 0);
}

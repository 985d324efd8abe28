// `npm run bench`: what an answer costs, how soon it is seen, and what an instance bears, over real HTTP against the
// simulated DingTalk and Dify. `npm run bench -- ROW …` measures these rows alone; `--beside REVISION` the rows of one
// instance, and its cold start, also with the code of another commit, in the same run.
import { parseArgs } from 'node:util';
import { layOut, thisCode, thisCommit, type Code } from '../test/chaos/code.ts';
import { measureCalls } from './bench/calls.ts';
import { measureCold } from './bench/cold.ts';
import { measureLoad } from './bench/load.ts';
import { rows, type Figure } from './bench/rows.ts';
import { measureStore } from './bench/store.ts';
import { measureStream } from './bench/stream.ts';
import { tableOf } from './bench/table.ts';

/** Rows that print lines of their own, by counts and ratios within them. */
const lists: Record<string, (codes: readonly Code[]) => Promise<string[]>> = {
  calls: measureCalls,
  store: measureStore,
  load: measureLoad,
  stream: measureStream,
  cold: measureCold,
};
const NAMES = [...Object.keys(lists), ...rows.map(({ name }) => name)];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { beside: { type: 'string' } } });
const unknown = positionals.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}. Rows: ${NAMES.join(', ')}.`);
  process.exit(2);
}
const isChosen = (name: string) => positionals.length === 0 || positionals.includes(name);

const other = values.beside === undefined ? null : await layOut(values.beside);
const codes = [...(other ? [other] : []), { ...thisCode, name: `this version (${thisCommit()})` }];
for (const [name, measure] of Object.entries(lists)) {
  if (isChosen(name)) for (const line of await measure(codes)) console.log(line);
}
const chosen = rows.filter(({ name }) => isChosen(name));
if (chosen.length > 0) {
  const shown = ({ value, unit }: Figure) =>
    `${value < 10 ? value.toFixed(2).replace(/\.00$/u, '') : value.toFixed(0)} ${unit}`.trim();
  const table: string[][] = [
    ['', ...codes.map(({ name }) => name), 'aim', ...(other ? ['ratio', 'aim beside b114c53'] : [])],
  ];
  for (const { measure } of chosen) {
    const before = other ? await measure(other) : null;
    for (const [index, figure] of (await measure(thisCode)).entries()) {
      const { what, value, unit, aim, isMoreBetter = false, was } = figure;
      const old = before?.[index];
      const bound = isMoreBetter ? '≥' : '≤';
      table.push([
        what,
        ...(old ? [shown(old)] : []),
        shown(figure),
        `${bound} ${aim} ${unit}`.trim(),
        ...(old ? [old.value === 0 ? '' : (value / old.value).toFixed(2)] : []),
        ...(old ? [was === undefined ? '' : `${bound} ${(aim / was).toFixed(2)}`] : []),
      ]);
    }
  }
  for (const line of tableOf(table)) console.log(line);
}
other?.remove();

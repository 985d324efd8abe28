import { parseEnv } from 'node:util';
import { createChecks } from './checks.ts';
import { createDraft } from './draft.ts';
import type { State } from './question.ts';
import type { Setup } from './setup.ts';
import type { Variable } from './variables.ts';
import { wordsOf } from './words/index.ts';

/** What the questions begin with. @param before the text of the file. @param imported what is known besides it. */
export function openState(
  { ports, options, language }: Setup,
  before: string,
  imported: ReadonlyMap<Variable, string>,
): State {
  const draft = createDraft({ given: options.given, imported, env: ports.env, file: parseEnv(before) });
  return {
    draft,
    words: wordsOf[language],
    checks: createChecks(ports, draft, language),
    isChecked: options.isChecked,
    app: null,
    extras: new Set(),
    acts: null,
  };
}

import type { Environment } from '../../lib/config/config.ts';
import { ASKED, VARIABLES, expectedOf, type Variable } from './variables.ts';

/** The configuration as it is being made. An empty text is unset. */
export interface Draft {
  get(variable: Variable): string;
  set(variable: Variable, value: string): void;
  /** What is to be written: the values that the file does not have. */
  changes(): ReadonlyMap<Variable, string>;
  /** Whether the value is the file's own. */
  isKept(variable: Variable): boolean;
  /** Variables of the file whose values cannot be used. */
  malformed(): readonly { variable: Variable; expected: string }[];
  /** All that is set and right, with what the environment says besides: for the checks. */
  environment(): Record<string, string>;
}

export interface DraftSources {
  given: ReadonlyMap<Variable, string>;
  /** What another bridge has: `--from`. */
  imported: ReadonlyMap<Variable, string>;
  env: Environment;
  /** What the file holds, by name. */
  file: Readonly<Record<string, string | undefined>>;
}

/** Begins with what is known: the options first, then another bridge's values, the environment, and the file. */
export function createDraft({ given, imported, env, file }: DraftSources): Draft {
  const inFile = (variable: Variable) => file[variable]?.trim() ?? '';
  const inEnv = (variable: Variable) => env[variable]?.trim() ?? '';
  const values = new Map<Variable, string>();
  for (const variable of VARIABLES) {
    const told = given.get(variable) ?? imported.get(variable) ?? (ASKED.has(variable) ? inEnv(variable) : '');
    values.set(variable, given.has(variable) ? told : told || inFile(variable));
  }
  const get = (variable: Variable) => values.get(variable) ?? '';
  return {
    get,
    set: (variable, value) => void values.set(variable, value),
    changes: () => new Map([...values].filter(([variable, value]) => value !== inFile(variable))),
    isKept: (variable) => get(variable) !== '' && get(variable) === inFile(variable),
    malformed: () =>
      VARIABLES.flatMap((variable) => {
        const expected = expectedOf(variable, get(variable));
        return expected === null ? [] : { variable, expected };
      }),
    environment() {
      const all: Record<string, string> = {};
      for (const variable of VARIABLES) {
        const value = get(variable) || inEnv(variable);
        if (value !== '' && expectedOf(variable, value) === null) all[variable] = value;
      }
      return all;
    },
  };
}

/** What a sentence of the table says. */
export interface Sentence {
  /** What came back. */
  found: string;
  /** How to mend it. */
  mend?: string;
  /** Where in which console. */
  where?: string;
}

/** @param mend how to mend it; left out where nothing is wrong. @param where in which console. */
export function line(found: string, mend?: string, where?: string): Sentence {
  return { found, ...(mend === undefined ? {} : { mend }), ...(where === undefined ? {} : { where }) };
}

/** What the configuration expects of a variable that is missing begins like this (`lib/config`). */
const MISSING = /^a value[;,] /;

export const isMissing = (expected: string) => MISSING.test(expected);

/** Why the variable is needed, or what its value must be. */
export const needOf = (expected: string) => expected.replace(MISSING, '');

/** HTTP status and the other side's code, as far as there are any. */
export function facts(status: number, code = ''): string {
  return [status > 0 ? `HTTP ${status}` : '', code].filter(Boolean).join(', ');
}

export const ofRobot = (name: string | null) => (name === null ? '' : ` (${name})`);

import type * as z from 'zod';

interface SettingFacts {
  /** Reads the value from text. Its description completes the sentence "expected …". */
  schema: z.ZodType;
  /** What the setting is for, in one line. It is the comment in `.env.example`. */
  meaning: string;
  /** Whether the value must never be shown. */
  isSecret?: true;
  /** Ids, keys and tokens are printable ASCII without spaces: `fetch` refuses other characters in a header. */
  isAscii?: true;
  /** A robot of BOTS never takes over the value of the environment variable. Without this it does. */
  isInherited?: false;
}

/** One environment variable, and what holds while it is unset. */
export type Setting = SettingFacts &
  (
    | { isRequired: true }
    /** The value that holds then, written as in the environment. */
    | { default: string }
    /** What holds then, in words: it is no fixed value. */
    | { unset: string }
  );

type Settings = Readonly<Record<string, Setting>>;

type ValueOf<S extends Setting> = z.output<S['schema']>;

/** The values that were set. */
export type SetValues<T extends Settings> = { [K in keyof T]?: ValueOf<T[K]> };

/** All values. Null stands for a setting that is unset and has no default value. */
export type Values<T extends Settings> = {
  [K in keyof T]: T[K] extends { default: string } ? ValueOf<T[K]> : ValueOf<T[K]> | null;
};

/** A variable that is missing or malformed, with what was expected and never with its value. */
export interface ConfigProblem {
  variable: string;
  expected: string;
}

/** The name of a setting in an entry of BOTS: DIFY_API_KEY becomes difyApiKey. */
export function camelCase(variable: string): string {
  return variable.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

// `Object.keys` and `Object.entries` lose these types.

export function namesOf<T extends Settings>(settings: T): (keyof T & string)[] {
  return Object.keys(settings);
}

function entriesOf<T extends Settings>(settings: T): [keyof T & string, Setting][] {
  return Object.entries(settings);
}

/** Reads the given settings from text; an empty text counts as unset. */
export function readSettings<T extends Settings>(
  settings: T,
  lookup: (variable: keyof T & string) => string | undefined,
  problems: ConfigProblem[],
  label: (variable: string) => string = (variable) => variable,
): SetValues<T> {
  const values: SetValues<T> = {};
  for (const [variable, { schema }] of entriesOf(settings)) {
    const raw = lookup(variable)?.trim();
    if (raw === undefined || raw === '') continue;
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[variable] = parsed.data as ValueOf<T[typeof variable]>;
    else problems.push({ variable: label(variable), expected: schema.description ?? 'another value' });
  }
  return values;
}

/** Adds the default of each setting that is unset. */
export function withDefaults<T extends Settings>(settings: T, values: SetValues<T>): Values<T> {
  const all = entriesOf(settings).map(([variable, setting]) => {
    const standard = 'default' in setting ? setting.schema.parse(setting.default) : null;
    return [variable, values[variable] ?? standard];
  });
  return Object.fromEntries(all) as Values<T>;
}

/** Questions about values of unknown shape, for bodies that come over the wire. */

export type Json = Record<string, unknown>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isTextMap(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

export function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => isText(entry));
}

/** The entries of `value` that are text, as a map; empty for anything else. */
export function textMapOf(value: unknown): Record<string, string> {
  const entries = Object.entries(recordOf(value));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}

/** The value a JSON text stands for, or `undefined`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

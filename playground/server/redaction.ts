/** Takes out of an export what identifies people and what opens doors. */

/** The signed parts of addresses, and the one-time address a robot answers to. */
const SIGNED_PARAMETERS = /([?&](?:session|sign|signature|nonce|token|access_token|key)=)[^&"'\s)\\]+/gi;
/** DingTalk's encrypted ids of people and robots. */
const ENCRYPTED_ID = /\$:LWCP_v1:\$[\w+/=-]*/g;
const SECRET_FIELD = /token|secret|password|passwd|api_?key|authorization|credential|^sign(?:ature)?$|downloadcode$/i;
/** A shorter value says nothing, and occurs by chance. */
const MIN_SECRET_CHARS = 6;
const REMOVED = 'removed';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Every string in it, one by one. */
export function mapStrings(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [change(name), mapStrings(each, change)]));
}

/** The values of fields that are called like a secret, at any depth, also in JSON that is a text in JSON. */
export function findSecrets(value: Json, name = ''): string[] {
  if (typeof value === 'string') {
    const isSecret = SECRET_FIELD.test(name) && value.length >= MIN_SECRET_CHARS;
    const inner = /^\s*[[{]/.test(value) ? parseJson(value) : null;
    return [...(isSecret ? [value] : []), ...(inner === null ? [] : findSecrets(inner))];
  }
  // The entries of a list are called like the list.
  if (Array.isArray(value)) return value.flatMap((each) => findSecrets(each, name));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, each]) => findSecrets(each, key));
}

export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

export interface Known {
  /** What stands for each id or name. */
  placeholders: ReadonlyMap<string, string>;
  secrets: Iterable<string>;
}

/** Replaces in one pass, so that what was put in is not looked at again. */
export function createRedaction({ placeholders, secrets }: Known): (text: string) => string {
  const known = new Map<string, string>();
  for (const secret of secrets) {
    if (secret.length >= MIN_SECRET_CHARS) for (const form of formsOf(secret)) known.set(form, REMOVED);
  }
  for (const [value, placeholder] of placeholders) {
    if (value !== '') for (const form of formsOf(value)) known.set(form, placeholder);
  }
  // The longest first: one value may be the beginning of another.
  const longestFirst = [...known.keys()].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|') || '(?!)', 'g');
  return (text) =>
    text
      .replaceAll(pattern, (found) => known.get(found) ?? REMOVED)
      .replaceAll(SIGNED_PARAMETERS, `$1${REMOVED}`)
      .replaceAll(ENCRYPTED_ID, REMOVED);
}

/** As it is, as JSON writes it, as JSON in ASCII writes it, and as an address has it. */
function formsOf(value: string): Set<string> {
  const json = JSON.stringify(value).slice(1, -1);
  const ascii = json.replaceAll(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return new Set([value, json, ascii, encodeURIComponent(value.toWellFormed())]);
}

const escapePattern = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);

import { parseJson } from '../runtime/json.ts';

// DingTalk's clients send the same thing as an object, as a JSON text of it, or as a JSON text of that (docs/wire-dingtalk.md).

export type Fields = Readonly<Record<string, unknown>>;

/** Most texts within texts that are opened. */
const MAX_LAYERS = 3;

/** Most lists within lists, and objects within objects, that are looked into: deeper ones would use up the stack. */
const MAX_DEPTH = 10;

/** A JSON text that holds an object, a list or a further text is opened; everything else stays as it is. */
export function opened(value: unknown): unknown {
  let inner = value;
  for (let layer = 0; layer < MAX_LAYERS && typeof inner === 'string' && /^\s*[[{"]/.test(inner); layer += 1) {
    const json = parseJson(inner);
    if (json === undefined) break;
    inner = json;
  }
  return inner;
}

/** An object, also one that comes as a JSON text; null for everything else. */
export function fieldsOf(value: unknown): Fields | null {
  const inner = opened(value);
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Fields) : null;
}

/** A list, also one that comes as a JSON text, with the lists inside it laid out flat; null for everything else. */
export function listOf(value: unknown, depth = 0): readonly unknown[] | null {
  const inner = opened(value);
  if (!Array.isArray(inner)) return null;
  return inner.flatMap(
    (item) => (Array.isArray(item) && depth < MAX_DEPTH ? listOf(item, depth + 1) : null) ?? [item as unknown],
  );
}

/** A text or a number, or the text within `{ content }` or `{ text }`; empty for everything else. */
export function wordsIn(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > MAX_DEPTH) return '';
  return firstWords(value as Fields, ['content', 'text'], depth + 1);
}

/** The words of the first of these fields that has some; empty when none has. */
export function firstWords(fields: Fields, names: readonly string[], depth = 0): string {
  for (const name of names) {
    const words = Object.hasOwn(fields, name) ? wordsIn(fields[name], depth) : '';
    if (words.trim() !== '') return words;
  }
  return '';
}

/** What a message or a part of one is called, as the wire has it: clients differ in the name of the field and in its case. */
export function rawKindOf(fields: Fields): string {
  return firstWords(fields, ['msgType', 'msgtype', 'type', 'messageType']).trim();
}

export const kindOf = (fields: Fields): string => rawKindOf(fields).toLowerCase();

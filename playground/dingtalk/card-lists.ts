import { isRecord, isText, isTextList, parseJson, type Json } from '../http/shape.ts';
import type { CardField, CardTemplate } from './types.ts';

/** A field of the 表单 component, as its page has it: `{name, label, type, options: [{value, text}], defaultValue}`. */
function readField(value: unknown): CardField | null {
  if (!isRecord(value) || !isText(value['name']) || typeof value['label'] !== 'string') return null;
  const { name, label, type, options, defaultValue } = value;
  if (defaultValue !== undefined && typeof defaultValue !== 'string') return null;
  const preset = defaultValue === undefined ? {} : { value: defaultValue };
  if (type === 'TEXT') return { name, label, type: 'text', ...preset };
  if (type !== 'SELECT' || !Array.isArray(options)) return null;
  const values = options.map((option: unknown) =>
    isRecord(option) && isText(option['text']) ? option['value'] : null,
  );
  return isTextList(values) ? { name, label, type: 'select', options: values, ...preset } : null;
}

/** The lists that the template's repeated parts are bound to, and what each of their entries must hold. */
const lists: Readonly<Record<string, (entry: unknown) => boolean>> = {
  suggestions: (entry) => isRecord(entry) && isText(entry['question']),
  form_actions: (entry) => isRecord(entry) && isText(entry['id']) && isText(entry['title']),
  form_fields: (entry) => readField(entry) !== null,
};

/** The fields of a form stand within an object. */
const listOf = (name: string, value: unknown): unknown =>
  name === 'form_fields' && isRecord(value) ? value['fields'] : name === 'form_fields' ? null : value;

/** The entries of such a variable; none when it is unset or not what the template expects. */
export function entriesOf(variables: Readonly<Record<string, string>>, name: string): Json[] {
  const value = listOf(name, parseJson(variables[name] ?? ''));
  const isEntry = lists[name];
  return Array.isArray(value) && isEntry && value.every((entry) => isEntry(entry)) ? value : [];
}

/** The fields of a form. */
export const readFields = (variables: Readonly<Record<string, string>>, name: string): CardField[] =>
  entriesOf(variables, name).flatMap((field) => readField(field) ?? []);

/** A template reads `config` as an object with `autoLayout` (official template pages). */
function isLayout(text: string): boolean {
  const value = parseJson(text);
  return isRecord(value) && typeof value['autoLayout'] === 'boolean';
}

/** Which variable a template could not show; DingTalk takes it all the same. */
export function unshowable(
  template: CardTemplate | undefined,
  variables: Readonly<Record<string, string>>,
): string | undefined {
  if (!isLayout(variables['config'] ?? '{"autoLayout":false}')) return 'config is not an object with autoLayout';
  if (template?.buttons !== true) return undefined;
  const wrong = Object.entries(lists).find(([name, isEntry]) => {
    const text = variables[name] ?? '';
    const value = text === '' ? [] : listOf(name, parseJson(text));
    return !Array.isArray(value) || !value.every((entry) => isEntry(entry));
  });
  return wrong && `${wrong[0]} is not a list that the template can show`;
}

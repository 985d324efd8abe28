import type { FormAction, FormField, PendingForm } from '../answer/event.ts';

/** A typed answer to a form. */
export type FormReply =
  | { action: string; inputs: Record<string, string> }
  /** The labels of the required fields that have no value, or one that is no option. */
  | { problem: readonly string[] };

/**
 * Reads a text as an answer to a form: the number, title or id of an action on the first line, then lines of
 * `label：value`. In a form with one text field, lines without a label are its value. A field that is left out takes its
 * default.
 *
 * Null when the first line is no action: then the text is an ordinary question.
 */
export function readFormReply(
  text: string,
  { actions, fields }: Pick<PendingForm, 'actions' | 'fields'>,
): FormReply | null {
  const [first = '', ...rest] = text.trim().split(/\r\n?|\n/);
  const action = findAction(first, actions);
  if (!action) return null;
  const given = readLines(rest, fields);
  const values = fields.map((field) => [field, valueOf(field, given.get(field.name)?.trim() ?? '')] as const);
  const problem = values.filter(([, value]) => value === null).map(([{ label }]) => label);
  if (problem.length > 0) return { problem };
  const inputs = values.flatMap(([{ name, type }, value]) =>
    // No text can stand for a file, so an optional file is left out.
    value === null || type === 'file' || type === 'file-list' ? [] : [[name, value] as const],
  );
  return { action: action.id, inputs: Object.fromEntries(inputs) };
}

/** By title before id before number: a title may be a number itself. */
function findAction(line: string, actions: readonly FormAction[]): FormAction | undefined {
  const typed = plain(line);
  if (typed === '') return undefined;
  return (
    actions.find(({ title }) => plain(title) === typed) ??
    actions.find(({ id }) => plain(id) === typed) ??
    actions[numberIn(typed) - 1]
  );
}

/** The typed text of each field, by the name of the field. */
function readLines(lines: readonly string[], fields: readonly FormField[]): Map<string, string> {
  const given = new Map<string, string>();
  const texts = fields.filter(({ type }) => type === 'text');
  const only = texts.length === 1 ? texts[0] : undefined;
  let current = only;
  for (const line of lines) {
    const labelled = readLabel(line, fields);
    if (labelled) current = labelled.field;
    if (!current) continue;
    const value = labelled ? labelled.value : line;
    const before = given.get(current.name);
    given.set(current.name, before === undefined ? value : `${before}\n${value}`);
    // Only a text goes on over several lines.
    if (current.type !== 'text') current = only;
  }
  return given;
}

function readLabel(line: string, fields: readonly FormField[]): { field: FormField; value: string } | null {
  const colon = /[:：]/g;
  let found: { field: FormField; value: string } | null = null;
  // A label may hold a colon itself, so the longest label that fits wins.
  for (let match = colon.exec(line); match; match = colon.exec(line)) {
    const key = plain(line.slice(0, match.index));
    const field = fields.find(({ label }) => plain(label) === key) ?? fields.find(({ name }) => plain(name) === key);
    if (field) found = { field, value: line.slice(match.index + 1).trim() };
  }
  return found;
}

/** Null when the field needs a value and none that fits was typed. */
function valueOf({ type, required, options, default: preset }: FormField, typed: string): string | null {
  if (type === 'file' || type === 'file-list') return required ? null : '';
  const value = type === 'select' && typed !== '' ? chosen(typed, options) : typed || preset;
  if (type === 'select' && value === '' && typed === '') return required ? null : (options[0] ?? '');
  return value === '' && (required || typed !== '') ? null : value;
}

/** The option that was meant; empty when the text is none of them. Where Dify does not tell the options, any text passes. */
function chosen(typed: string, options: readonly string[]): string {
  if (options.length === 0) return typed;
  const key = plain(typed);
  return options.find((option) => plain(option) === key) ?? options[numberIn(key) - 1] ?? '';
}

/** The number of an entry of a list as people type it: `2`, `２`, `2.`, `2、`. 0 for anything else. */
function numberIn(typed: string): number {
  return Number(/^(\d{1,3})[.、)。]?$/.exec(typed)?.[1] ?? 0);
}

/** The form in which texts are compared: full-width forms, case and white space make no difference. */
function plain(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}

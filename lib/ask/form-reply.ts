import type { FormAction, FormField, PendingForm } from '../answer/event.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import { findAction, linesOf, plain, readFirstLine } from './form-text.ts';
import { fillFields, isTyped, type FilledFields } from './form-values.ts';

/** A typed answer to a form. */
export type FormReply = FilledFields & { action: FormAction };

/**
 * Reads a text as an answer to a form: the number, title or id of an action on the first line, perhaps with the number of
 * the form behind it, then lines of `label：value`. In a form that has only one field for words, lines without a label are
 * its value. A field that is left out takes its default.
 *
 * Null when the first line is no action: then the text does not answer the form by itself.
 */
export function readFormReply(
  text: string,
  { actions, fields }: Pick<PendingForm, 'actions' | 'fields'>,
  files: readonly QuestionFile[] = [],
): FormReply | null {
  const [first = '', ...lines] = linesOf(text);
  const whole = findAction(first, actions);
  const { head, rest } = readFirstLine(first);
  const action = whole ?? findAction(head, actions);
  if (!action) return null;
  const values = whole || rest === null ? lines : [rest, ...lines];
  return { action, ...fillFields(fields, readLines(values, fields), files) };
}

/** The field that takes words without a label: the only text, or else the only choice. */
export function onlyTyped(fields: readonly FormField[]): FormField | undefined {
  const texts = fields.filter(({ type }) => type === 'text');
  const typed = texts.length > 0 ? texts : fields.filter(isTyped);
  return typed.length === 1 ? typed[0] : undefined;
}

/** The typed text of each field, by the name of the field. */
export function readLines(lines: readonly string[], fields: readonly FormField[]): Map<string, string> {
  const given = new Map<string, string>();
  const only = onlyTyped(fields);
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

export function readLabel(line: string, fields: readonly FormField[]): { field: FormField; value: string } | null {
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

import type { FormField } from '../answer/event.ts';
import type { Choice, Said } from '../answer/said.ts';
import { onlyTyped, readLabel, readLines } from './form-reply.ts';
import { linesOf } from './form-text.ts';
import { chosenOption, fillFields } from './form-values.ts';
import type { OpenForm } from './open-form.ts';

/** Most choices that are shown, beside that of a question. */
const MAX_CHOICES = 12;

/** The actions of a form as choices; none where a field would still lack its value. */
export function actionChoices({ kept, form }: OpenForm, words?: string): Choice[] {
  const given = words === undefined ? new Map<string, string>() : readLines(linesOf(words), form.fields);
  if ('problem' in fillFields(form.fields, given, kept.files)) return [];
  const { title, number } = kept;
  return form.actions.slice(0, MAX_CHOICES).map((action) => ({
    kind: 'action',
    form: { title, number },
    action: action.title,
    ...(words === undefined ? {} : { words }),
  }));
}

/** Whether the words belong to a form, or are a question. */
export function askBack(words: string, open: readonly OpenForm[]): Said {
  const fits = open.flatMap((one) => {
    const field = fieldFor(words, one.form.fields);
    return field ? [{ one, field }] : [];
  });
  const asValue = fits.flatMap(({ one }) => actionChoices(one, words));
  return {
    kind: 'belongs',
    forms: open.map(({ kept: { title, number } }) => ({ title, number })),
    field: asValue.length > 0 ? (fits[0]?.field.label ?? null) : null,
    choices: [...asValue.slice(0, MAX_CHOICES), { kind: 'question', words }],
  };
}

/** The field whose value the words can be. */
function fieldFor(words: string, fields: readonly FormField[]): FormField | null {
  for (const line of linesOf(words)) {
    const labelled = readLabel(line, fields);
    if (labelled) return labelled.field;
  }
  const only = onlyTyped(fields);
  if (only?.type !== 'select' || only.options.length === 0) return only ?? null;
  return chosenOption(words.trim(), only.options) === null ? null : only;
}

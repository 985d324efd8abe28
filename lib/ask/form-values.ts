import type { FormField } from '../answer/event.ts';
import { typeFor, wireFile, type PlacedFile, type QuestionFile } from '../dify/file-inputs.ts';
import type { FormValue } from '../dify/forms.ts';
import { BridgeError } from '../errors.ts';
import { isSame, letterIndex } from './form-text.ts';

/** What keeps an answer from being given. */
export interface FormProblem {
  /** The labels of the fields that have no value. */
  missing: readonly string[];
  /** The labels of the fields that lack a file. */
  missingFiles: readonly string[];
  /** A choice that was given something else than one of its options. */
  wrong: { label: string; options: readonly string[] } | null;
}

export type FilledFields = { inputs: Record<string, FormValue> } | { problem: FormProblem };

/**
 * The values of all fields: what was given, else the default, else nothing for a text. Files go into the fields that take
 * them, the newest first.
 */
export function fillFields(
  fields: readonly FormField[],
  given: ReadonlyMap<string, string>,
  files: readonly QuestionFile[] = [],
): FilledFields {
  const placed = placeFiles(fields, files);
  const inputs: Record<string, FormValue> = {};
  const missing: string[] = [];
  const missingFiles: string[] = [];
  let wrong: FormProblem['wrong'] = null;
  for (const field of fields) {
    const { name, label, required, options } = field;
    if (isFileField(field)) {
      const value = fileValue(field, placed.get(field) ?? []);
      if (value) inputs[name] = value;
      // An optional file is left out: no text can stand for it.
      else if (required) missingFiles.push(label);
      continue;
    }
    const value = textValue(field, given.get(name)?.trim() ?? '');
    if (value === null) wrong ??= { label, options };
    else if (value === '' && required) missing.push(label);
    else inputs[name] = value;
  }
  const isComplete = missing.length + missingFiles.length === 0 && !wrong;
  return isComplete ? { inputs } : { problem: { missing, missingFiles, wrong } };
}

/** Why an answer was not given. */
export function invalidForm({ missing, missingFiles, wrong }: FormProblem): BridgeError {
  const named = {
    ...(missing.length > 0 ? { missing } : {}),
    ...(missingFiles.length > 0 ? { missingFiles } : {}),
    ...(wrong ? { label: wrong.label, options: wrong.options.slice(0, MAX_NAMED_OPTIONS) } : {}),
  };
  return new BridgeError('form_invalid', 'a field of the form has no value that fits', {}, undefined, named);
}

/** The choices that a sentence has room for. */
const MAX_NAMED_OPTIONS = 20;

export const isFileField = ({ type }: Pick<FormField, 'type'>): boolean => type === 'file' || type === 'file-list';

/** A field that words can fill. */
export const isTyped = ({ type }: Pick<FormField, 'type'>): boolean => type === 'text' || type === 'select';

/** Null for a choice outside of the options. */
function textValue({ type, required, options, default: preset }: FormField, typed: string): string | null {
  if (type !== 'select' || typed === '') {
    const isFree = type === 'select' && preset === '' && !required;
    return typed || preset || (isFree ? (options[0] ?? '') : '');
  }
  // Where Dify does not tell the options, any text passes.
  return options.length === 0 ? typed : chosenOption(typed, options);
}

/** The option that was meant, by its name or its letter; null when it is none of them. */
export function chosenOption(typed: string, options: readonly string[]): string | null {
  return options.find((option) => isSame(option, typed)) ?? options[letterIndex(typed)] ?? null;
}

function placeFiles(fields: readonly FormField[], files: readonly QuestionFile[]): Map<FormField, PlacedFile[]> {
  const placed = new Map<FormField, PlacedFile[]>();
  for (const file of files.toReversed()) {
    for (const field of fields) {
      const held = placed.get(field) ?? [];
      const type = field.files && held.length < field.files.most ? typeFor(field.files, file) : null;
      if (type === null) continue;
      placed.set(field, [{ type, uploadId: file.uploadId }, ...held]);
      break;
    }
  }
  return placed;
}

function fileValue({ type }: FormField, files: readonly PlacedFile[]): FormValue | null {
  const [first] = files;
  if (!first) return null;
  return type === 'file-list' ? files.map(wireFile) : wireFile(first);
}

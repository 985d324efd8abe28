import type { AppFacts, AppInput } from './app-facts.ts';
import { FILE_CLASSES, plainExtension, type FileClass, type FileRules } from './file-rules.ts';

/** A file as it stands in a request: with the class that the app takes it for. */
export interface PlacedFile {
  type: FileClass;
  uploadId: string;
}

/** A file that was uploaded to Dify for a question, and what decides where it fits. */
export interface QuestionFile {
  class: FileClass;
  /** With or without the dot, in any case. */
  extension: string;
  uploadId: string;
}

/** What this app takes: `file_upload` and the inputs of the form that take files. */
type Takers = Pick<AppFacts, 'files' | 'inputs'>;

/** Whether the app takes such a file somewhere. */
export function accepts(facts: Takers, file: Omit<QuestionFile, 'uploadId'>): boolean {
  return rulesIn(facts).some((rules) => typeFor(rules, file) !== null);
}

/** The classes that the app takes, for the sentence that says so; empty when it takes no files. */
export function acceptedClasses(facts: Takers): FileClass[] {
  const taken = rulesIn(facts).flatMap(({ takesUploads, classes }) => (takesUploads ? classes : []));
  return FILE_CLASSES.filter((fileClass) => taken.includes(fileClass));
}

/** The extensions that the app names for its `custom` files, each once. */
export function acceptedExtensions(facts: Takers): string[] {
  const named = rulesIn(facts).filter(({ takesUploads, classes }) => takesUploads && classes.includes('custom'));
  return [...new Set(named.flatMap(({ extensions }) => extensions))];
}

export interface PlacedFiles {
  /** For `files` of the request. */
  files: readonly PlacedFile[];
  /** For `inputs` of the request. */
  inputs: Readonly<Record<string, unknown>>;
  /** No room for these, or the app takes none of their class. */
  notPlaced: readonly QuestionFile[];
}

/**
 * Where each file goes: with the question, or into an input of the form that takes files. A workflow reads its inputs,
 * so they come first there, required ones before others. Inputs in `taken` have a value already.
 */
export function placeFiles(
  facts: Pick<AppFacts, 'type' | 'files' | 'inputs'>,
  files: readonly QuestionFile[],
  taken: Readonly<Record<string, unknown>> = {},
): PlacedFiles {
  const top: PlacedFile[] = [];
  const inputs = new Map<string, { input: AppInput; files: PlacedFile[] }>();
  const free = facts.inputs
    .filter(({ name, file }) => file !== null && taken[name] === undefined)
    .toSorted((a, b) => Number(b.required) - Number(a.required));

  const intoQuestion = (file: QuestionFile) => {
    const { files: rules } = facts;
    const type = rules && top.length < rules.most ? typeFor(rules, file) : null;
    if (type !== null) top.push({ type, uploadId: file.uploadId });
    return type !== null;
  };
  const intoInput = (file: QuestionFile) => {
    for (const input of free) {
      const held = inputs.get(input.name)?.files ?? [];
      const type = input.file && held.length < input.file.rules.most ? typeFor(input.file.rules, file) : null;
      if (type === null) continue;
      inputs.set(input.name, { input, files: [...held, { type, uploadId: file.uploadId }] });
      return true;
    }
    return false;
  };

  const isWorkflow = facts.type === 'workflow';
  const notPlaced = files.filter((file) =>
    isWorkflow ? !intoInput(file) && !intoQuestion(file) : !intoQuestion(file) && !intoInput(file),
  );
  return {
    files: top,
    inputs: Object.fromEntries(
      Array.from(inputs.values(), ({ input, files: held }) => {
        const wire = held.map(wireFile);
        return [input.name, input.file?.isList ? wire : wire[0]];
      }),
    ),
    notPlaced,
  };
}

/** A file as Dify's requests write it. */
export function wireFile({ type, uploadId }: PlacedFile): object {
  return { type, transfer_method: 'local_file', upload_file_id: uploadId };
}

function rulesIn({ files, inputs }: Takers): FileRules[] {
  return [files, ...inputs.map(({ file }) => file?.rules ?? null)].filter((rules) => rules !== null);
}

/** The class for which such a file is taken: its own, or `custom` where its extension is named; null if it is not taken. */
export function typeFor(
  { classes, extensions, takesUploads }: FileRules,
  { class: own, extension }: Omit<QuestionFile, 'uploadId'>,
): FileClass | null {
  if (!takesUploads) return null;
  if (own !== 'custom' && classes.includes(own)) return own;
  return classes.includes('custom') && extensions.includes(plainExtension(extension)) ? 'custom' : null;
}

import type { AppFacts, AppInput } from './app-facts.ts';
import { FILE_KINDS, plainExtension, type FileKind, type FileRules } from './file-rules.ts';

/** A file that was uploaded to Dify, as it goes with a question. */
export interface UploadedFile {
  type: FileKind;
  uploadId: string;
}

/** An uploaded file and what decides where it fits. */
export interface QuestionFile {
  /** The class by what it is; `custom` for what has none. */
  kind: FileKind;
  /** With or without the dot, in any case. */
  extension: string;
  uploadId: string;
}

/** What this app takes: `file_upload` and the inputs of the form that take files. */
type Takers = Pick<AppFacts, 'files' | 'inputs'>;

/** Whether the app takes such a file somewhere. */
export function accepts(facts: Takers, kind: FileKind, extension: string): boolean {
  return rulesIn(facts).some((rules) => typeFor(rules, kind, extension) !== null);
}

/** The classes that the app takes, for the sentence that says so; empty when it takes no files. */
export function acceptedKinds(facts: Takers): FileKind[] {
  return FILE_KINDS.filter((kind) => rulesIn(facts).some((rules) => rules.takesUploads && rules.kinds.includes(kind)));
}

/** The extensions that the app names for its `custom` files, each once. */
export function acceptedExtensions(facts: Takers): string[] {
  const named = rulesIn(facts).filter(({ takesUploads, kinds }) => takesUploads && kinds.includes('custom'));
  return [...new Set(named.flatMap(({ extensions }) => extensions))];
}

export interface PlacedFiles {
  /** For `files` of the request. */
  files: readonly UploadedFile[];
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
  const top: UploadedFile[] = [];
  const inputs = new Map<string, { input: AppInput; files: UploadedFile[] }>();
  const free = facts.inputs
    .filter(({ name, file }) => file !== null && taken[name] === undefined)
    .toSorted((a, b) => Number(b.required) - Number(a.required));

  const intoQuestion = (file: QuestionFile) => {
    const { files: rules } = facts;
    const type = rules && top.length < rules.most ? typeFor(rules, file.kind, file.extension) : null;
    if (type !== null) top.push({ type, uploadId: file.uploadId });
    return type !== null;
  };
  const intoInput = (file: QuestionFile) => {
    for (const input of free) {
      const held = inputs.get(input.name)?.files ?? [];
      const type =
        input.file && held.length < input.file.rules.most ? typeFor(input.file.rules, file.kind, file.extension) : null;
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

/** An uploaded file as Dify's requests write it. */
export function wireFile({ type, uploadId }: UploadedFile): object {
  return { type, transfer_method: 'local_file', upload_file_id: uploadId };
}

function rulesIn({ files, inputs }: Takers): FileRules[] {
  return [files, ...inputs.map(({ file }) => file?.rules ?? null)].filter((rules) => rules !== null);
}

/** As what such a file is taken: its class, or `custom` where its extension is named; null when it is not. */
function typeFor({ kinds, extensions, takesUploads }: FileRules, kind: FileKind, extension: string): FileKind | null {
  if (!takesUploads) return null;
  if (kind !== 'custom' && kinds.includes(kind)) return kind;
  return kinds.includes('custom') && extensions.includes(plainExtension(extension)) ? 'custom' : null;
}

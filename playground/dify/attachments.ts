import { isRecord, isText, recordOf, type Json } from '../http/shape.ts';
import { parametersOf } from './app-facts.ts';
import { extensionOf, fileTypeOf } from './file-classes.ts';
import { isUuid, pythonText } from './refusal.ts';
import type { Memory } from './memory.ts';
import type { FileType, RunFile, SampleApp } from './types.ts';

const fileTypes: readonly string[] = ['image', 'document', 'audio', 'video', 'custom'] satisfies FileType[];

/** What an app, or a variable of it, takes. */
interface Rules {
  types: readonly string[];
  /** Only these, if the type is `custom`; with their dots. */
  extensions: readonly string[];
  methods: readonly string[];
  limit: number;
  /** Of pictures alone, in the files of a question. */
  imageLimit?: number;
}

/** The files of a question cannot be taken: Dify's own words. */
export interface FileMistake {
  mistake: string;
  /** What no correct client sends, as opposed to what a person may do. */
  isMalformed: boolean;
}

/** A remote file's class comes from what its server says, which the simulator does not ask. */
const isMisnamed = ({ id, type, name, mimeType }: RunFile) =>
  id !== null && type !== 'custom' && fileTypeOf(name, mimeType ?? '') !== type;

const isMistake = (value: object): value is FileMistake => 'mistake' in value;
const textsOf = (value: unknown, usual: readonly string[]) =>
  Array.isArray(value) && value.length > 0 ? value.map(String) : usual;
const bothMethods = ['local_file', 'remote_url'];

/** null: the app's file upload is off, which makes Dify ignore files. */
function appRules(parameters: Json): Rules | null {
  const upload = recordOf(parameters['file_upload']);
  const image = recordOf(upload['image']);
  // protocol 5.4: older versions only know pictures.
  if ((upload['enabled'] ?? image['enabled']) !== true) return null;
  const system = recordOf(parameters['system_parameters']);
  const methods = textsOf(upload['allowed_file_upload_methods'], textsOf(image['transfer_methods'], bothMethods));
  return {
    types: textsOf(upload['allowed_file_types'], ['image']),
    extensions: textsOf(upload['allowed_file_extensions'], []),
    methods,
    limit: Number(upload['number_limits'] ?? image['number_limits'] ?? system['workflow_file_upload_limit'] ?? 10),
    imageLimit: Number(image['number_limits'] ?? upload['number_limits'] ?? 10),
  };
}

const fieldRules = (type: string, field: Json): Rules => ({
  types: textsOf(field['allowed_file_types'], fileTypes),
  extensions: textsOf(field['allowed_file_extensions'], []),
  methods: textsOf(field['allowed_file_upload_methods'], bothMethods),
  limit: type === 'file' ? 1 : Number(field['max_length'] ?? 5),
});

export interface ListedFiles {
  files: RunFile[];
  isIgnored: boolean;
  odd: readonly string[];
}

export interface Asker {
  key: string;
  user: string;
}

/** Reads the files of a question: those of `files[]` and those in its inputs (protocol 5.2, 5.3). */
export function createAttachments({ uploads }: Pick<Memory, 'uploads'>) {
  const localFile = (entry: Json, variable: string | null, { key, user }: Asker): RunFile | FileMistake => {
    const id = entry['upload_file_id'];
    if (!isText(id)) return { mistake: 'Invalid upload file id', isMalformed: true };
    if (!isUuid(id)) return { mistake: 'Invalid upload file id format', isMalformed: true };
    const upload = uploads.get(id);
    if (!upload || upload.key !== key || upload.user !== user)
      return { mistake: 'Invalid upload file', isMalformed: false };
    const { name, mimeType, bytes } = upload;
    const type = entry['type'] as FileType;
    return { id, type, name, variable, url: null, mimeType, size: bytes.length };
  };

  const remoteFile = (entry: Json, variable: string | null): RunFile | FileMistake => {
    const { url } = entry;
    if (!isText(url) || !URL.canParse(url)) return { mistake: 'Invalid file url', isMalformed: true };
    const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
    return { id: null, type: entry['type'] as FileType, name, variable, url, mimeType: null, size: null };
  };

  const readOne = (entry: unknown, rules: Rules, variable: string | null, asker: Asker): RunFile | FileMistake => {
    if (!isRecord(entry)) return { mistake: 'Invalid file mapping', isMalformed: true };
    const { type, transfer_method: method } = entry;
    if (method === undefined) return { mistake: 'transfer_method is required in file mapping', isMalformed: true };
    if (method !== 'local_file' && method !== 'remote_url')
      return { mistake: `${pythonText(method)} is not a valid FileTransferMethod`, isMalformed: true };
    if (type !== undefined && (typeof type !== 'string' || !fileTypes.includes(type)))
      return { mistake: `${pythonText(type)} is not a valid FileType`, isMalformed: true };
    const file = method === 'local_file' ? localFile(entry, variable, asker) : remoteFile(entry, variable);
    if (isMistake(file)) return file;
    // Recorded: only the files of inputs are compared with the class that they are given.
    if (variable !== null && isMisnamed(file))
      return {
        mistake: 'Detected file type does not match the specified type. Please verify the file.',
        isMalformed: true,
      };
    const isTaken =
      type === 'custom' ? rules.extensions.includes(`.${extensionOf(file.name)}`) : rules.types.includes(type ?? '');
    if (!isTaken || !rules.methods.includes(method))
      return { mistake: `File validation failed for file: ${file.name}`, isMalformed: false };
    return file;
  };

  const readAll = (entries: readonly unknown[], rules: Rules, variable: string | null, asker: Asker) => {
    const files: RunFile[] = [];
    for (const entry of entries) {
      const file = readOne(entry, rules, variable, asker);
      if (isMistake(file)) return file;
      files.push(file);
    }
    return files;
  };

  /** The value of a file or file-list variable. */
  const readField = (
    type: 'file' | 'file-list',
    field: Json,
    value: unknown,
    asker: Asker,
  ): RunFile[] | FileMistake => {
    const name = String(field['variable']);
    const rules = fieldRules(type, field);
    if (type === 'file')
      return isRecord(value)
        ? readAll([value], rules, name, asker)
        : { mistake: `${name} in input form must be a file`, isMalformed: true };
    if (!Array.isArray(value)) return { mistake: `${name} in input form must be a list of files`, isMalformed: true };
    if (value.length > rules.limit)
      return { mistake: `${name} in input form must be less than ${rules.limit} files`, isMalformed: false };
    return readAll(value, rules, name, asker);
  };

  const listMistake = (entries: readonly Json[], { limit, imageLimit = limit }: Rules): FileMistake | undefined => {
    const images = entries.filter(({ type }) => type === 'image').length;
    if (images > imageLimit)
      return { mistake: `Number of image files exceeds the maximum limit ${imageLimit}`, isMalformed: false };
    return entries.length > limit
      ? { mistake: `Number of files exceeds the maximum limit ${limit}`, isMalformed: false }
      : undefined;
  };

  /**
   * The files of a question. `isIgnored`: there were files, but the app's file upload is off; `odd`: taken by Dify, but
   * nothing that a correct client sends.
   */
  const readListed = (app: SampleApp, value: unknown, asker: Asker): ListedFiles | FileMistake => {
    const entries: Json[] = Array.isArray(value) ? value.filter(isRecord) : [];
    const rules = appRules(parametersOf(app));
    if (!rules) return { files: [], isIgnored: entries.length > 0, odd: [] };
    const named = entries.filter(({ transfer_method: method }) => method !== undefined);
    const files = listMistake(named, rules) ?? readAll(named, rules, null, asker);
    if (!Array.isArray(files)) return files;
    const odd = [
      ...files.filter((file) => isMisnamed(file)).map(({ name, type }) => `${name} is no ${type}`),
      ...(named.length < entries.length ? ['a file without transfer_method'] : []),
    ];
    return { files, isIgnored: false, odd };
  };

  const readInputs = (app: SampleApp, inputs: Json, asker: Asker): RunFile[] | FileMistake => {
    const form = parametersOf(app)['user_input_form'];
    const files: RunFile[] = [];
    for (const item of Array.isArray(form) ? form : []) {
      const [type, field] = Object.entries(recordOf(item))[0] ?? [];
      if ((type !== 'file' && type !== 'file-list') || !isRecord(field)) continue;
      const value = inputs[String(field['variable'])];
      if (value === undefined || value === null || value === '') continue;
      const own = readField(type, field, value, asker);
      if (!Array.isArray(own)) return own;
      files.push(...own);
    }
    return files;
  };

  return { readListed, readInputs, readField };
}

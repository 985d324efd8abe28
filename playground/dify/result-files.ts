import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/runtime/clock.ts';
import { keepNewestBytes } from '../http/newest.ts';
import { isRecord, type Json } from '../http/shape.ts';
import { extensionOf, fileTypeOf, mimeTypeOf } from './file-classes.ts';
import type { DifyOptions, DifyUpload, FileType, MadeFile, RunFile } from './types.ts';

/** `FILES_ACCESS_TIMEOUT` (protocol 4, 6.2). */
const LINK_LIFETIME_S = 300;
/** The host of Dify's own network that leaks when its settings are wrong (protocol 6.2). */
const INTERNAL_ORIGIN = 'http://api:5001';

/** A made file and the link to it. */
export interface ResultFile {
  id: string;
  name: string;
  type: FileType;
  mimeType: string;
  bytes: Uint8Array;
  url: string;
}

export interface ServedFile {
  status: 200;
  mimeType: string;
  bytes: Uint8Array;
}

/** The files that apps made, and signed links to these and to what was uploaded. */
export interface ResultFiles {
  make(file: MadeFile): ResultFile;
  /** A link to an upload, for the client that uploaded it. */
  previewUrl(uploadId: string): string;
  serve(path: string, query: URLSearchParams): ServedFile | { status: 403 | 404 };
}

export interface ResultFilesOptions {
  clock: Clock;
  createId: () => string;
  uploads: ReadonlyMap<string, DifyUpload>;
  filesUrl: NonNullable<DifyOptions['filesUrl']>;
  /** Known only once the server listens. */
  ownOrigin: () => string;
}

export function createResultFiles(options: ResultFilesOptions): ResultFiles {
  const { clock, createId, uploads, filesUrl, ownOrigin } = options;
  const made = new Map<string, ResultFile>();
  const secret = randomBytes(32);

  const signature = (path: string, timestamp: string, nonce: string) =>
    createHmac('sha256', secret).update(`${path}|${timestamp}|${nonce}`).digest('base64url');

  const link = (path: string): string => {
    const timestamp = String(Math.floor(clock.now() / 1000));
    const nonce = randomBytes(8).toString('hex');
    const origin = { relative: '', own: ownOrigin(), internal: INTERNAL_ORIGIN }[filesUrl];
    return `${origin}${path}?timestamp=${timestamp}&nonce=${nonce}&sign=${signature(path, timestamp, nonce)}%3D`;
  };

  const isSigned = (path: string, query: URLSearchParams): boolean => {
    const timestamp = query.get('timestamp') ?? '';
    const wanted = digest(`${signature(path, timestamp, query.get('nonce') ?? '')}=`);
    if (!timingSafeEqual(wanted, digest(query.get('sign') ?? ''))) return false;
    return clock.now() / 1000 - Number(timestamp) <= LINK_LIFETIME_S;
  };

  return {
    make(file) {
      const { name, bytes, mimeType = mimeTypeOf(name), type = fileTypeOf(name, mimeType) } = file;
      const id = createId();
      const url = link(`/files/tools/${id}.${extensionOf(name) || 'bin'}`);
      const result = { id, name, type, mimeType, bytes, url };
      made.set(id, result);
      keepNewestBytes(made);
      return result;
    },
    previewUrl: (uploadId) => link(`/files/${uploadId}/file-preview`),
    serve(path, query) {
      const toolId = /^\/files\/tools\/([^/.]+)\.\w+$/u.exec(path)?.[1];
      const uploadId = /^\/files\/([^/]+)\/file-preview$/u.exec(path)?.[1];
      const file = toolId === undefined ? uploads.get(uploadId ?? '') : made.get(toolId);
      // Dify tells a bad signature apart from a missing file only for the files of tools.
      if (!isSigned(path, query)) return { status: toolId === undefined ? 404 : 403 };
      return file ? { status: 200, mimeType: file.mimeType, bytes: file.bytes } : { status: 404 };
    },
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** An opaque handle, as 1.14.2 writes it. */
const referenceOf = (id: string) =>
  `dify-file-ref:${Buffer.from(JSON.stringify({ record_id: id })).toString('base64')}`;

/** protocol 6.2: how workflow-based apps write a file. */
export function fileObject(file: ResultFile): Json {
  return {
    dify_model_identity: '__dify__file__',
    id: null,
    type: file.type,
    transfer_method: 'tool_file',
    remote_url: null,
    reference: referenceOf(file.id),
    filename: file.name,
    extension: `.${extensionOf(file.name)}`,
    mime_type: file.mimeType,
    size: file.bytes.length,
    related_id: file.id,
    url: file.url,
  };
}

/** protocol 6.2: how the `message_end` of an easy app lists a file. */
export function easyFileObject(file: ResultFile): Json {
  return {
    related_id: file.id,
    extension: `.${extensionOf(file.name)}`,
    filename: file.name,
    size: file.bytes.length,
    mime_type: file.mimeType,
    transfer_method: 'tool_file',
    type: file.type,
    url: file.url,
    upload_file_id: null,
    remote_url: null,
  };
}

/** How the `message_end` of an easy app lists a file of the question itself. */
export function ownFileObject({ id, name, mimeType, size, type, url }: RunFile, relatedId: string, link: string): Json {
  return {
    related_id: relatedId,
    extension: `.${extensionOf(name)}`,
    filename: name,
    size: size ?? -1,
    mime_type: mimeType ?? '',
    transfer_method: id === null ? 'remote_url' : 'local_file',
    type,
    url: url ?? link,
    upload_file_id: id,
    remote_url: url ?? '',
  };
}

/** A file object in a text. */
export function fileMarkdownOf({ type, filename, url }: Json): string {
  return `${type === 'image' ? '!' : ''}[${String(filename)}](${String(url)})`;
}

/** protocol 6.2: a file in a text. */
export function fileMarkdown({ type, name, url }: ResultFile): string {
  return type === 'image' ? `![${name}](${url})` : `[${name}](${url})`;
}

/** Puts a file object in the place of each `{ madeFile }` of a script's outputs. */
export function withFileObjects(value: unknown, make: (file: MadeFile) => ResultFile): unknown {
  if (Array.isArray(value)) return value.map((entry) => withFileObjects(entry, make));
  if (!isRecord(value)) return value;
  if (isRecord(value['madeFile'])) return fileObject(make(value['madeFile'] as unknown as MadeFile));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withFileObjects(entry, make)]));
}

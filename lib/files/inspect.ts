import type { FileTypeResult } from 'file-type/core';
import { classOf, type FileClass } from '../dify/file-rules.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import { safeFileName } from '../net/file-name.ts';

/** What a file is said to be, by its sender or by the answer that names it. */
export type ExpectedFile = Pick<SentFile, 'name' | 'kind'>;

export interface InspectedFile {
  name: string;
  /** Lower case, without the dot; empty when there is none. */
  extension: string;
  mimeType: string;
  class: FileClass;
  /** The whole file. Can be read once. */
  bytes: AsyncIterable<Uint8Array>;
}

/** The number of bytes that are inspected. `file-type` calls this enough for nearly all signatures. */
const SAMPLE_BYTES = 4_100;

/** The formats that DingTalk shows as pictures or that models accept as pictures. SVG can contain scripts. */
const PICTURES: ReadonlySet<string> = new Set(['png', 'jpg', 'gif', 'webp', 'bmp']);

/** Files that are zip archives. The part that identifies their type may lie behind the inspected bytes. */
const IN_ZIP = ['docx', 'xlsx', 'pptx', 'docm', 'xlsm', 'pptm', 'odt', 'ods', 'odp', 'odg', 'epub', 'apk', 'jar'];

const OFFICE_97 = ['doc', 'xls', 'ppt', 'msg'];

/** For each extension whose files have a signature: the names that `file-type` may give to them. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['png', 'jpg', 'gif', 'webp', 'bmp', 'tif', 'heic', 'avif', 'psd', 'ico', 'pdf', 'rar', '7z', 'tar', 'rtf']
      .concat(['wav', 'amr', 'flac', 'aac', 'avi', 'exe'])
      .map((extension) => [extension, [extension]]),
  ),
  ...Object.fromEntries(IN_ZIP.map((extension) => [extension, [extension, 'zip']])),
  ...Object.fromEntries(OFFICE_97.map((extension) => [extension, ['cfb']])),
  jpeg: ['jpg'],
  tiff: ['tif'],
  zip: ['zip', ...IN_ZIP],
  tgz: ['gz', 'tar.gz'],
  gz: ['gz', 'tar.gz'],
  mp3: ['mp3', 'mp2', 'mp1'],
  mpga: ['mp3', 'mp2', 'mp1'],
  m4a: ['m4a', 'mp4', 'm4b'],
  ogg: ['ogg', 'oga', 'opus', 'spx'],
  mp4: ['mp4', 'm4v', 'mov', '3gp'],
  mov: ['mov', 'mp4'],
  mpeg: ['mpg'],
  mpg: ['mpg'],
  mkv: ['mkv'],
  webm: ['webm', 'mkv'],
};

/** Text has no signature, so its type follows from its extension. */
const TEXT_TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  log: 'text/plain',
  properties: 'text/plain',
  md: 'text/markdown',
  markdown: 'text/markdown',
  mdx: 'text/markdown',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  vtt: 'text/vtt',
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  ts: 'text/plain',
  py: 'text/x-python',
  java: 'text/plain',
  sql: 'text/plain',
  sh: 'text/plain',
  ini: 'text/plain',
  toml: 'application/toml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  json: 'application/json',
  jsonl: 'application/jsonl',
  xml: 'application/xml',
  svg: 'image/svg+xml',
  eml: 'message/rfc822',
};

/** The types of files whose signature is that of their container. */
const OFFICE_TYPES: Readonly<Record<string, string>> = {
  doc: 'application/msword',
  xls: 'application/vnd.ms-excel',
  ppt: 'application/vnd.ms-powerpoint',
  msg: 'application/vnd.ms-outlook',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  epub: 'application/epub+zip',
};

/**
 * Finds out the type of a file from its first bytes and its name.
 *
 * @throws BridgeError `file_wrong_type` when the bytes contradict the name or the expected kind; errors of `bytes`.
 */
export async function inspect(bytes: AsyncIterable<Uint8Array>, expected: ExpectedFile): Promise<InspectedFile> {
  const source = bytes[Symbol.asyncIterator]();
  const sample = await readSample(source);
  const detected = await detect(sample);
  checkKind(expected.kind, detected);
  const name = nameOf(expected, sample, detected);
  const extension = extensionOf(name);
  checkContent(extension, sample, detected);
  return {
    name,
    extension,
    // The extension counts first: text may begin with the signature of another type, such as `BM`.
    mimeType: of(OFFICE_TYPES, extension) ?? of(TEXT_TYPES, extension) ?? detected?.mime ?? 'application/octet-stream',
    class: classOf(extension),
    bytes: whole(sample, source),
  };
}

/** The part of a name after its last dot, in lower case; empty when it has none. */
export function extensionOf(name: string): string {
  return /^.+\.([a-z0-9]{1,20})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Looks up own properties only: an extension may be any word, also `constructor`. */
const of = <T>(table: Readonly<Record<string, T>>, extension: string): T | undefined =>
  Object.hasOwn(table, extension) ? table[extension] : undefined;

async function readSample(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < SAMPLE_BYTES) {
    const { done, value } = await source.next();
    if (done) break;
    chunks.push(value);
    length += value.byteLength;
  }
  return Buffer.concat(chunks);
}

async function* whole(sample: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (sample.byteLength > 0) yield sample;
    for (;;) {
      const { done, value } = await source.next();
      if (done) return;
      yield value;
    }
  } finally {
    await source.return?.();
  }
}

async function detect(sample: Buffer): Promise<FileTypeResult | null> {
  // Loaded with the first file: most instances meet none, and a cold start counts.
  const { fileTypeFromBuffer } = await import('file-type/core');
  try {
    const found = await fileTypeFromBuffer(sample.subarray(0, SAMPLE_BYTES));
    // A program that does not know APNG shows such a file as a PNG.
    return found?.ext === 'apng' ? { ext: 'png', mime: 'image/png' } : (found ?? null);
  } catch {
    // `file-type` fails on a sample that ends too early or is malformed on purpose.
    return null;
  }
}

const wrongType = (extension: string, detected: FileTypeResult | null) =>
  new BridgeError('file_wrong_type', 'the content of the file is of another type', {
    extension,
    detected: detected?.ext ?? null,
  });

function checkKind(kind: ExpectedFile['kind'], detected: FileTypeResult | null): void {
  const isOfKind =
    kind === 'file' ||
    (detected !== null && (kind === 'picture' ? PICTURES.has(detected.ext) : detected.mime.startsWith(`${kind}/`)));
  if (!isOfKind) throw wrongType(kind, detected);
}

function checkContent(extension: string, sample: Buffer, detected: FileTypeResult | null): void {
  const signatures = of(SIGNATURES, extension);
  if (signatures && !(detected && signatures.includes(detected.ext))) throw wrongType(extension, detected);
  if (of(TEXT_TYPES, extension) !== undefined && !isText(sample)) throw wrongType(extension, detected);
}

/** Text has no NUL byte. UTF-16, which spreadsheets export, has many, and is recognised by its byte order mark. */
function isText(sample: Buffer): boolean {
  const isUtf16 = sample[0] === 0xff ? sample[1] === 0xfe : sample[0] === 0xfe && sample[1] === 0xff;
  return isUtf16 || !sample.includes(0);
}

/** Makes a name that has an extension. */
function nameOf({ name, kind }: ExpectedFile, sample: Buffer, detected: FileTypeResult | null): string {
  const found = detected?.ext ?? (isText(sample) ? 'txt' : 'bin');
  const given = safeFileName(name ?? '');
  if (given === '') return `${kind}.${found}`;
  const extension = extensionOf(given);
  if (extension === '') return safeFileName(`${given.replace(/\.+$/, '')}.${found}`);
  // Programs often give pictures the extension of another format. The content decides.
  const isMislabelled = kind === 'picture' && isPicture(extension) && !of(SIGNATURES, extension)?.includes(found);
  return isMislabelled ? `${given.slice(0, -extension.length)}${found}` : given;
}

const isPicture = (extension: string) => PICTURES.has(extension) || extension === 'jpeg';

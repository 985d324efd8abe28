import type { FileClass } from '../dify/file-rules.ts';
import type { DifyFiles } from '../dify/files.ts';
import { BridgeError } from '../errors.ts';
import type { Download } from '../net/download.ts';
import { inspect, type ExpectedFile } from './inspect.ts';

/** A file that somebody sent to the robot. */
export interface SentFile extends ExpectedFile {
  downloadCode: string;
}

export interface SentFilePorts {
  /** Where DingTalk gives the file out: `downloadAddress` of one robot. */
  addressOf: (downloadCode: string) => Promise<string>;
  download: Download;
  dify: DifyFiles;
  /** Bytes that Dify takes of each class. */
  maxBytes: Readonly<Record<FileClass, number>>;
  /** Whom Dify keeps the file for. */
  user: string;
  signal?: AbortSignal | undefined;
}

/** A file that Dify has and that a question can name. */
export interface AttachedFile {
  id: string;
  class: FileClass;
  name: string;
}

const TIMEOUT_MS = 60_000;

const IDLE_MS = 15_000;

/**
 * Brings a file from DingTalk to Dify.
 *
 * @throws BridgeError with a `file_…` or `dify_…` code; after an abort also the signal's reason.
 */
export function fetchSentFile(file: SentFile, ports: SentFilePorts): Promise<AttachedFile> {
  return withSentFile(file, ports, async (outgoing, fileClass) => {
    const { id } = await ports.dify.upload(outgoing);
    return { id, class: fileClass, name: outgoing.name };
  });
}

/** The words of a recording that somebody sent. Throws as `fetchSentFile` does. */
export function transcribeSentFile(file: SentFile, ports: SentFilePorts): Promise<string> {
  return withSentFile(file, ports, (outgoing) => ports.dify.transcribe(outgoing));
}

type Outgoing = Parameters<DifyFiles['upload']>[0];

async function withSentFile<T>(
  { downloadCode, name, kind }: SentFile,
  { addressOf, download, maxBytes, user, signal }: SentFilePorts,
  use: (file: Outgoing, fileClass: FileClass) => Promise<T>,
): Promise<T> {
  const url = await addressOf(downloadCode);
  // What class it is shows only when its beginning is there.
  const mostBytes = Math.max(...Object.values(maxBytes));
  const incoming = await download(url, { maxBytes: mostBytes, timeoutMs: TIMEOUT_MS, idleMs: IDLE_MS, signal });
  try {
    const inspected = await inspect(incoming.bytes, { name, kind });
    const { size } = incoming;
    const limit = maxBytes[inspected.class];
    if (size !== null && size > limit) throw tooLarge(limit);
    const outgoing = {
      name: inspected.name,
      mimeType: inspected.mimeType,
      size,
      bytes: upTo(inspected.bytes, limit),
      user,
      signal,
    };
    return await use(outgoing, inspected.class);
  } finally {
    incoming.discard();
  }
}

async function* upTo(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    if (count > limit) throw tooLarge(limit);
    yield chunk;
  }
}

const tooLarge = (maxBytes: number) =>
  new BridgeError('file_too_large', 'the file is too large for Dify', { maxBytes });

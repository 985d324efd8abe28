import type { QuestionFile } from '../dify/file-inputs.ts';
import type { FileClass } from '../dify/file-rules.ts';
import type { DifyFiles, OutgoingFile } from '../dify/files.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import type { Download } from '../net/download.ts';
import { limited } from '../net/limited.ts';
import { inspect, type InspectedFile } from './inspect.ts';

export interface SentFilePorts {
  /** Finds the address where DingTalk serves the file: `downloadAddress` of one robot. */
  addressOf: (downloadCode: string) => Promise<string>;
  download: Download;
  dify: DifyFiles;
  /** The longest file that Dify takes of each class, in bytes. */
  maxBytes: Readonly<Record<FileClass, number>>;
  /** The Dify user that the file belongs to. */
  user: string;
  signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 60_000;

const IDLE_MS = 15_000;

/**
 * Fetches a file from DingTalk and uploads it to Dify.
 *
 * @throws BridgeError with a `file_…` or `dify_…` code; after an abort also the signal's reason.
 */
export function fetchSentFile(file: SentFile, ports: SentFilePorts): Promise<QuestionFile> {
  return withSentFile(file, ports, async (outgoing, inspected) => {
    const { id } = await ports.dify.upload(outgoing);
    return { class: inspected.class, extension: inspected.extension, uploadId: id };
  });
}

/** Has Dify write down the words of a recording. Throws as `fetchSentFile` does. */
export function transcribeSentFile(file: SentFile, ports: SentFilePorts): Promise<string> {
  return withSentFile(file, ports, (outgoing) => ports.dify.transcribe(outgoing));
}

async function withSentFile<T>(
  { downloadCode, name, kind }: SentFile,
  { addressOf, download, maxBytes, user, signal }: SentFilePorts,
  use: (file: OutgoingFile, inspected: InspectedFile) => Promise<T>,
): Promise<T> {
  const url = await addressOf(downloadCode);
  // The class, and with it the limit, is known only after the first bytes have been inspected.
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
      bytes: limited(inspected.bytes, limit, () => tooLarge(limit)),
      user,
      signal,
    };
    return await use(outgoing, inspected);
  } finally {
    incoming.discard();
  }
}

const tooLarge = (maxBytes: number) =>
  new BridgeError('file_too_large', 'the file is too large for Dify', { maxBytes });

import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import type { HttpAnswer } from '../net/http.ts';
import { multipart } from '../net/multipart.ts';
import { readRefusal } from './failures.ts';
import type { DifyHttp } from './http.ts';

export interface OutgoingFile {
  name: string;
  mimeType: string;
  /** Bytes; null when not known beforehand. */
  size: number | null;
  bytes: AsyncIterable<Uint8Array>;
  /** The person whom Dify keeps the file for: the same string as in the question that uses it. */
  user: string;
  signal?: AbortSignal | undefined;
}

/**
 * Takes files to one Dify app.
 *
 * Both calls throw a BridgeError (`file_too_large`, `file_not_accepted`, `file_upload_failed` or `dify_…`), or the error of
 * reading the file's bytes.
 */
export interface DifyFiles {
  /** Gives a file to Dify. A question names the file by this id. */
  upload(file: OutgoingFile): Promise<{ id: string }>;
  /** The spoken words of a recording. */
  transcribe(recording: OutgoingFile): Promise<string>;
}

const TIMEOUT_MS = 60_000;

const uploaded = z.object({ id: z.string().min(1) });

const heard = z.object({ text: z.string().nullish() });

/** Codes that also come with other statuses than 413 and 415 (`docs/wire-dify.md`, uploads). */
const TOO_LARGE: ReadonlySet<unknown> = new Set(['file_too_large', 'audio_too_large']);

const NOT_ACCEPTED: ReadonlySet<unknown> = new Set(['unsupported_file_type', 'unsupported_audio_type']);

/** Dify takes mp3, m4a, wav, amr and mpga only as `audio/<extension>`. Other software uses other names for them. */
const AUDIO_TYPES: Readonly<Record<string, string>> = {
  'audio/mpeg': 'audio/mp3',
  'audio/mp4': 'audio/m4a',
  'audio/x-m4a': 'audio/m4a',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-amr': 'audio/amr',
};

export function createDifyFiles(http: DifyHttp): DifyFiles {
  function send(path: string, file: OutgoingFile, type: string): Promise<HttpAnswer> {
    const { name, size, bytes, user, signal } = file;
    const form = multipart({ fields: { user }, file: { field: 'file', name, type, size, bytes } });
    return http.upload(path, form, { timeoutMs: TIMEOUT_MS, signal });
  }

  return {
    async upload(file) {
      const answer = await send('/files/upload', file, file.mimeType);
      const parsed = uploaded.safeParse(answer.json);
      if (answer.status !== 201 && answer.status !== 200) throw refusalOf(answer);
      if (!parsed.success) throw notTaken(answer.status, null);
      return { id: parsed.data.id };
    },
    async transcribe(recording) {
      const { mimeType } = recording;
      const answer = await send('/audio-to-text', recording, AUDIO_TYPES[mimeType] ?? mimeType);
      const parsed = heard.safeParse(answer.json);
      if (answer.status !== 200) throw refusalOf(answer);
      if (!parsed.success) throw notTaken(answer.status, null);
      return (parsed.data.text ?? '').trim();
    },
  };
}

function refusalOf({ status, json }: HttpAnswer): BridgeError {
  const { error } = readRefusal(status, json);
  const { facts } = error;
  const upstreamCode = facts['upstreamCode'] ?? null;
  if (status === 413 || TOO_LARGE.has(upstreamCode)) {
    return new BridgeError('file_too_large', 'the file is too large for Dify', facts);
  }
  if (status === 415 || NOT_ACCEPTED.has(upstreamCode)) {
    return new BridgeError('file_not_accepted', 'Dify does not take files of this type', facts);
  }
  return error.code === 'dify_unauthorized' ? error : notTaken(status, upstreamCode);
}

const notTaken = (status: number, upstreamCode: string | number | boolean | null) =>
  new BridgeError('file_upload_failed', 'Dify did not take the file', { status, upstreamCode });

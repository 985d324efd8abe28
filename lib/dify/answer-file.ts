import * as z from 'zod';
import type { AnswerFile } from '../answer/event.ts';
import { number, text, type list } from './wire-fields.ts';

/**
 * A file as Dify writes it: in `message_file`, in the `files` of the end events, among the outputs and in stored
 * messages. Each of these places has other fields (`docs/wire-dify.md`).
 */
export const answerFileShape = z.object({
  id: text,
  related_id: text,
  upload_file_id: text,
  filename: text,
  type: text,
  url: text,
  remote_url: text,
  extension: text,
  mime_type: text,
  size: number,
});

/** Null for a file without an address: it cannot be fetched. */
export function answerFileOf(wire: z.output<typeof answerFileShape>): AnswerFile | null {
  const url = wire.url || wire.remote_url;
  if (!url) return null;
  return {
    id: wire.related_id || wire.upload_file_id || wire.id || null,
    name: wire.filename ?? '',
    kind: wire.type ?? 'custom',
    url,
    extension: wire.extension?.replace(/^\./, '').toLowerCase() || null,
    mimeType: wire.mime_type || null,
    // Dify writes -1 for an unknown size.
    sizeBytes: wire.size !== null && wire.size !== undefined && wire.size >= 0 ? wire.size : null,
  };
}

/** The file in a JSON value; null for JSON that is no file. */
export function readAnswerFile(json: unknown): AnswerFile | null {
  const parsed = answerFileShape.safeParse(json);
  return parsed.success ? answerFileOf(parsed.data) : null;
}

/** Of these JSON values the files. */
export const readAnswerFiles = (wire: z.output<typeof list>): AnswerFile[] =>
  (wire ?? []).flatMap((file) => readAnswerFile(file) ?? []);

const ownFileShape = z.object({
  transfer_method: z.enum(['local_file', 'remote_url']),
  dify_model_identity: z.null().optional(),
});

/**
 * Whether an entry of `message_end.files` is a file of the question. Chat assistants, agents and text generation list the
 * asker's own files there; those that a tool made have `tool_file`. A chatflow lists what its author answers with, marked as
 * file objects: there the asker's own file is a result.
 */
export function isOwnFile(json: unknown): boolean {
  return ownFileShape.safeParse(json).success;
}

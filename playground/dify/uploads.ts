import { keepNewestBytes } from '../http/newest.ts';
import { isText } from '../http/shape.ts';
import { parametersOf } from './app-facts.ts';
import { extensionOf, MEGABYTE, uploadLimitBytes } from './file-classes.ts';
import type { Memory } from './memory.ts';
import type { Part } from './multipart.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import type { DifyUpload, SampleApp } from './types.ts';

/** protocol 1.5. */
const MAX_AUDIO_BYTES = 30 * MEGABYTE;
/** protocol 1.5: a plain `audio/mpeg` is refused. */
const audioTypes = ['mp3', 'm4a', 'wav', 'amr', 'mpga'].map((extension) => `audio/${extension}`);
/** protocol 5.1: clients that name no user share this one. */
const SHARED_USER = 'DEFAULT-USER';
const badCharacters = /[/\\]/u;

const unreadable = 'The browser (or proxy) sent a request that this server could not understand.';

/** Files that come as multipart bodies (protocol 1.5, 3.5). */
export function createUploads(memory: Memory) {
  const { clock, createId } = memory;

  const userOf = (parts: readonly Part[]): string => {
    const user = parts.find(({ name, filename }) => name === 'user' && filename === undefined)?.bytes.toString('utf8');
    if (isText(user)) return user;
    memory.blame('missing-user', 'the upload names no user, so no question can use it');
    return SHARED_USER;
  };

  const fileRefusal = (parameters: Record<string, unknown>, files: readonly Part[]): Refusal | undefined => {
    const file = files.find(({ name }) => name === 'file');
    if (!file) return refuse(400, 'no_file_uploaded', 'Please upload your file.');
    if (new Set(files.map(({ name }) => name)).size > 1)
      return refuse(400, 'too_many_files', 'Only one file is allowed.');
    if (file.mimeType === '') return refuse(415, 'unsupported_file_type', 'File type not allowed.');
    if (!isText(file.filename))
      return refuse(400, 'filename_not_exists_error', 'The specified filename does not exist.');
    if (badCharacters.test(file.filename)) return refuse(400, 'invalid_param', 'Filename contains invalid characters');
    // The message is empty in practice.
    if (file.bytes.length > uploadLimitBytes(file.filename, parameters)) return refuse(413, 'file_too_large', '');
    return undefined;
  };

  const describe = ({ id, name, bytes, mimeType, at }: DifyUpload) =>
    answerJson(
      {
        id,
        ...(memory.behaviour.shape === '1.16' ? { reference: null } : {}),
        name,
        size: bytes.length,
        extension: extensionOf(name),
        mime_type: mimeType,
        created_by: 'end-user-1',
        created_at: Math.floor(at / 1000),
        preview_url: null,
        source_url: memory.files.previewUrl(id),
        original_url: null,
        user_id: null,
        tenant_id: 'tenant-1',
        conversation_id: null,
        file_key: null,
      },
      201,
    );

  const filesOf = (parts: readonly Part[]) => parts.filter(({ filename }) => filename !== undefined);

  /** POST /files/upload. */
  const upload = (app: SampleApp, key: string, parts: readonly Part[]): Refusal => {
    const user = userOf(parts);
    const files = filesOf(parts);
    const wrong = fileRefusal(parametersOf(app), files);
    if (wrong) return wrong;
    const file = files.find(({ name }) => name === 'file');
    const bytes = file?.bytes ?? Buffer.alloc(0);
    const kept: DifyUpload = {
      id: createId(),
      name: file?.filename ?? '',
      mimeType: file?.mimeType ?? '',
      bytes,
      user,
      key,
      at: clock.now(),
    };
    memory.uploads.set(kept.id, kept);
    keepNewestBytes(memory.uploads);
    return describe(kept);
  };

  /** POST /audio-to-text. */
  const transcribe = (app: SampleApp, parts: readonly Part[]): Refusal => {
    userOf(parts);
    const speech = parametersOf(app)['speech_to_text'];
    if (typeof speech !== 'object' || speech === null || !('enabled' in speech) || speech.enabled !== true)
      return refuse(400, 'invalid_param', 'Speech to text is not enabled');
    const file = filesOf(parts).find(({ name }) => name === 'file');
    if (!file) return refuse(400, 'bad_request_key_error', unreadable);
    const { mimeType, bytes, filename: name = '' } = file;
    if (!audioTypes.includes(mimeType)) return refuse(415, 'unsupported_audio_type', 'Audio type not allowed.');
    if (bytes.length > MAX_AUDIO_BYTES) return refuse(413, 'audio_too_large', 'Audio size larger than 30 mb');
    const text = app.transcribe?.(bytes, { name, mimeType }) ?? `Transcript of ${name}`;
    return answerJson({ text });
  };

  return { upload, transcribe };
}

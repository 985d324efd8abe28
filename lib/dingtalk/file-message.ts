import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError, isUnanswered, isUnsafe } from '../errors.ts';
import { plainLine } from '../markdown/plain-line.ts';
import { safeFileName } from '../net/file-name.ts';
import { limited } from '../net/limited.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Message } from './callback.ts';
import type { DingTalkClient } from './client.ts';
import { sendByRobot } from './robot-message.ts';
import { createSessionReply } from './session-reply.ts';

export interface FileMessageOptions {
  client: DingTalkClient;
  config: DingTalkConfig;
  message: Pick<Message, 'id' | 'chat' | 'sender' | 'session'>;
  fetch: Fetch;
  clock: Clock;
}

/** Messages with a file that was uploaded before. Each costs a call of the month. @throws BridgeError when not sent. */
export interface FileMessages {
  /** Where a robot message is refused, the image goes through the session's address, as a picture within a text. */
  image(image: { mediaId: string; title: string }): Promise<void>;
  file(file: { mediaId: string; name: string; extension: string }): Promise<void>;
}

/** Bytes of an image or a file (page of `media/upload`). */
export const MAX_SENDABLE_BYTES = 20 * 1024 * 1024;

/** What DingTalk takes as an image (page of `media/upload`). */
const IMAGES: ReadonlySet<string> = new Set(['jpg', 'jpeg', 'gif', 'png', 'bmp']);

/** What a chat shows as a file (`sampleFile`, page of the robot's message types). */
const FILES: ReadonlySet<string> = new Set(['xlsx', 'pdf', 'zip', 'rar', 'doc', 'docx']);

/** Types that are compressed already: compressing them again takes time and saves no bytes. */
const COMPRESSED: ReadonlySet<string> = new Set([
  'mp3',
  'm4a',
  'mp4',
  'mov',
  'webm',
  'webp',
  'pptx',
  'epub',
  '7z',
  'gz',
]);

export function createFileMessages({ client, config, message, fetch, clock }: FileMessageOptions): FileMessages {
  const robot = { client, config, message };
  const session = createSessionReply({ config, message, fetch, clock });
  return {
    async image({ mediaId, title }) {
      try {
        await sendByRobot(robot, { msgKey: 'sampleImageMsg', msgParam: JSON.stringify({ photoURL: mediaId }) });
      } catch (error) {
        // An image that may have been sent is not sent twice. One that the content check refused is not sent at all.
        if (!(error instanceof BridgeError) || isUnanswered(error) || isUnsafe(error)) {
          throw error;
        }
        const plain = plainTitle(title);
        await session.send({ title: plain, text: `![${plain}](${mediaId})`, mentionAsker: false }).catch(() => {
          // The operator can mend the first failure, not the second.
          throw error;
        });
      }
    },
    async file({ mediaId, name, extension }) {
      const msgParam = JSON.stringify({ mediaId, fileName: name, fileType: extension });
      await sendByRobot(robot, { msgKey: 'sampleFile', msgParam });
    },
  };
}

/** A title that stays within the brackets of its picture and shows as it is written. */
function plainTitle(title: string): string {
  return plainLine(title, '()~!#\\') || 'image';
}

/** A file as the app made it. */
export interface ResultFile {
  name: string;
  /** Lower case, without the dot. */
  extension: string;
  mimeType: string;
  /** Bytes; null when not known beforehand. */
  size: number | null;
  bytes: AsyncIterable<Uint8Array>;
}

/** A file as DingTalk takes it. */
export interface SendableFile extends ResultFile {
  kind: 'image' | 'file';
  size: number;
}

/**
 * How a file is sent: as an image, as a file, or, where DingTalk takes no files of its type, within an archive. An
 * archive, or a file of unknown length, is held in memory, 20 MB of it at most.
 *
 * @throws BridgeError `file_too_large`; what reading the bytes throws.
 */
export async function asSendable(file: ResultFile, clock: Clock): Promise<SendableFile> {
  if ((file.size ?? 0) > MAX_SENDABLE_BYTES) throw tooLarge();
  const kind = IMAGES.has(file.extension) ? 'image' : 'file';
  if (kind === 'file' && !FILES.has(file.extension)) return zipped(file, clock);
  // It is not known whether DingTalk takes an upload of unknown length, so the bytes are read first.
  if (file.size === null) return { ...file, kind, ...held(await Array.fromAsync(sendable(file.bytes))) };
  return { ...file, kind, size: file.size };
}

async function zipped(file: ResultFile, clock: Clock): Promise<SendableFile> {
  const level = COMPRESSED.has(file.extension) ? 0 : 6;
  // Loaded with the first archive, as zlib is: a cold start counts.
  const { zipFile } = await import('../net/zip.ts');
  const archive = held(await zipFile({ name: file.name, bytes: sendable(file.bytes), level, modifiedMs: clock.now() }));
  if (archive.size > MAX_SENDABLE_BYTES) throw tooLarge();
  return {
    kind: 'file',
    name: safeFileName(`${file.name.slice(0, file.name.length - file.extension.length).replace(/\.$/, '')}.zip`),
    extension: 'zip',
    mimeType: 'application/zip',
    ...archive,
  };
}

/** Bytes in memory, in the shape of a file. */
const held = (chunks: readonly Uint8Array[]) => ({
  size: chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
  bytes: inOrder(chunks),
});

async function* inOrder(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** The bytes, up to what DingTalk takes. */
const sendable = (bytes: AsyncIterable<Uint8Array>) => limited(bytes, MAX_SENDABLE_BYTES, tooLarge);

const tooLarge = () =>
  new BridgeError('file_too_large', 'the file is too large for DingTalk', { maxBytes: MAX_SENDABLE_BYTES });

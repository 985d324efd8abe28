import type { SentFile } from './message-kinds.ts';
import { firstWords, type Fields } from './wire-values.ts';

const KINDS: Readonly<Partial<Record<string, SentFile['kind']>>> = {
  picture: 'picture',
  image: 'picture',
  photo: 'picture',
  audio: 'audio',
  voice: 'audio',
  video: 'video',
  file: 'file',
};

/** What DingTalk writes in the place of a file. */
export const MARKERS: Readonly<Record<SentFile['kind'] | 'record' | 'message', string>> = {
  picture: '[图片]',
  audio: '[语音]',
  video: '[视频]',
  file: '[文件]',
  record: '[合并的聊天记录]',
  message: '[消息]',
};

/** The kind of file that a message or a part of one is by its name; null for others. */
export function fileKind(kind: string): SentFile['kind'] | null {
  return Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? null) : null;
}

/** The file that these fields have a code for. Of the two codes of a picture either one fetches it. */
export function fileIn(fields: Fields, kind: string): SentFile | null {
  const downloadCode = firstWords(fields, ['downloadCode', 'pictureDownloadCode']).trim();
  if (downloadCode === '') return null;
  const name = firstWords(fields, ['fileName', 'filename', 'name']).trim() || null;
  return { kind: fileKind(kind) ?? (name === null ? 'picture' : 'file'), downloadCode, name };
}

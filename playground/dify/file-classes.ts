import { extname } from 'node:path';
import { recordOf, type Json } from '../http/shape.ts';
import type { FileType } from './types.ts';

/** protocol 5.3: which extensions make a file of which class. */
const extensions: Record<Exclude<FileType, 'custom'>, readonly string[]> = {
  image: ['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg'],
  audio: ['mp3', 'm4a', 'wav', 'amr', 'mpga'],
  video: ['mp4', 'mov', 'mpeg', 'webm'],
  document: 'txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties'.split(' '),
};

const mimeTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  csv: 'text/csv',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** Lower case, without the dot; empty for a name without one. */
export function extensionOf(name: string): string {
  return extname(name).slice(1).toLowerCase();
}

export function mimeTypeOf(name: string): string {
  return mimeTypes[extensionOf(name)] ?? 'application/octet-stream';
}

/** By the extension; for an unknown one by what the MIME type begins with. */
export function fileTypeOf(name: string, mimeType: string): FileType {
  const extension = extensionOf(name);
  const classes = ['image', 'audio', 'video', 'document'] as const;
  const byExtension = classes.find((type) => extensions[type].includes(extension));
  if (byExtension) return byExtension;
  return (['image', 'audio', 'video'] as const).find((type) => mimeType.startsWith(`${type}/`)) ?? 'custom';
}

export const MEGABYTE = 1024 * 1024;

/** What may be uploaded under this name, in bytes (protocol 5.3: MB, by class, in `system_parameters`). */
export function uploadLimitBytes(name: string, parameters: Json): number {
  const limits = recordOf(parameters['system_parameters']);
  const limit = (field: string, usual: number) => Number(limits[field] ?? usual) * MEGABYTE;
  switch (fileTypeOf(name, '')) {
    case 'image':
      return limit('image_file_size_limit', 10);
    case 'audio':
      return limit('audio_file_size_limit', 50);
    case 'video':
      return limit('video_file_size_limit', 100);
    default:
      return limit('file_size_limit', 15);
  }
}

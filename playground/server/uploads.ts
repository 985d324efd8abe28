import { randomUUID } from 'node:crypto';
import { keepNewestBytes } from '../http/newest.ts';
import type { FileInfo } from './protocol.ts';

/** A file that was chosen, pasted or dropped in the page, on its way into a message. */
export interface Upload {
  name: string;
  bytes: Uint8Array;
  kind: FileInfo['kind'];
}

export interface Uploads {
  /** Takes a request's body. Null when it is larger than allowed. */
  take(request: Request, name: string): Promise<{ id: string; file: FileInfo } | null>;
  put(upload: Upload): { id: string; file: FileInfo };
  find(id: string): Upload | undefined;
  infoOf(id: string): FileInfo | undefined;
  forget(): void;
}

/** DingTalk's own limit for what people send is higher; this is about what a developer tries out. */
const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;
const MAX_NAME_CHARS = 120;

const extension = (name: string) => name.slice(name.lastIndexOf('.') + 1).toLowerCase();

/** The pictures that the page itself shows; anything else is only ever downloaded. */
const PICTURE_TYPES: Readonly<Partial<Record<string, string>>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
};
const VIDEOS = new Set(['mp4', 'mov', 'webm', 'm4v']);

function kindOf(name: string): FileInfo['kind'] {
  if (PICTURE_TYPES[extension(name)]) return 'picture';
  return VIDEOS.has(extension(name)) ? 'video' : 'file';
}

const describe = (id: string, { name, kind, bytes }: Upload): FileInfo => ({
  name,
  kind,
  size: bytes.length,
  url: `/playground/uploads/${id}`,
});

/** What was uploaded through the page, in memory; the oldest go first. */
export function createUploads(): Uploads {
  const uploads = new Map<string, Upload>();

  const put = (upload: Upload) => {
    const id = randomUUID();
    uploads.set(id, upload);
    keepNewestBytes(uploads);
    return { id, file: describe(id, upload) };
  };

  return {
    put,
    infoOf(id) {
      const upload = uploads.get(id);
      return upload && describe(id, upload);
    },
    find: (id) => uploads.get(id),
    async take(request, wanted) {
      const bytes = await readUpTo(request, MAX_UPLOAD_BYTES);
      if (!bytes) return null;
      const signs = Array.from(wanted.replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, '_'));
      const name = signs.slice(-MAX_NAME_CHARS).join('') || 'file';
      return put({ name, bytes, kind: kindOf(name) });
    },
    forget: () => uploads.clear(),
  };
}

/** The body, or null as soon as it is too long. */
async function readUpTo(request: Request, most: number): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > most) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A file for the page: a picture to show, anything else to keep. It never runs, whatever is in it. */
export function fileResponse({ name, bytes }: { name: string; bytes: Uint8Array }): Response {
  const type = PICTURE_TYPES[extension(name)];
  const fileName = encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return new Response(new Uint8Array(bytes), {
    headers: {
      'content-type': type ?? 'application/octet-stream',
      'content-disposition': `${type ? 'inline' : 'attachment'}; filename*=UTF-8''${fileName}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    },
  });
}

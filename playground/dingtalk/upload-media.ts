import { sessionAnswer, type Answer } from './answer.ts';
import { isImage } from './image-check.ts';
import { keepNewest, keepNewestBytes } from '../http/newest.ts';
import type { MediaType } from './types.ts';
import type { World } from './world.ts';

const megabyte = 1024 * 1024;
/** Of what was uploaded, so many files are kept. */
const maxKeptFiles = 1000;

/** What each type takes (protocol 6, confirmed). */
const rules: Readonly<Record<MediaType, { maxBytes: number; extensions: readonly string[] }>> = {
  // `jpeg` is not listed by the page; it is `jpg` by another name.
  image: { maxBytes: 20 * megabyte, extensions: ['jpg', 'jpeg', 'gif', 'png', 'bmp'] },
  voice: { maxBytes: 2 * megabyte, extensions: ['amr', 'mp3', 'wav'] },
  video: { maxBytes: 20 * megabyte, extensions: ['mp4'] },
  file: {
    maxBytes: 20 * megabyte,
    extensions: ['doc', 'docx', 'xls', 'xlsx', 'ppt', 'pptx', 'zip', 'pdf', 'rar'],
  },
};

const isMediaType = (type: unknown): type is MediaType => typeof type === 'string' && Object.hasOwn(rules, type);

/** Lower case, without the dot; empty when there is none. */
export const extensionOf = (name: string) => /\.([^.]+)$/u.exec(name)?.[1]?.toLowerCase() ?? '';

/** The page has no error table: all of these numbers are those of the general one, and not certain. */
const errors = {
  type: [40004, '不合法的媒体文件类型'],
  size: [40006, '不合法的文件大小'],
  token: [40014, '不合法的access_token'],
  missing: [41005, '缺少多媒体文件数据'],
  empty: [44001, '多媒体文件为空'],
  permission: [60011, '管理员权限不够'],
  qps: [90018, '您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了'],
  month: [90020, '您的服务器调用钉钉开放平台所有接口的请求都被暂时禁用了'],
} as const satisfies Record<string, readonly [errcode: number, errmsg: string]>;

function refusal(name: keyof typeof errors, violation?: string): Answer {
  const [errcode, errmsg] = errors[name];
  return sessionAnswer(errcode, errmsg, violation);
}

/** What the gateway refused, as the older interface says it: always HTTP 200. */
export function asOlderAnswer(answer: Answer): Answer {
  const name = /Qps/u.test(answer.code)
    ? 'qps'
    : /ApiCount/u.test(answer.code)
      ? 'month'
      : /Permission/u.test(answer.code)
        ? 'permission'
        : 'token';
  return {
    ...refusal(name, answer.violation),
    ...(answer.counted === undefined ? {} : { counted: answer.counted }),
  };
}

export interface UploadRequest {
  contentType: string;
  query: URLSearchParams;
  content: Buffer;
}

async function readForm({ contentType, content }: UploadRequest): Promise<FormData | null> {
  if (!/^multipart\/form-data\s*;/iu.test(contentType)) return null;
  // It throws on whatever is not such a form, one that was cut off included.
  return new Response(new Uint8Array(content), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => null);
}

export function createMediaUploads(world: World) {
  /** POST /media/upload?access_token=…&type=… (protocol 6). */
  return async (request: UploadRequest): Promise<Answer> => {
    const form = await readForm(request);
    if (!form) return refusal('missing', 'the body is not a whole multipart/form-data');
    // The page lists `type` among the form's fields, its examples write it into the address: either will do.
    const types = new Set([...request.query.getAll('type'), ...form.getAll('type')]);
    const [type] = types;
    if (types.size !== 1 || !isMediaType(type)) return refusal('type', 'type must be image, voice, video or file');
    const given = form.getAll('media');
    const [file] = given;
    if (given.length !== 1 || !(file instanceof File) || file.name === '')
      return refusal('missing', 'the form must have one field media with a filename');
    const { maxBytes, extensions } = rules[type];
    const extension = extensionOf(file.name);
    if (!extensions.includes(extension)) return refusal('type', `${type} does not take .${extension}`);
    if (file.size === 0) return refusal('empty', 'the file is empty');
    if (file.size > maxBytes) return refusal('size', `a ${type} has at most ${maxBytes} bytes`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    // No violation: the bridge passes on the name that the file came with.
    if (type === 'image' && !isImage(bytes)) return refusal('type');
    const at = world.clock.now();
    const id = `@lADP${world.createId().replaceAll('-', '')}`;
    world.media.set(id, { id, type, name: file.name, bytes, at });
    keepNewest(world.media, maxKeptFiles);
    keepNewestBytes(world.media);
    return {
      status: 200,
      code: 'ok',
      body: { errcode: 0, errmsg: 'ok', type, media_id: id, created_at: at },
    };
  };
}

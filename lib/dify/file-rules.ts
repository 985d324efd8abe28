import * as z from 'zod';

export const FILE_CLASSES = ['image', 'document', 'audio', 'video', 'custom'] as const;

/**
 * Dify's classes of files (`docs/wire-dify.md`, files of a question). `custom` is a file of any other type; an app names
 * the extensions of these that it takes.
 */
export type FileClass = (typeof FILE_CLASSES)[number];

/** Which files an app, or one of its inputs, takes. */
export interface FileRules {
  classes: readonly FileClass[];
  /** In lower case, without the dot; they count for `custom`. */
  extensions: readonly string[];
  /** Takes files that were uploaded to Dify. */
  takesUploads: boolean;
  /** How many at once. */
  most: number;
}

/** Longest files that Dify takes, in megabytes. */
export type SizeLimits = Readonly<Record<'image' | 'document' | 'audio' | 'video', number>>;

/** Dify's own defaults (`docs/wire-dify.md`). */
const DEFAULT_LIMITS_MB: SizeLimits = { image: 10, document: 15, audio: 50, video: 100 };

/** `WORKFLOW_FILE_UPLOAD_LIMIT` of Dify. */
const DEFAULT_MOST = 10;

const strings = z.array(z.string()).nullish().catch(null);

const count = z.number().int().positive().nullish().catch(null);

const flag = z.boolean().nullish().catch(null);

const rulesShape = z.object({
  allowed_file_types: strings,
  allowed_file_extensions: strings,
  allowed_file_upload_methods: strings,
  max_length: count,
  number_limits: count,
});

const uploadShape = rulesShape.extend({
  enabled: flag,
  image: z.object({ enabled: flag, number_limits: count, transfer_methods: strings }).nullish().catch(null),
});

/** `file_upload` of `GET /parameters`; null when the app takes no files with a question. */
export function readUploadRules(json: unknown): FileRules | null {
  const upload = uploadShape.safeParse(json).data;
  if (!upload) return null;
  const { image, enabled = null } = upload;
  if (!(enabled ?? image?.enabled ?? false)) return null;
  return rulesOf(
    {
      ...upload,
      // Old versions know pictures only, and write their rules below `image`.
      ...(enabled === null ? { allowed_file_types: ['image'] } : {}),
      allowed_file_upload_methods: upload.allowed_file_upload_methods ?? image?.transfer_methods,
    },
    upload.number_limits ?? image?.number_limits ?? DEFAULT_MOST,
  );
}

/**
 * The rules of an input or of a field of a form that takes files.
 *
 * @param kind `file` takes one, `file-list` several.
 * @param most the name under which Dify tells how many: inputs of the app have `max_length`, fields of a form `number_limits`.
 */
export function readRules(json: unknown, kind: 'file' | 'file-list', most: 'max_length' | 'number_limits'): FileRules {
  const wire = rulesShape.safeParse(json).data;
  return rulesOf(wire, kind === 'file' ? 1 : (wire?.[most] ?? DEFAULT_MOST));
}

const megabytes = z.coerce.number().positive().nullish().catch(null);

const limitsShape = z.object({
  image_file_size_limit: megabytes,
  file_size_limit: megabytes,
  audio_file_size_limit: megabytes,
  video_file_size_limit: megabytes,
});

/** `system_parameters` of `GET /parameters`. */
export function readSizeLimits(json: unknown): SizeLimits {
  const limits = limitsShape.safeParse(json).data;
  return {
    image: limits?.image_file_size_limit ?? DEFAULT_LIMITS_MB.image,
    document: limits?.file_size_limit ?? DEFAULT_LIMITS_MB.document,
    audio: limits?.audio_file_size_limit ?? DEFAULT_LIMITS_MB.audio,
    video: limits?.video_file_size_limit ?? DEFAULT_LIMITS_MB.video,
  };
}

function rulesOf(wire: z.output<typeof rulesShape> | undefined, most: number): FileRules {
  const { allowed_file_types: types, allowed_file_extensions: extensions } = wire ?? {};
  const { allowed_file_upload_methods: methods } = wire ?? {};
  const classes = FILE_CLASSES.filter((fileClass) => types?.includes(fileClass));
  return {
    // To Dify an empty list is no restriction.
    classes: types && types.length > 0 ? classes : FILE_CLASSES.filter((fileClass) => fileClass !== 'custom'),
    extensions: (extensions ?? []).map(plainExtension),
    takesUploads: !methods || methods.length === 0 || methods.includes('local_file'),
    most,
  };
}

export function plainExtension(extension: string): string {
  return extension.trim().replace(/^\./, '').toLowerCase();
}

/** Extensions of each class, as Dify itself decides (`docs/wire-dify.md`); any other is custom. */
const EXTENSIONS: readonly (readonly [FileClass, ReadonlySet<string>])[] = [
  ['image', new Set(['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg'])],
  ['audio', new Set(['mp3', 'm4a', 'wav', 'amr', 'mpga'])],
  ['video', new Set(['mp4', 'mov', 'mpeg', 'webm'])],
  ['document', new Set('txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties'.split(' '))],
];

/** The class that Dify gives to a file with this extension. */
export function classOf(extension: string): FileClass {
  return EXTENSIONS.find(([, extensions]) => extensions.has(extension))?.[0] ?? 'custom';
}

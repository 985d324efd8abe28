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

const uploadShape = z.object({
  enabled: flag,
  allowed_file_types: strings,
  allowed_file_extensions: strings,
  allowed_file_upload_methods: strings,
  number_limits: count,
  image: z.object({ enabled: flag, number_limits: count, transfer_methods: strings }).nullish().catch(null),
});

/** `file_upload` of `GET /parameters`; null when the app takes no files with a question. */
export function readUploadRules(json: unknown): FileRules | null {
  const upload = uploadShape.safeParse(json).data;
  if (!upload) return null;
  const { image } = upload;
  if (!(upload.enabled ?? image?.enabled ?? false)) return null;
  // Old versions know pictures only, and write their rules below `image`.
  const isOld = upload.enabled === null || upload.enabled === undefined;
  return rulesOf({
    types: isOld ? ['image'] : upload.allowed_file_types,
    extensions: upload.allowed_file_extensions,
    methods: upload.allowed_file_upload_methods ?? image?.transfer_methods,
    most: upload.number_limits ?? image?.number_limits ?? DEFAULT_MOST,
  });
}

const inputShape = z.object({
  allowed_file_types: strings,
  allowed_file_extensions: strings,
  allowed_file_upload_methods: strings,
  max_length: count,
});

/** The rules of an input of the form that takes files; `isList` for one that takes several. */
export function readInputRules(json: unknown, isList: boolean): FileRules {
  const input = inputShape.safeParse(json).data;
  return rulesOf({
    types: input?.allowed_file_types,
    extensions: input?.allowed_file_extensions,
    methods: input?.allowed_file_upload_methods,
    most: isList ? (input?.max_length ?? DEFAULT_MOST) : 1,
  });
}

const fieldShape = inputShape.omit({ max_length: true }).extend({ number_limits: count });

/** The rules of a field of a human-input form that takes files; `isList` for one that takes several. */
export function readFieldRules(json: unknown, isList: boolean): FileRules {
  const field = fieldShape.safeParse(json).data;
  return rulesOf({
    types: field?.allowed_file_types,
    extensions: field?.allowed_file_extensions,
    methods: field?.allowed_file_upload_methods,
    most: isList ? (field?.number_limits ?? DEFAULT_MOST) : 1,
  });
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

interface WireRules {
  types: readonly string[] | null | undefined;
  extensions: readonly string[] | null | undefined;
  methods: readonly string[] | null | undefined;
  most: number;
}

function rulesOf({ types, extensions, methods, most }: WireRules): FileRules {
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

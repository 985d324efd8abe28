import * as z from 'zod';

/** What a message holds. An unknown kind is one of the cases, so reading a message never throws. */
export type Content =
  | { kind: 'text'; text: string }
  | { kind: 'rich-text'; text: string; pictures: readonly string[] }
  | { kind: 'picture'; downloadCode: string }
  | { kind: 'audio'; downloadCode: string | null; recognition: string }
  | { kind: 'video'; downloadCode: string }
  | { kind: 'file'; downloadCode: string; fileName: string }
  | { kind: 'unknown'; messageType: string };

/** What a message refers to: an earlier one, shown above it. */
export interface Quoted {
  text: string;
  /** The picture or file that is quoted. */
  file: SentFile | null;
}

/** A file that a user sent, as far as the callback describes it. */
export interface SentFile {
  kind: 'picture' | 'audio' | 'video' | 'file';
  /** DingTalk exchanges it for an address of the file. */
  downloadCode: string;
  /** Null where the callback has none. */
  name: string | null;
}

type Body = Readonly<Record<string, unknown>>;

const textBody = z.object({ text: z.object({ content: z.string() }) });

const textAtTop = z.object({ content: z.string() });

const richText = z.object({
  content: z.object({
    richText: z.array(z.object({ text: z.string().nullish(), downloadCode: z.string().nullish() })),
  }),
});

const media = z.object({
  content: z.object({
    downloadCode: z.string().min(1),
    fileName: z.string().nullish(),
  }),
});

// The official documents do not have it. Several bridges report this shape (docs/wire-dingtalk.md).
const quoting = z.object({
  text: z.object({
    repliedMsg: z.object({
      msgType: z.string().nullish(),
      content: z
        .object({
          text: z.string().nullish(),
          downloadCode: z.string().nullish(),
          fileName: z.string().nullish(),
          title: z.string().nullish(),
          summary: z.string().nullish(),
          richText: z.array(z.object({ text: z.string().nullish(), downloadCode: z.string().nullish() })).nullish(),
        })
        .nullish(),
    }),
  }),
});

/** Older shapes of a quotation, with words only (reported as well). */
const quotingBefore = z.object({
  quoteMessage: z
    .object({ text: z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]) })
    .nullish()
    .catch(null),
  content: z.object({ quoteContent: z.string().nullish() }).nullish().catch(null),
});

const audio = z.object({
  content: z.object({ downloadCode: z.string().nullish(), recognition: z.string().nullish() }),
});

/** One entry for each `msgtype`; null means that the body does not have the shape of its type. */
const messageKinds: Readonly<Record<string, (body: Body) => Content | null>> = {
  text(body) {
    // One official sample of the HTTP mode has a string `content` at the top level instead of `text.content`.
    const content = textBody.safeParse(body).data?.text.content ?? textAtTop.safeParse(body).data?.content;
    return content === undefined ? null : { kind: 'text', text: content.trim() };
  },
  richText(body) {
    const parts = richText.safeParse(body).data?.content.richText;
    if (!parts) return null;
    return {
      kind: 'rich-text',
      text: parts
        .map((part) => part.text ?? '')
        .join('')
        .trim(),
      pictures: parts.flatMap((part) => part.downloadCode ?? []),
    };
  },
  picture(body) {
    const content = media.safeParse(body).data?.content;
    return content ? { kind: 'picture', downloadCode: content.downloadCode } : null;
  },
  audio(body) {
    const content = audio.safeParse(body).data?.content;
    if (!content) return null;
    return {
      kind: 'audio',
      downloadCode: content.downloadCode ?? null,
      recognition: (content.recognition ?? '').trim(),
    };
  },
  video(body) {
    const content = media.safeParse(body).data?.content;
    return content ? { kind: 'video', downloadCode: content.downloadCode } : null;
  },
  file(body) {
    const content = media.safeParse(body).data?.content;
    return content ? { kind: 'file', downloadCode: content.downloadCode, fileName: content.fileName ?? '' } : null;
  },
};

export function readContent(messageType: string, body: Body): Content {
  const read = Object.hasOwn(messageKinds, messageType) ? messageKinds[messageType] : undefined;
  return read?.(body) ?? { kind: 'unknown', messageType };
}

/** What a message quotes; null when it quotes nothing, or nothing that can be read. */
export function readQuoted(body: Body): Quoted | null {
  const replied = quoting.safeParse(body).data?.text.repliedMsg;
  if (!replied?.content) {
    const { quoteMessage, content } = quotingBefore.safeParse(body).data ?? {};
    const before = (quoteMessage?.text ?? content?.quoteContent ?? '').trim();
    return before === '' ? null : { text: before, file: null };
  }
  const { text, title, summary, downloadCode, fileName } = replied.content;
  const parts = replied.content.richText ?? [];
  const words = text ?? (parts.map((part) => part.text ?? '').join('') || summary || title || '');
  const code = downloadCode ?? parts.find((part) => part.downloadCode)?.downloadCode;
  const kind = QUOTED_KINDS[replied.msgType ?? ''] ?? (fileName ? 'file' : 'picture');
  const file: SentFile | null = code ? { kind, downloadCode: code, name: fileName ?? null } : null;
  return words.trim() === '' && !file ? null : { text: words.trim(), file };
}

const QUOTED_KINDS: Readonly<Partial<Record<string, SentFile['kind']>>> = {
  picture: 'picture',
  richText: 'picture',
  audio: 'audio',
  video: 'video',
  file: 'file',
};

/** The files of a message, in their order. */
export function sentFilesOf(content: Content): SentFile[] {
  switch (content.kind) {
    case 'picture':
    case 'video':
      return [{ kind: content.kind, downloadCode: content.downloadCode, name: null }];
    case 'file':
      return [{ kind: 'file', downloadCode: content.downloadCode, name: content.fileName || null }];
    case 'audio':
      return content.downloadCode === null ? [] : [{ kind: 'audio', downloadCode: content.downloadCode, name: null }];
    case 'rich-text':
      return content.pictures.map((downloadCode) => ({ kind: 'picture' as const, downloadCode, name: null }));
    case 'text':
    case 'unknown':
      return [];
  }
}

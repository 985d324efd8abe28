/** What a message holds. An unknown kind is one of the cases, so reading a message never throws. */
export type Content =
  | { kind: 'text'; text: string }
  /** `files`: all of its files, where some are no pictures. Versions before this one know `pictures` only. */
  | { kind: 'rich-text'; text: string; pictures: readonly string[]; files?: readonly SentFile[] }
  | { kind: 'picture'; downloadCode: string }
  | { kind: 'audio'; downloadCode: string | null; recognition: string }
  | { kind: 'video'; downloadCode: string }
  | { kind: 'file'; downloadCode: string; fileName: string }
  /** A document of DingTalk that a person shared: its content does not come with it. */
  | { kind: 'document' }
  | { kind: 'unknown'; messageType: string };

/** What a message refers to: an earlier one that it quotes, or the chat record that it forwards. */
export interface Quoted {
  text: string;
  /** The picture or file that is quoted; `moreFiles` are those after it. */
  file: SentFile | null;
  moreFiles?: readonly SentFile[];
  /**
   * What the asker is told of. `unread`: nothing of the quoted message could be read. `file`: DingTalk sent no code for the
   * file. `document`: a document of DingTalk. `record`: nothing of the forwarded record could be read.
   */
  problem?: 'unread' | 'file' | 'document' | 'record';
  /** It is no quote: the message itself is a forwarded chat record. */
  isRecord?: true;
  /** What DingTalk calls the quoted card, where the callback has nothing else of it. */
  cardKey?: string;
}

/** What a message holds beside its words and cannot be fetched: how many of each. `message`: entries of a chat record. */
export type LeftOut = Readonly<Partial<Record<SentFile['kind'] | 'record' | 'message', number>>>;

/** A file that a user sent, as far as the callback describes it. */
export interface SentFile {
  kind: 'picture' | 'audio' | 'video' | 'file';
  /** DingTalk exchanges it for an address of the file. */
  downloadCode: string;
  /** Null where the callback has none. */
  name: string | null;
}

/** Words and files, in whatever shape they came. */
export interface Said {
  text: string;
  files: readonly SentFile[];
  leftOut: LeftOut;
  problem?: Quoted['problem'];
}

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
      return [
        ...(content.files ??
          content.pictures.map((downloadCode) => ({ kind: 'picture' as const, downloadCode, name: null }))),
      ];
    case 'text':
    case 'document':
    case 'unknown':
      return [];
  }
}

/** The files that a message refers to, in their order. */
export function quotedFilesOf(quoted: Quoted | null): SentFile[] {
  return quoted?.file ? [quoted.file, ...(quoted.moreFiles ?? [])] : [];
}

export function addLeftOut(a: LeftOut, b: LeftOut): LeftOut {
  const sum: Record<string, number> = { ...a };
  for (const [kind, count] of Object.entries(b)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}

import type { CallbackInput, FileContent, QuotedMessage } from '../dingtalk/types.ts';
import type { ChatItem, FileInfo, QuoteInfo } from './protocol.ts';
import type { Upload, Uploads } from './uploads.ts';
import { voiceFile, VOICES } from './voices.ts';

/** What a person puts into one message. */
export interface Sending {
  chat: string;
  from: string;
  text: string;
  /** Ids of uploads: pictures, or one other file without words. */
  files: readonly string[];
  /** The id of a sample of a voice message. */
  voice: string | null;
  /** The item that it replies to. */
  quote: string | null;
}

/** A message as DingTalk is to deliver it, and how the page shows it. */
export interface Prepared {
  input: Omit<CallbackInput, 'from' | 'conversation'>;
  files: FileInfo[];
  recognition: string | null;
  quote: QuoteInfo | null;
}

export interface SendingOptions {
  uploads: Uploads;
  isGroup: boolean;
  item: (id: string) => ChatItem | undefined;
}

const plain = { files: [], recognition: null, quote: null };
const contentOf = ({ name, bytes }: Upload): FileContent => ({ name, bytes });

/** Null for what nobody can send: a file that is gone, words with a file, voice, video and files in a group. */
export function prepare(sending: Sending, { uploads, isGroup, item }: SendingOptions): Prepared | null {
  const { text, files, voice, quote } = sending;
  if (voice !== null) return isGroup ? null : prepareVoice(voice, uploads);
  const found = files.flatMap((id) => uploads.find(id) ?? []);
  if (found.length !== files.length) return null;
  const infos = files.flatMap((id) => uploads.infoOf(id) ?? []);
  const [first] = found;
  if (!first) {
    if (text === '') return null;
    const quoted = quote === null ? undefined : item(quote);
    const shown = quoted ? quoteInfo(quoted) : null;
    if (!quoted || !shown) return { ...plain, input: { text } };
    return { ...plain, input: { text, quote: quotedMessage(quoted, shown, uploads) }, quote: shown };
  }
  if (found.every(({ kind }) => kind === 'picture')) {
    // A picture for a robot in a group has the mention beside it, and so it is rich text (protocol 1.3, reported).
    if (text !== '' || found.length > 1 || isGroup) {
      return { ...plain, input: { kind: 'richText', text, pictures: found.map(contentOf) }, files: infos };
    }
    return { ...plain, input: { kind: 'picture', file: contentOf(first) }, files: infos };
  }
  if (isGroup || found.length > 1 || text !== '') return null;
  return {
    ...plain,
    input: { kind: first.kind === 'video' ? 'video' : 'file', file: contentOf(first) },
    files: infos,
  };
}

function prepareVoice(id: string, uploads: Uploads): Prepared | null {
  const voice = VOICES.find((known) => known.id === id);
  if (!voice) return null;
  const file = voiceFile(voice);
  const { recognition } = voice;
  return {
    ...plain,
    input: { kind: 'audio', file, recognition },
    files: [uploads.put({ ...file, kind: 'voice' }).file],
    recognition,
  };
}

/** How a quoted message is shown above the new one. */
function quoteInfo(item: ChatItem): QuoteInfo | null {
  switch (item.kind) {
    case 'question':
      return { from: item.from, text: item.text || item.files.map(({ name }) => name).join('、') };
    case 'card':
      return { from: null, text: item.content };
    case 'message':
      return { from: null, text: item.text || (item.file?.name ?? '') };
    case 'tap':
      return null;
    default:
      return item satisfies never;
  }
}

const QUOTED_KINDS = { picture: 'picture', voice: 'audio', video: 'video', file: 'file' } as const;

function quotedMessage(item: ChatItem, { from, text }: QuoteInfo, uploads: Uploads): QuotedMessage {
  const author = from === null ? {} : { from };
  const [file] = item.kind === 'question' ? item.files : [];
  const upload = file && uploads.find(file.url.slice(file.url.lastIndexOf('/') + 1));
  return file && upload ? { ...author, file: contentOf(upload), kind: QUOTED_KINDS[file.kind] } : { ...author, text };
}

import type { CallbackInput, FileContent, QuotedMessage, RecordEntry } from '../dingtalk/types.ts';
import type { ChatItem, FileInfo, QuestionItem, QuoteInfo, SaidInfo } from './protocol.ts';
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
  /** It forwards what was said in the chat. */
  record: boolean;
}

/** A message as DingTalk is to deliver it, and how the page shows it. */
export interface Prepared {
  input: Omit<CallbackInput, 'from' | 'conversation'>;
  files: FileInfo[];
  recognition: string | null;
  quote: QuoteInfo | null;
  record: SaidInfo[] | null;
}

export interface SendingOptions {
  uploads: Uploads;
  isGroup: boolean;
  item: (id: string) => ChatItem | undefined;
  /** What was said last in the chat. */
  said: () => SaidInfo[];
}

const plain = { files: [], recognition: null, quote: null, record: null };
const contentOf = ({ name, bytes }: Upload): FileContent => ({ name, bytes });

/** Null for what cannot be sent in DingTalk: a file that is gone, words with a file, voice, video and files in a group. */
export function prepare(sending: Sending, { uploads, isGroup, item, said }: SendingOptions): Prepared | null {
  const { text, files, voice, quote } = sending;
  if (sending.record) return isGroup ? null : prepareRecord(said(), uploads);
  if (voice !== null) return isGroup ? null : prepareVoice(voice, uploads);
  const found = files.flatMap((id) => uploads.find(id) ?? []);
  if (found.length !== files.length) return null;
  const infos = files.flatMap((id) => uploads.infoOf(id) ?? []);
  const [first] = found;
  const quoted = quote === null ? undefined : item(quote);
  const shown = quoted ? quoteInfo(quoted) : null;
  const reply = quoted && shown ? { quote: quotedMessage(quoted, shown, uploads) } : {};
  if (!first) return text === '' ? null : { ...plain, input: { text, ...reply }, quote: shown };
  if (found.every(({ kind }) => kind === 'picture')) {
    // A picture for a robot in a group has the mention beside it, and so it is rich text (protocol 1.3, reported).
    if (text !== '' || found.length > 1 || isGroup || shown) {
      const input = { kind: 'richText' as const, text, pictures: found.map(contentOf), ...reply };
      return { ...plain, input, files: infos, quote: shown };
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
      return { from: item.from, text: textOf(item) };
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

function textOf({ text, recognition, files, record }: QuestionItem): string {
  return text || recognition || record?.map(lineOf).join('\n') || files.map(({ name }) => name).join('、');
}

const lineOf = ({ name, text, file }: SaidInfo) => `${name}: ${text || (file?.name ?? '')}`;

/** A person forwards what was said. Only pictures come with a code then (protocol 2, 1.5). */
function prepareRecord(said: SaidInfo[], uploads: Uploads): Prepared | null {
  if (said.length === 0) return null;
  return { ...plain, input: { kind: 'chatRecord', record: recordOf(said, uploads) }, record: said };
}

function recordOf(said: readonly SaidInfo[], uploads: Uploads): RecordEntry[] {
  return said.map(({ name, text, file }) => {
    if (!file) return { name, text };
    const upload = file.kind === 'picture' ? uploadOf(file, uploads) : undefined;
    return { name, file: upload ? contentOf(upload) : null };
  });
}

const uploadOf = ({ url }: FileInfo, uploads: Uploads) => uploads.find(url.slice(url.lastIndexOf('/') + 1));

const QUOTED_KINDS = { picture: 'picture', voice: 'audio', video: 'video', file: 'file' } as const;

/** What DingTalk tells of the quoted message. Of a card of the robot it tells its ids only. */
function quotedMessage(item: ChatItem, { from, text }: QuoteInfo, uploads: Uploads): QuotedMessage {
  if (item.kind === 'card') return { card: item.id };
  if (item.kind !== 'question') return { text };
  const author = from === null ? {} : { from };
  if (item.record) return { ...author, record: recordOf(item.record, uploads) };
  const files = item.files.flatMap((file) => {
    const upload = uploadOf(file, uploads);
    return upload ? { content: contentOf(upload), kind: QUOTED_KINDS[file.kind] } : [];
  });
  const [first] = files;
  if (!first) return { ...author, text };
  if (item.text !== '') return { ...author, text: item.text, files: files.map(({ content }) => content) };
  return { ...author, file: first.content, kind: first.kind, text: item.recognition ?? '' };
}

import type { AppFacts } from '../dify/app-facts.ts';
import { acceptedClasses, acceptedExtensions, accepts, placeFiles, type QuestionFile } from '../dify/file-inputs.ts';
import { classOf, type FileClass } from '../dify/file-rules.ts';
import type { Message } from '../dingtalk/callback.ts';
import { sentFilesOf, type SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import { fetchSentFile, transcribeSentFile, type SentFilePorts } from '../files/inbound.ts';
import { extensionOf } from '../files/inspect.ts';
import { factsOf } from './reach.ts';

/** What is asked, with the files that Dify has by now. */
export interface PreparedQuestion {
  query: string;
  files: readonly QuestionFile[];
  /** Why the pictures beside the words were left out; null when nothing was left out. */
  refused: BridgeError | null;
}

export interface QuestionPorts {
  sentFiles: Pick<SentFilePorts, 'addressOf' | 'download' | 'dify'>;
  dify: { facts(): Promise<AppFacts> };
}

/** Longest text of a quoted message that goes to Dify. */
const MAX_QUOTED_CHARS = 4_000;

/** Most files of one message: more than Dify takes by default. */
const MAX_FILES = 10;

const BYTES_PER_MB = 1024 * 1024;

/**
 * Makes a question of a message: speech becomes words, files go to Dify, the quoted text stands before the words.
 *
 * @throws BridgeError with a `file_…`, `speech_unclear` or `dify_…` code.
 */
export async function prepareQuestion(
  { message, question, user }: { message: Pick<Message, 'content' | 'quoted'>; question: string; user: string },
  ports: QuestionPorts,
  signal: AbortSignal,
): Promise<PreparedQuestion> {
  const { content } = message;
  const quoted = message.quoted?.file ?? null;
  // DingTalk has recognised the words of the recording, so Dify gets these words and not the recording.
  const own = content.kind === 'audio' && content.recognition !== '' ? [] : sentFilesOf(content);
  if (own.length === 0 && quoted === null) return { query: withQuote(question, message), files: [], refused: null };
  const facts = await factsOf(ports.dify);
  const sent = { ...ports.sentFiles, maxBytes: limitsOf(facts), user, signal };
  const [recording] = own;
  if (content.kind === 'audio' && recording && facts.speechToText) {
    const words = (await transcribeSentFile(recording, sent)).trim();
    if (words === '') throw new BridgeError('speech_unclear', 'no words were recognised');
    return { query: withQuote(words, message), files: [], refused: null };
  }
  const refused = own.map((file) => refusal(file, facts)).find((error) => error !== null) ?? null;
  // The words beside a picture can be answered without the picture.
  if (refused && !(content.kind === 'rich-text' && content.text !== '')) throw refused;
  const taken = refused ? [] : own;
  refuseTooMany(taken, facts);
  const isTaken = quoted !== null && isAccepted(quoted, facts);
  const files: QuestionFile[] = [];
  // One after another, so that this instance transfers one file at a time.
  for (const file of [...(isTaken ? [quoted] : []), ...taken].slice(0, MAX_FILES)) {
    files.push(await fetchSentFile(file, sent));
  }
  return { query: withQuote(question, message), files, refused };
}

/** Why the app does not take a file; null when it does. Judged by the message alone, before the file is fetched. */
function refusal(file: SentFile, facts: AppFacts): BridgeError | null {
  if (isAccepted(file, facts)) return null;
  // The app takes no files and recognises no speech. To the asker the recording was not understood.
  if (file.kind === 'audio' && acceptedClasses(facts).length === 0) {
    return new BridgeError('speech_unclear', 'neither DingTalk nor the app recognises speech');
  }
  return new BridgeError('file_not_accepted', 'the app does not take such a file', {
    kinds: acceptedClasses(facts).join(' '),
    extensions: acceptedExtensions(facts).slice(0, 20).join(' '),
  });
}

/** @throws BridgeError when the app has no room for all files: only the asker knows which of them to leave out. */
function refuseTooMany(files: readonly SentFile[], facts: AppFacts): void {
  const expected = files.map((file) => ({ ...expectationOf(file), uploadId: '' }));
  const most = Math.min(MAX_FILES, files.length - placeFiles(facts, expected).notPlaced.length);
  if (files.length <= most) return;
  throw new BridgeError('file_not_accepted', 'the app does not take so many files at once', { most });
}

function isAccepted(file: SentFile, facts: AppFacts): boolean {
  return accepts(facts, expectationOf(file));
}

/** What a file will be, as far as the message tells. */
function expectationOf({ kind, name }: SentFile): Omit<QuestionFile, 'uploadId'> {
  if (kind === 'file') {
    const extension = extensionOf(name ?? '');
    return { class: classOf(extension), extension };
  }
  const [fileClass, extension] = MEDIA[kind];
  return { class: fileClass, extension };
}

/** The usual class and extension of each kind. The format of a picture is not known before it was fetched. */
const MEDIA: Readonly<Record<Exclude<SentFile['kind'], 'file'>, readonly [FileClass, string]>> = {
  picture: ['image', 'png'],
  audio: ['audio', 'amr'],
  video: ['video', 'mp4'],
};

function limitsOf({ limitsMb }: AppFacts): Record<FileClass, number> {
  const { image, document, audio, video } = limitsMb;
  const bytes = (megabytes: number) => megabytes * BYTES_PER_MB;
  return {
    image: bytes(image),
    document: bytes(document),
    audio: bytes(audio),
    video: bytes(video),
    custom: bytes(document),
  };
}

function withQuote(question: string, { quoted }: Pick<Message, 'quoted'>): string {
  const text = quoted?.text.slice(0, MAX_QUOTED_CHARS) ?? '';
  if (text === '') return question;
  return `${text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')}\n\n${question}`;
}

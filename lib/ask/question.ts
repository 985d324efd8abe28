import type { AppFacts } from '../dify/app-facts.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import type { FileClass } from '../dify/file-rules.ts';
import type { Message } from '../dingtalk/callback.ts';
import { addLeftOut, quotedFilesOf, sentFilesOf, type SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError, hasCode } from '../errors.ts';
import { fetchSentFile, transcribeSentFile, type SentFilePorts } from '../files/inbound.ts';
import { refusal, refuseTooMany, roomBeside, sortOut } from './accepted-files.ts';
import { fetchQuotedFiles, quotedWords, withQuote, type Missed, type QuotedAnswer } from './quote.ts';
import { factsOf } from './reach.ts';

/** What is asked, with the files that Dify has by now. */
export interface PreparedQuestion {
  query: string;
  files: readonly QuestionFile[];
  /** Why pictures beside the words, or files before them, were left out; null when nothing was left out. */
  refused: BridgeError | null;
  /** What is missing of the message that the question refers to; absent where nothing is. */
  missed?: Missed | undefined;
}

export interface QuestionPorts {
  sentFiles: Pick<SentFilePorts, 'addressOf' | 'download' | 'dify'>;
  dify: { facts(): Promise<AppFacts> };
  quotedAnswer: QuotedAnswer;
}

const BYTES_PER_MB = 1024 * 1024;

/** A message to make a question of. */
export interface AskedMessage {
  message: Pick<Message, 'content' | 'quoted'>;
  question: string;
  /** The Dify user that the files belong to. */
  user: string;
  /** Files that came before the message and wait for it. */
  held?: readonly SentFile[] | undefined;
  /** Files came before the message, and waited for too long. */
  heldIsOver?: boolean | undefined;
}

/**
 * Makes a question of a message: speech becomes words, files go to Dify, the quoted text stands before the words.
 *
 * @throws BridgeError with a `file_…`, `speech_unclear` or `dify_…` code.
 */
export async function prepareQuestion(
  { message, question, user, held = [], heldIsOver = false }: AskedMessage,
  ports: QuestionPorts,
  signal: AbortSignal,
): Promise<PreparedQuestion> {
  const { content } = message;
  const quoted = quotedFilesOf(message.quoted);
  const found = await quotedWords(message.quoted, ports.quotedAnswer);
  const words = found ?? '';
  const missed: Missed | undefined = found === null ? { answer: true } : undefined;
  // DingTalk has recognised the words of the recording, so Dify gets these words and not the recording.
  const own = content.kind === 'audio' && content.recognition !== '' ? [] : sentFilesOf(content);
  const expired = heldIsOver ? new BridgeError('file_expired', 'the files were held for too long') : null;
  if (own.length === 0 && quoted.length === 0 && held.length === 0) {
    return { query: withQuote(question, words), files: [], refused: expired, missed };
  }
  const facts = await factsOf(ports.dify);
  const sent = { ...ports.sentFiles, maxBytes: limitsOf(facts), user, signal };
  const before = sortOut(held, facts);
  const files: QuestionFile[] = [];
  const [recording] = content.kind === 'audio' && facts.speechToText ? own : [];
  const spoken = recording ? await wordsOf(recording, sent) : null;
  const enclosed = spoken === null ? own : [];
  const refused = enclosed.map((file) => refusal(file, facts)).find((error) => error !== null) ?? null;
  // The words beside a picture can be answered without the picture.
  if (refused && !(content.kind === 'rich-text' && content.text !== '')) throw refused;
  const taken = refused ? [] : enclosed;
  refuseTooMany([...before.taken, ...taken], facts);
  const others = quoted.filter((file) => !isAmong(file, before.taken));
  const referred = roomBeside(others, [...before.taken, ...taken], facts);
  // One after another, so that this instance transfers one file at a time.
  for (const file of before.taken) files.push(await fetchHeldFile(file, sent));
  const fetched = await fetchQuotedFiles(referred.taken, words !== '', (file) => fetchSentFile(file, sent));
  files.push(...fetched.files);
  for (const file of taken) files.push(await fetchSentFile(file, sent));
  const leftOut = addLeftOut(fetched.leftOut, referred.leftOut);
  return {
    query: withQuote(spoken ?? question, words),
    files,
    refused: refused ?? before.refused ?? expired,
    missed: Object.keys(leftOut).length > 0 ? { ...missed, leftOut } : missed,
  };
}

async function wordsOf(recording: SentFile, ports: SentFilePorts): Promise<string> {
  const spoken = await transcribeSentFile(recording, ports);
  if (spoken === '') throw new BridgeError('speech_unclear', 'no words were recognised');
  return spoken;
}

/** A person may quote the picture that is held. */
const isAmong = ({ downloadCode }: SentFile, files: readonly SentFile[]) =>
  files.some((file) => file.downloadCode === downloadCode);

/** Fetches a file that was sent some minutes ago. How long DingTalk serves a file is not known. */
async function fetchHeldFile(file: SentFile, ports: SentFilePorts): Promise<QuestionFile> {
  try {
    return await fetchSentFile(file, ports);
  } catch (error) {
    if (!hasCode(error, 'file_unavailable') || error.facts['cause'] !== 'dingtalk_refused') throw error;
    throw new BridgeError('file_expired', 'DingTalk does not give a file that was held', error.facts, error);
  }
}

export function limitsOf({ limitsMb }: AppFacts): Record<FileClass, number> {
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

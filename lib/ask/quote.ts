import { beginning } from '../characters.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import { addLeftOut, type LeftOut, type Quoted, type SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';

/** What Dify did not get of the message that a question refers to, and the asker is told of. */
export interface Missed {
  /** The answer on the quoted card was not found. */
  answer?: boolean;
  /** Files that could not be fetched. */
  leftOut?: LeftOut;
}

/** Finds the text of an own answer by what DingTalk calls its card; null where there is none. Never rejects, unless aborted. */
export type QuotedAnswer = (cardKey: string) => Promise<string | null>;

/** Longest text of a quoted message that goes to Dify. */
const MAX_QUOTED_CHARS = 4_000;

/** The words that a message refers to: of a card without content those of its answer. Null for an answer that is not found. */
export async function quotedWords(quoted: Quoted | null, findAnswer: QuotedAnswer): Promise<string | null> {
  return quoted?.cardKey !== undefined && quoted.text === '' ? findAnswer(quoted.cardKey) : (quoted?.text ?? '');
}

/** A question below the words that it refers to, as one quoted block. */
export function withQuote(question: string, words: string): string {
  const text = beginning(words, MAX_QUOTED_CHARS);
  if (text === '') return question;
  const lines = text.split(/\r\n|[\r\n\u2028\u2029]/).map((line) => `> ${line}`);
  return `${lines.join('\n')}\n\n${question}`;
}

/**
 * Fetches the files that a message refers to. A file that cannot be had is left out where there are words beside it.
 *
 * @throws BridgeError with a `file_…` or `dify_…` code.
 */
export async function fetchQuotedFiles(
  files: readonly SentFile[],
  hasWords: boolean,
  fetchFile: (file: SentFile) => Promise<QuestionFile>,
): Promise<{ files: QuestionFile[]; leftOut: LeftOut }> {
  const fetched: QuestionFile[] = [];
  let leftOut: LeftOut = {};
  // One after another, so that this instance transfers one file at a time.
  for (const file of files) {
    try {
      fetched.push(await fetchFile(file));
    } catch (error) {
      if (!hasWords || !(error instanceof BridgeError) || !error.code.startsWith('file_')) throw error;
      leftOut = addLeftOut(leftOut, { [file.kind]: 1 });
    }
  }
  return { files: fetched, leftOut };
}

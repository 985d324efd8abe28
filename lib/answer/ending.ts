import { adminErrorCode, isAboutForm, turnErrorCode, type BridgeError } from '../errors.ts';
import type { Texts } from '../texts/texts.ts';
import type { Answer } from './answer.ts';
import { sendLink } from './links.ts';

/** What the asker reads of a fault of this bridge. */
export function crashText(texts: Texts, reference: string): string {
  return `⚠️ ${texts.failures.internal}\n\n${texts.reference(reference)}`;
}

/** What the lines below an answer depend on, beside the answer. */
export interface EndingOptions {
  reference: string;
  /** A tap can send a text in the reader's name. */
  links: boolean;
  /** The text that a tap sends to ask again; null where a question cannot be asked again in words. */
  retryText: string | null;
  /** Administrators have been told of the failure. */
  toldAdmins: boolean;
}

/** The lines below the text that say how the answer ended; empty for an answer that is complete. */
export function endingNotes(
  answer: Answer,
  failure: BridgeError | null,
  options: EndingOptions,
  texts: Texts,
): string[] {
  const { reference, toldAdmins } = options;
  if (failure) {
    const told = toldAdmins ? adminErrorCode(failure) : null;
    const sentence = told ? texts.toldAdmins[told] : failureText(failure, texts);
    const link = options.links ? wayOut(failure, answer, options, texts) : '';
    return [`⚠️ ${sentence}`, texts.reference(reference), link].filter((note) => note !== '');
  }
  switch (answer.ending?.kind) {
    case 'stopped':
      return [texts.stopped];
    case 'paused':
      // The form below the text says what the run waits for.
      return answer.form ? [] : [texts.paused];
    case 'cut':
      return [texts.incomplete(reference)];
    case 'complete':
    case 'failed':
    case undefined:
      return [];
  }
}

/** The link below a failure; empty where none helps. */
function wayOut(failure: BridgeError, { ids }: Answer, { retryText }: EndingOptions, texts: Texts): string {
  const { code } = failure;
  if (isAboutForm(failure)) return '';
  // What the model refused, or found too long, it would refuse again.
  if (code === 'dify_content_refused') return '';
  if (code === 'dify_context_too_long') {
    return ids.conversationId === undefined ? '' : sendLink(texts.startAnew, texts.newWord);
  }
  return retryText !== null && retryText.length <= MAX_RETRY_CHARS ? sendLink(texts.retry, retryText) : '';
}

/** Longest question that a link can carry: the addresses of longer ones are too long for DingTalk's clients. */
const MAX_RETRY_CHARS = 300;

const BYTES_PER_MB = 1_048_576;

/** What the asker reads of a failure. */
export function failureText(failure: BridgeError, texts: Texts): string {
  const fact = (name: string) => {
    const value = failure.facts[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const inputs = fact('inputs');
  if (failure.code === 'dify_input_missing' && inputs !== null) return texts.missingInputs(inputs);
  const files = fact('files');
  if (failure.code === 'dify_input_missing' && files !== null) return texts.missingFiles(files);
  const input = fact('input');
  if (failure.code === 'dify_input_invalid' && input !== null) {
    const { maxChars, chars } = failure.facts;
    const options = fact('options');
    if (typeof maxChars === 'number' && typeof chars === 'number') return texts.inputTooLong(input, maxChars, chars);
    return options === null ? texts.inputOfWrongType(input) : texts.inputNotOffered(input, options);
  }
  if (failure.code === 'form_invalid') return invalidFormText(failure, texts);
  const kinds = [fact('kinds'), fact('extensions')].flatMap((list) => list?.split(' ') ?? []);
  const field = fact('field');
  if (failure.code === 'file_not_accepted' && field !== null) return texts.form.acceptedFiles(field, kinds);
  if (failure.code === 'file_not_accepted' && kinds.length > 0) return texts.acceptedFiles(kinds);
  const { most, maxBytes } = failure.facts;
  if (failure.code === 'file_too_large' && typeof maxBytes === 'number' && maxBytes >= BYTES_PER_MB) {
    return texts.fileTooLarge(Math.floor(maxBytes / BYTES_PER_MB));
  }
  if (failure.code === 'file_not_accepted' && typeof most === 'number' && most > 0) return texts.mostFiles(most);
  return texts.failures[turnErrorCode(failure)];
}

/** Which fields of a form lack a value, or have one that is not offered. */
function invalidFormText({ facts }: BridgeError, texts: Texts): string {
  const words = texts.form;
  const listOf = (name: string) => (typeof facts[name] === 'string' ? facts[name].split(', ') : []);
  const { field } = facts;
  const sentences = [
    ...(typeof field === 'string' ? [words.wrongOption(field, listOf('options'))] : []),
    ...(listOf('fields').length > 0 ? [words.missing(listOf('fields'))] : []),
    ...(listOf('files').length > 0 ? [words.missingFiles(listOf('files'))] : []),
  ];
  return sentences.length > 0 ? sentences.join(' ') : texts.failures.form_invalid;
}

import { adminErrorCode, isAboutForm, repeatOf, turnErrorCode, type BridgeError } from '../errors.ts';
import type { Texts } from '../texts/texts.ts';
import { answerText, type Answer } from './answer.ts';
import { sendLink } from './links.ts';

/** What the asker reads of a fault of this bridge. */
export function crashText(texts: Texts, reference: string): string {
  return `⚠️ ${texts.failures.internal}${texts.reference(reference)}`;
}

/** What the lines below an answer depend on, beside the answer. */
export interface EndingOptions {
  reference: string;
  /** A tap can send a text in the reader's name. */
  canTap: boolean;
  /** The card's template has a button that asks a failed question again. */
  hasRetry: boolean;
  /** The text that a tap sends to ask again; null where a question cannot be asked again in words. */
  retryText: string | null;
  /** Administrators have been told of the failure. */
  toldAdmins: boolean;
}

/**
 * How a card ends. The state for failures is the only one in which a template offers to ask again, so a failure that a repeat
 * cannot help ends such a card in the other one.
 */
export function endingState(
  { ending }: Pick<Answer, 'ending'>,
  failure: BridgeError | null,
  { hasRetry }: Pick<EndingOptions, 'hasRetry'>,
): 'finished' | 'failed' {
  if (failure === null) return ending?.kind === 'cut' ? 'failed' : 'finished';
  if (isAboutForm(failure)) return 'finished';
  return hasRetry && repeatOf(failure) === 'never' ? 'finished' : 'failed';
}

/** The last line, which says how the answer ended and what can help; empty for an answer that is complete or goes on. */
export function endingLine(answer: Answer, failure: BridgeError | null, options: EndingOptions, texts: Texts): string {
  const { reference, toldAdmins } = options;
  const offers = (helps: Helps) => offersOf(helps, answer, options, texts);
  if (failure) {
    const told = toldAdmins ? adminErrorCode(failure) : null;
    const sentence = told ? texts.toldAdmins[told] : failureText(failure, texts);
    const isBegun = hasText(answer) && !isAboutForm(failure) && failure.code !== 'dify_model_cut';
    const said = `⚠️ ${isBegun ? texts.unfinished(sentence) : sentence}${texts.reference(reference)}`;
    return joined(said, offers(helpsAfter(failure)));
  }
  switch (answer.ending?.kind) {
    case 'stopped':
      return joined(texts.stopped, offers({ again: true, goOn: true }));
    case 'paused':
      return answer.form ? texts.form.waiting(answer.form.expiresAtMs) : texts.paused;
    case 'cut':
      return joined(texts.incomplete(reference), offers({ again: true, goOn: true }));
    case 'complete':
    case 'failed':
    case undefined:
      return '';
  }
}

/** What can help after an answer that did not come to its end. */
interface Helps {
  again?: boolean;
  /** To have the app write on, in the same conversation. */
  goOn?: boolean;
  /** To begin a new conversation. */
  anew?: boolean;
}

function helpsAfter(failure: BridgeError): Helps {
  if (failure.code === 'dify_context_too_long') return { anew: true };
  const isPart = failure.code === 'out_of_time';
  const again = repeatOf(failure) === 'again';
  return { again, goOn: again || isPart };
}

/** Longest question that a link can carry: the addresses of longer ones are too long for DingTalk's clients. */
const MAX_RETRY_CHARS = 300;

function offersOf(helps: Helps, answer: Answer, options: EndingOptions, texts: Texts): string {
  const { canTap, hasRetry, retryText } = options;
  const isTalk = answer.ids.conversationId !== undefined;
  // A template shows its button only on a card that has failed.
  const isStopped = answer.ending?.kind === 'stopped';
  const mayLink = canTap && retryText !== null && retryText.length <= MAX_RETRY_CHARS;
  const again = helps.again === true && (isStopped || !hasRetry);
  const goOn = helps.goOn === true && isTalk && hasText(answer);
  if (!canTap) return goOn ? texts.goOnByWord : '';
  return [
    again && mayLink ? sendLink(texts.retry, retryText) : '',
    goOn ? sendLink(texts.goOn, texts.goOnWord) : '',
    helps.anew === true && isTalk ? sendLink(texts.startAnew, texts.newWord) : '',
  ]
    .filter((link) => link !== '')
    .join(' · ');
}

const hasText = (answer: Answer): boolean => answerText(answer).text.trim() !== '';

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');

const BYTES_PER_MB = 1_048_576;

/** What the asker reads of a failure. */
export function failureText(failure: BridgeError, texts: Texts): string {
  const { code, facts, named } = failure;
  const { missing, missingFiles, label, options, extensions = [] } = named;
  if (code === 'dify_input_missing' && missing) return texts.missingInputs(missing.join(', '));
  if (code === 'dify_input_missing' && missingFiles) return texts.missingFiles(missingFiles.join(', '));
  const { maxChars, chars, kinds, most, maxBytes } = facts;
  if (code === 'dify_input_invalid' && label !== undefined) {
    if (typeof maxChars === 'number' && typeof chars === 'number') return texts.inputTooLong(label, maxChars, chars);
    return options ? texts.inputNotOffered(label, options.join(', ')) : texts.inputOfWrongType(label);
  }
  if (code === 'form_invalid') return invalidFormText(failure, texts);
  const taken = [...(typeof kinds === 'string' && kinds !== '' ? kinds.split(' ') : []), ...extensions];
  if (code === 'file_not_accepted' && label !== undefined) return texts.form.acceptedFiles(label, taken);
  if (code === 'file_not_accepted' && taken.length > 0) return texts.acceptedFiles(taken);
  if (code === 'file_too_large' && typeof maxBytes === 'number' && maxBytes >= BYTES_PER_MB) {
    return texts.fileTooLarge(Math.floor(maxBytes / BYTES_PER_MB));
  }
  if (code === 'file_not_accepted' && typeof most === 'number' && most > 0) return texts.mostFiles(most);
  return texts.failures[turnErrorCode(failure)];
}

/** Which fields of a form lack a value, or have one that is not offered. */
function invalidFormText({ named: { label, options = [], missing, missingFiles } }: BridgeError, texts: Texts): string {
  const words = texts.form;
  const sentences = [
    ...(label === undefined ? [] : [words.wrongOption(label, options)]),
    ...(missing ? [words.missing(missing)] : []),
    ...(missingFiles ? [words.missingFiles(missingFiles)] : []),
  ];
  return sentences.length > 0 ? sentences.join(' ') : texts.failures.form_invalid;
}

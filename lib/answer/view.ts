import { beginning, characterStart } from '../characters.ts';
import { asMessage } from '../markdown/as-message.ts';
import type { Dialect } from '../markdown/dialect.ts';
import { withoutOuterFence } from '../markdown/author-lines.ts';
import { paginate } from '../markdown/paginate.ts';
import { plainLine } from '../markdown/plain-line.ts';
import { renderBlocks, renderPartial } from '../markdown/render.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import type { Texts } from '../texts/texts.ts';
import { answerText, emptyAnswer, type Answer } from './answer.ts';
import type { PendingForm } from './event.ts';
import { formBlocks, formHead, type FormViewOptions } from './form-view.ts';

/** The text so far with a line that says that it goes on, and how to stop it. */
export function continuing(text: string, view: ViewOptions): string {
  const soFar = { ...emptyAnswer, texts: { ...emptyAnswer.texts, message: text } };
  return below(text === '' ? (view.quote ?? '') : typingView(soFar, view), view.texts.continuing, view.stopHint ?? '');
}

export interface ViewOptions {
  texts: Texts;
  showThinking: boolean;
  /** Longest text on a card, in characters. */
  cardMaxChars: number;
  /** A tap can send a text in the reader's name. Only in single chats: in a group the text would have to mention the robot. */
  links?: boolean;
  /** A message reaches the robot only with a mention: in groups. */
  needsMention?: boolean;
  /** How to stop the answer, on a card without a stop button. Shown below the line that says what the app does. */
  stopHint?: string;
  /** The first line on a card that does not stand right below its question. */
  quote?: string;
  /** Stands once in the messages of an answer, below the model's text and above what this bridge says of it. */
  aiLabel?: string;
  /** The answer begins a new conversation, because Dify does not have the earlier one any more. */
  isAnew?: boolean;
  /** The number of the form below the answer, where it has to be told. */
  formNumber?: number;
  /** The action that the answer to a form chose, by its title. */
  submitted?: string;
  /** The title of the form that the answer says to be expired. */
  expiredForm?: string;
}

/** A finished answer, cut to where it is shown. */
export interface FinalView {
  /** The card's text; null when there is no card. */
  card: string | null;
  /** Messages below the card, or instead of it. */
  messages: readonly string[];
}

/** Most messages of one answer, so that a long one does not flood the chat. */
const MAX_MESSAGES = 5;

/** DingTalk refuses messages over 20,000 bytes, and a Chinese character has three. Other bridges use this limit too. */
const MESSAGE_MAX_CHARS = 3_800;

/** Room for the sentence that says how much is missing: the longest has 110 characters. */
const LEFT_OUT_CHARS = 130;

/** Most documents that are named below an answer. */
const MAX_SOURCES = 10;

/**
 * What the card shows while the answer grows: complete markdown, at most as long as the card may be. Until there is text,
 * the last line says what the app does.
 */
export function typingView(answer: Answer, options: ViewOptions): string {
  return below(options.quote ?? '', typingText(answer, belowQuote(options)));
}

/** What the quote leaves of the card. */
function belowQuote(options: ViewOptions): ViewOptions {
  const { quote = '', cardMaxChars } = options;
  return quote === '' ? options : { ...options, cardMaxChars: cardMaxChars - quote.length - 2 };
}

function typingText(answer: Answer, options: ViewOptions): string {
  const { texts } = options;
  const progress = progressLine(answer, texts);
  const doing = progress === '' || !options.stopHint ? progress : `${progress}\n\n${options.stopHint}`;
  const cardMaxChars = doing === '' ? options.cardMaxChars : options.cardMaxChars - doing.length - 2;
  // Text beyond the card is not rendered: it is not shown, and rendering a long answer takes time.
  const visible = beginning(sourceText(answer, options), cardMaxChars);
  const rendered = renderPartial(visible, 'card', texts.markdown);
  if (rendered.length <= cardMaxChars) return below(rendered, doing);
  const limits = { firstChars: cardMaxChars, restChars: cardMaxChars, maxPages: 1 };
  return below(paginate([rendered], limits).pages[0] ?? '', doing);
}

/** What the app does; empty when there is text, or when that is not known. */
export function progressLine(answer: Answer, texts: Texts): string {
  const { text, reasoning } = answerText(answer);
  if (text.trim() !== '') return '';
  const { activity } = answer;
  // Reasoning that comes within the text is no event of its own.
  if (activity === null) return reasoning === '' ? '' : texts.progress.thinking;
  switch (activity.kind) {
    case 'thinking':
    case 'queued':
    case 'unseen':
      return texts.progress[activity.kind];
    case 'node':
      return sanitizeText(texts.progress.node(activity.name));
    case 'tool':
      return sanitizeText(texts.progress.tool(activity.name, activity.labels));
    default:
      return activity.kind satisfies never;
  }
}

/**
 * What is shown at the end. There is always room for `notes` below the text; the last of them says how the answer ended. Of an
 * answer that is not complete they stand on the card as well as below its last message.
 */
export function finalView(answer: Answer, notes: readonly string[], hasCard: boolean, options: ViewOptions): FinalView {
  const { texts } = options;
  const { cardMaxChars } = belowQuote(options);
  const source = below(sourceText(answer, options).trim(), sourcesText(answer, texts));
  const label = source === '' ? '' : (options.aiLabel ?? '');
  const ending = below(options.isAnew ? texts.conversationGone : '', ...notes);
  const isComplete = answer.ending?.kind === 'complete';
  const belowFirst = below(texts.continuesBelow, isComplete ? '' : ending);
  const messageChars = MESSAGE_MAX_CHARS - LEFT_OUT_CHARS - label.length - ending.length;
  const limits = {
    firstChars: hasCard ? cardMaxChars - Math.max(belowFirst.length, ending.length) - 2 : messageChars,
    restChars: messageChars,
    maxPages: hasCard ? MAX_MESSAGES + 1 : MAX_MESSAGES,
  };
  // Rendering can shorten a text, so more than fits is rendered. The rest is only counted.
  const reach = characterStart(source, 2 * (limits.firstChars + limits.maxPages * limits.restChars));
  const dialect = hasCard ? 'card' : 'message';
  const blocks = [
    ...(answer.formExpired ? [sanitizeText(texts.form.expired(plainLine(options.expiredForm ?? '')))] : []),
    ...renderBlocks(source.slice(0, reach), dialect, texts.markdown),
    ...(answer.form ? formBlocks(answer.form, formOptions(dialect, options)) : []),
  ];
  const { pages, leftOutChars } = paginate(blocks, limits);
  const leftOut = leftOutChars + Array.from(source.slice(reach)).length;
  const bodies = pages.length > 0 ? pages : [below(...notes) === '' ? nothingText(answer, options) : ''];
  const last = bodies.length - 1;
  const whole = bodies.map((body, index) => {
    const page = hasCard && index > 0 ? asMessage(body) : body;
    if (index < last) return hasCard && index === 0 ? below(page, belowFirst) : page;
    const isMessage = !hasCard || index > 0;
    return below(page, isMessage ? label : '', leftOut > 0 ? texts.leftOut(leftOut) : '', ending);
  });
  if (!hasCard) return { card: null, messages: whole };
  const [card = '', ...messages] = whole;
  return { card: below(options.quote ?? '', card), messages };
}

/** What the card of a form shows once the form is over. */
export interface ClosedFormText {
  /** The text before the form, and the quote above it; both may be empty. */
  text: string;
  quote: string;
  /** Null where it is not known any more. */
  form: PendingForm | null;
  /** What became of it. */
  line: string;
}

export function closedFormView({ text, quote, form, line }: ClosedFormText, options: ViewOptions): string {
  const said = { ...emptyAnswer, texts: { ...emptyAnswer.texts, message: text }, ending: { kind: 'paused' } as const };
  const blocks = [
    ...renderBlocks(sourceText(said, options).trim(), 'card', options.texts.markdown),
    ...(form ? formHead(form, formOptions('card', options)) : []),
  ];
  const firstChars = options.cardMaxChars - quote.length - line.length - 4;
  const { pages } = paginate(blocks, { firstChars, restChars: firstChars, maxPages: 1 });
  return below(quote, pages[0] ?? '', line);
}

function formOptions(
  dialect: Dialect,
  { texts, links = false, needsMention = false, formNumber }: ViewOptions,
): FormViewOptions {
  return { texts, dialect, links, needsMention, number: formNumber ?? null };
}

/** In the place of an answer without text. A workflow (a run without a message) may do its work and have none. */
function nothingText({ ids, progress, files }: Answer, { texts, submitted }: ViewOptions): string {
  if (submitted !== undefined) return sanitizeText(texts.form.submitted(plainLine(submitted)));
  if (files.length > 0) return texts.onlyFiles;
  return progress.runEnded && ids.messageId === undefined ? texts.emptyRun : texts.emptyAnswer;
}

/** The documents that the answer rests on, each once: several passages of one are listed separately by Dify. */
function sourcesText({ citations, ending }: Answer, texts: Texts): string {
  if (ending?.kind !== 'complete') return '';
  const documents = new Map<string, { name: string; passages: number }>();
  for (const { documentId, documentName } of citations) {
    const key = documentId ?? documentName;
    const before = documents.get(key);
    documents.set(key, { name: before?.name ?? plainLine(documentName), passages: (before?.passages ?? 0) + 1 });
  }
  const shown = [...documents.values()].filter(({ name }) => name !== '').slice(0, MAX_SOURCES);
  return shown.length === 0 ? '' : texts.sources(shown);
}

function below(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

function sourceText(answer: Answer, { texts, showThinking }: ViewOptions): string {
  const { text, reasoning, unended = '' } = answerText(answer);
  // Unwrapped before it is cut: the end of an outer fence may lie beyond the cut.
  const shown = withoutOuterFence(text);
  // Reasoning that a complete answer never ended may hold the answer. A stopped one was stopped while it reasoned.
  const thought = (showThinking ? reasoning : answer.ending?.kind === 'complete' ? unended : '').trim();
  if (thought === '') return shown;
  const quote = [`**${texts.thinking}**`, ...thought.split('\n')].map((line) => `> ${line}`).join('\n');
  return shown === '' ? quote : `${quote}\n\n${shown}`;
}

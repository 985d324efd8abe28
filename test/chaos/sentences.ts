// The sentences of the product that may stand beside an answer. The judge reports any other text as foreign.
import type { Texts } from '../../lib/texts/texts.ts';
import { FORM_TEXT } from './plan.ts';

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
/** Stand for a number and a reference while a sentence is made into a pattern. */
const PLACE = 987_654;
const REFERENCE = 'rrrrrrrr';
const pattern = (text: string) =>
  new RegExp(
    `^${escaped(text)
      .replaceAll(String(PLACE), String.raw`\d+`)
      .replaceAll(REFERENCE, '(?<reference>[0-9a-f]{8})')}$`,
    'u',
  );

/** A sentence with any text in the place of `NAME`, if it has one. */
const named = (text: string) => new RegExp(`^${escaped(text).replace('NAME', '.+')}$`, 'u');

/** A link with this label that sends a word to the chat. */
const linkPattern = (label: string) => new RegExp(String.raw`^\[${escaped(label)}\]\(dtmd:[^)]*\)$`, 'u');

/** The first line of a card that quotes its question. */
const quotePattern = (question: string) => new RegExp(`^> (?:[^>]+[：:] ?)?${escaped(question)}$`, 'u');

/** The answer goes on, or the question waits: the text may still change. */
const passing = (texts: Texts) => [
  ...[texts.queued(PLACE), texts.continuing, texts.stopByWord, FORM_TEXT].map(pattern),
  ...Object.values(texts.progress).map((say) => named(typeof say === 'string' ? say : say('NAME', undefined))),
  named(texts.form.title('NAME', null)),
  linkPattern(texts.stop),
];

/** A form waits, until a time where that is known. b114c53 has no such line. */
const waiting = ({ form }: Texts) => ('waiting' in form ? [new RegExp(`^${escaped(form.waiting(null))}.*$`, 'u')] : []);

/** The answer has ended, with or without text. */
const ending = (texts: Texts) => [
  ...waiting(texts),
  ...[
    texts.stopped,
    texts.paused,
    // b114c53 has no such sentence.
    ...('byEmail' in texts.form ? [texts.form.byEmail([])] : []),
    texts.emptyAnswer,
    texts.answeredBelow,
    texts.incomplete(REFERENCE),
    texts.reference(REFERENCE),
    ...Object.values(texts.failures).flatMap((failure) => failureLines(failure, texts)),
  ].map(pattern),
];

/** A failure as one line, and as the version before it showed it: with its reference below. */
const failureLines = (failure: string, { reference, unfinished }: Partial<Texts>) => [
  `⚠️ ${failure}`,
  ...[failure, unfinished?.(failure) ?? failure].map((said) => `⚠️ ${said}${reference?.(REFERENCE)}`),
];

/** Said in a message of its own beside an answer. `NAME` is any question. */
const beside = (texts: Texts) =>
  [texts.working, texts.stillWorking, texts.answered, texts.notAnswered].map((say) => named(say('NAME')));

const commandReply = (texts: Texts) =>
  [
    texts.newConversation,
    texts.stopping,
    texts.nothingToStop,
    ...Object.values(texts.failures).flatMap((failure) => [
      `⚠️ ${failure}${texts.reference(REFERENCE)}`,
      `⚠️ ${failure} ${texts.reference(REFERENCE)}`,
    ]),
  ].map(pattern);

/** A text that a user saw, taken apart. */
export interface Shown {
  /** The beginning of the answer that the text has; '' when it has none. */
  answer: string;
  /** A sentence says that the answer has ended. */
  isEnded: boolean;
  /** A sentence says that the answer goes on. */
  isPassing: boolean;
  references: string[];
  /** Parts that are neither the beginning of the answer nor a sentence of the product. */
  foreign: string[];
}

export type Sentences = ReturnType<typeof createSentences>;

/** Reads the sentences of one version, or of several that run side by side. */
export function createSentences(versions: readonly Texts[]) {
  const passings = versions.flatMap(passing);
  const endings = versions.flatMap(ending);
  const besides = versions.flatMap(beside);
  const labels = versions.map(({ aiLabel }) => pattern(aiLabel));
  const commandReplies = versions.flatMap(commandReply);
  const retryLinks = versions.map(({ retry }) => linkPattern(retry));
  const byWord = versions.map(({ goOnByWord }: Partial<Texts>) => goOnByWord ?? '').filter((words) => words !== '');
  /** What an ending offers, behind it on its line. */
  const offers = new RegExp(String.raw`( (·|\[[^\]]*\]\(dtmd:[^)]*\)|${byWord.map(escaped).join('|')}))+$`, 'u');
  const fulls = versions.map(({ queueFull }) => pattern(queueFull));
  const isAny = (patterns: readonly RegExp[], text: string) => patterns.some((each) => each.test(text));
  const withoutMention = (text: string) => text.replace(/^@\S+\s+/u, '').trim();

  /** @param question may be quoted above the answer, after the name of its asker. */
  function read(text: string, answer: string, question = ''): Shown {
    const shown: Shown = { answer: '', isEnded: false, isPassing: false, references: [], foreign: [] };
    const parts = text.split('\n\n').map((part) => part.trim());
    if (question !== '' && quotePattern(question).test(parts[0] ?? '')) parts.shift();
    for (const [index, part] of parts.entries()) {
      const found = endings.map((each) => each.exec(part.replace(offers, ''))).find((match) => match !== null);
      if (part === '' || (index === 0 && /^@\S+$/u.test(part)) || isAny([...retryLinks, ...labels], part)) continue;
      else if (found) {
        shown.isEnded = true;
        if (found.groups?.['reference']) shown.references.push(found.groups['reference']);
      } else if (isAny(passings, part)) shown.isPassing = true;
      else if (shown.answer === '' && answer.startsWith(part)) shown.answer = part;
      else shown.foreign.push(part);
    }
    return shown;
  }

  return {
    read,
    isCommandReply: (text: string) => isAny(commandReplies, withoutMention(text)),
    /** The message says something about an answer, and has none of it. */
    isBeside: (text: string) => isAny(besides, withoutMention(text).split('\n\n', 1)[0] ?? ''),
    isQueueFull: (text: string) => isAny(fulls, withoutMention(text)),
    /** The card says that its answer came as messages. */
    isPointer: (text: string) => versions.some(({ answeredBelow }) => text === answeredBelow),
  };
}

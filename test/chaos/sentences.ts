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

/** The answer has ended, with or without text. */
const ending = (texts: Texts) =>
  [
    texts.stopped,
    texts.paused,
    // b114c53 has no such sentence.
    ...('byEmail' in texts.form ? [texts.form.byEmail([])] : []),
    texts.emptyAnswer,
    texts.answeredBelow,
    texts.incomplete(REFERENCE),
    texts.reference(REFERENCE),
    ...Object.values(texts.failures).map((failure) => `⚠️ ${failure}`),
  ].map(pattern);

const commandReply = (texts: Texts) =>
  [
    texts.newConversation,
    texts.stopping,
    texts.nothingToStop,
    ...Object.values(texts.failures).map((failure) => `⚠️ ${failure} ${texts.reference(REFERENCE)}`),
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
  const commandReplies = versions.flatMap(commandReply);
  const retryLinks = versions.map(({ retry }) => linkPattern(retry));
  const fulls = versions.map(({ queueFull }) => pattern(queueFull));
  const isAny = (patterns: readonly RegExp[], text: string) => patterns.some((each) => each.test(text));
  const withoutMention = (text: string) => text.replace(/^@\S+\s+/u, '').trim();

  /** @param question may be quoted above the answer, after the name of its asker. */
  function read(text: string, answer: string, question = ''): Shown {
    const shown: Shown = { answer: '', isEnded: false, isPassing: false, references: [], foreign: [] };
    const parts = text.split('\n\n').map((part) => part.trim());
    if (question !== '' && quotePattern(question).test(parts[0] ?? '')) parts.shift();
    for (const [index, part] of parts.entries()) {
      const found = endings.map((each) => each.exec(part)).find((match) => match !== null);
      if (part === '' || (index === 0 && /^@\S+$/u.test(part)) || isAny(retryLinks, part)) continue;
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
    isQueueFull: (text: string) => isAny(fulls, withoutMention(text)),
    /** The card says that its answer came as messages. */
    isPointer: (text: string) => versions.some(({ answeredBelow }) => text === answeredBelow),
  };
}

import { plainLine } from '../markdown/plain-line.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import type { Texts } from '../texts/texts.ts';
import { sendLink } from './links.ts';
import type { Choice, NamedForm, Said } from './said.ts';
import { shortName } from './short-name.ts';

/** Longest words that a link can carry: the addresses of longer ones are too long for DingTalk's clients. */
const MAX_WORDS_CHARS = 300;

/** What is said about a form, as blocks of markdown: a sentence, and the choices as links or as words to type. */
export function saidNotes(said: Said, { texts, links = false }: { texts: Texts; links?: boolean }): string[] {
  const choices = said.choices.filter(isShort);
  const isCut = choices.length < said.choices.length;
  const lines = choices.map((choice) => {
    const text = choiceText(choice, texts);
    return `- ${links ? sendLink(choiceLabel(choice, texts), text) : sanitizeText(plainLine(text))}`;
  });
  return [
    sanitizeText(sentenceOf(said, texts)),
    ...(lines.length > 0 && !links ? [texts.form.typeOne] : []),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    ...(isCut ? [texts.form.askLong] : []),
  ];
}

/** The texts that the choices send. */
export function choiceTexts(said: Said, texts: Texts): string[] {
  return said.choices.filter(isShort).map((choice) => choiceText(choice, texts));
}

const isShort = ({ words = '' }: Choice): boolean => words.length <= MAX_WORDS_CHARS;

function choiceText(choice: Choice, texts: Texts): string {
  if (choice.kind === 'question') return texts.form.asked(choice.words);
  const { form, action, words } = choice;
  const named = texts.form.marked(action.replace(/\s+/g, ' ').trim(), form.number);
  return words === undefined ? named : texts.form.filled(named, words);
}

function choiceLabel(choice: Choice, texts: Texts): string {
  if (choice.kind === 'question') return texts.form.asQuestion;
  const { form, action, words } = choice;
  const named = texts.form.actionOf(shortName(action), nameOf(form, texts));
  return words === undefined ? named : texts.form.withWords(named);
}

function sentenceOf(said: Said, texts: Texts): string {
  const words = texts.form;
  switch (said.kind) {
    case 'not-shown-yet':
      return words.notShownYet(nameOf(said.form, texts));
    case 'which-form':
      return words.whichForm;
    case 'answered':
      return words.answered(nameOf(said.form, texts), shortName(said.action), Math.floor(said.agoMs / 60_000));
    case 'belongs':
      return words.belongs(
        said.forms.map((form) => nameOf(form, texts)),
        said.field === null ? null : shortName(said.field),
      );
    case 'files-kept':
      return words.filesKept(
        said.forms.map((form) => nameOf(form, texts)),
        said.count,
        said.choices.length > 0,
      );
    case 'not-yours':
      return words.notYours(nameOf(said.form, texts), said.byButton);
    default:
      return said satisfies never;
  }
}

const nameOf = ({ title, number }: NamedForm, texts: Texts): string => texts.form.named(shortName(title), number);

import type { FormTexts } from './texts.ts';
import { chinaTime } from './times.ts';

/** Dify's classes of files. */
const FILE_WORDS: Readonly<Record<string, string>> = {
  image: 'pictures',
  document: 'documents',
  audio: 'audio',
  video: 'video',
  custom: 'other files',
};

export const kindsOf = (kinds: readonly string[]): string =>
  kinds.map((kind) => FILE_WORDS[kind] ?? `.${kind}`).join(', ');

export const form: FormTexts = {
  title: (name, number) =>
    `📝 **Your decision is needed${name === '' ? '' : `: ${name}`}${number === null ? '' : ` #${number}`}**`,
  place: (label) => `“${label}”`,
  fields: '**To fill in**',
  field: ({ label, required, options, preset, isUnresolved }) => {
    const choice = options.map((option, index) => `${letter(index)} ${option}`).join(', ');
    const hints = [
      required ? 'required' : 'optional',
      ...(choice === '' ? [] : [`one of: ${choice}`]),
      ...(isUnresolved ? ['the workflow decides the options, and they cannot be seen here; please type one'] : []),
      ...(preset === '' ? [] : [`default: ${preset}`]),
    ];
    return `${label} (${hints.join('; ')})`;
  },
  fileField: ({ label, required, kinds, most }) =>
    `${label} (${required ? 'required' : 'optional'}; send the file here: ${kindsOf(kinds)}${most > 1 ? `, at most ${most}` : ''})`,
  fileElsewhere: (label) =>
    `${label} (needs the link of a file, which cannot be sent here; please use Dify's web page)`,
  actions: '**Choose one**',
  how: (action, example, needsMention) =>
    [
      `${needsMention ? 'Mention me and reply' : 'Reply'} with the number or the name of an action, for example "${action}".`,
      ...(example === null ? [] : [` To fill something in, write "${example}: text" below it, one line each.`]),
    ].join(''),
  waiting: (untilMs) => `⏳ Waiting for an answer${untilMs === null ? '' : ` until ${timeOf(untilMs)}`}`,
  chosen: ({ action, by, atMs }) => `✅ ${by === null ? 'Chosen' : `${by} chose`}: ${action} (${timeOf(atMs)})`,
  submitting: ({ action, by }) => `⏳ ${by === null ? 'Chosen' : `${by} chose`}: ${action}. It is being submitted.`,
  closed: '☑️ This form was answered elsewhere.',
  administrator: 'An administrator',
  expired: (name) => `(Nobody answered ${name === '' ? 'this form' : `the form "${name}"`} in time; it has expired.)`,
  byEmail: (addresses) =>
    `(This form was sent by e-mail${addresses.length === 0 ? '' : ` to ${addresses.join(', ')}`} and can only be answered there; the workflow goes on after that.)`,
  submitted: (action) => `Submitted: ${action}.`,
  missing: (labels) =>
    `The form still lacks: ${labels.join(', ')}. Please reply again with all of it (in a group, mention me).`,
  missingFiles: (labels) => `The form still lacks a file: ${labels.join(', ')}. Send it first, then choose an action.`,
  wrongOption: (label, options) =>
    `"${label}" does not offer that. It takes one of: ${options.join(', ')}. Please reply again (in a group, mention me).`,
  acceptedFiles: (label, kinds) => `"${label}" of the form takes only: ${kindsOf(kinds)}. This file was not submitted.`,
  named: (title, number) => `${title === '' ? 'The form' : `"${title}"`} #${number}`,
  notShownYet: (named) =>
    `This form had not been shown yet when you sent that, so nothing was submitted: ${named}. Please read it, then choose.`,
  whichForm: 'Several forms wait for you, and none was submitted. Please choose which one you mean:',
  answered: (named, action, minutesAgo) =>
    `${named} was answered ${minutesAgo === 0 ? 'just now' : `${minutesAgo} min ago`}. The choice was: ${action}.`,
  belongs: (forms, field) =>
    `${forms.join(', ')} waits for you. ${field === null ? 'Is this message a new question?' : `Is this message for "${field}", or is it a new question?`} Please choose:`,
  filesKept: (forms, count, mayChoose) =>
    `Received ${count === 1 ? 'one file' : `${count} files`}, to be submitted with ${forms.join(', ')}. ${mayChoose ? 'Please choose:' : 'Please fill in the rest of the form and choose an action.'}`,
  notYours: (named, byButton) =>
    `${named} was not submitted: it is for the person who asked${byButton ? ', or for you by the button on its card' : ''}.`,
  typeOne: 'Mention me and type one of these:',
  askLong: 'This is long. If it is a new question, please send it again with "Ask:" in front (in a group, mention me).',
  marked: (action, number) => `${action} #${number}`,
  filled: (marked, words) => `${marked}: ${words}`,
  asked: (words) => `Ask: ${words}`,
  actionOf: (action, named) => `${action} (${named})`,
  withWords: (named) => `Fill in and choose: ${named}`,
  asQuestion: 'Ask it as a new question',
};

const letter = (index: number): string => String.fromCharCode(65 + index);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const timeOf = (ms: number): string => {
  const { month, day, time } = chinaTime(ms);
  return `${day} ${MONTHS[month - 1]}, ${time} China time`;
};

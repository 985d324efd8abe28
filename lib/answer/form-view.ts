import { beginning } from '../characters.ts';
import type { Dialect } from '../markdown/dialect.ts';
import { plainLine } from '../markdown/plain-line.ts';
import { renderBlocks } from '../markdown/render.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import type { Texts } from '../texts/texts.ts';
import type { FormAction, FormField, PendingForm } from './event.ts';
import { sendLink } from './links.ts';
import { shortName } from './short-name.ts';

export interface FormViewOptions {
  texts: Texts;
  dialect: Dialect;
  /** Actions become links that send their title in the reader's name. */
  links: boolean;
  /** Words answer it only with a mention: in groups. */
  needsMention: boolean;
  /** The number of the form, where another form of the conversation may be known to the reader; else null. */
  number: number | null;
}

const MAX_FIELDS = 20;

const MAX_OPTIONS = 20;

const MAX_ACTIONS = 10;

const MAX_CONTENT_CHARS = 4_000;

/** `{{#$output.<name>#}}`, where Dify's own page shows the field. */
const PLACE = /\{\{#\$output\.([^#{}\n]{1,200})#\}\}/g;

/** What a person is asked, without how to answer it. */
export function formHead(
  form: PendingForm,
  { texts, dialect, number }: Omit<FormViewOptions, 'links' | 'needsMention'>,
): string[] {
  const labels = new Map(form.fields.map(({ name, label }) => [name, label]));
  const content = beginning(form.content, MAX_CONTENT_CHARS).replace(PLACE, (_place, name: string) =>
    texts.form.place(plainLine(labels.get(name) ?? name)),
  );
  return [
    sanitizeText(texts.form.title(shortName(form.nodeTitle), number)),
    ...renderBlocks(content, dialect, texts.markdown),
  ];
}

/** What a person is asked and how to answer by typing, as blocks of markdown (`readFormReply` reads the answer). */
export function formBlocks(form: PendingForm, options: FormViewOptions): string[] {
  const { texts, links, needsMention, number } = options;
  const words = texts.form;
  const fields = form.fields.slice(0, MAX_FIELDS);
  const blocks = formHead(form, options);
  // The form cannot be answered in the chat, so its fields and actions are left out.
  if (form.token === null) return [...blocks, sanitizeText(words.byEmail(form.mailedTo ?? []))];
  if (fields.length > 0) {
    blocks.push([words.fields, ...fields.map((field) => `- ${sanitizeText(fieldLine(field, texts))}`)].join('\n'));
  }
  // Dify refuses the form without this file, and a chat cannot give it: the line of the field says where one can.
  if (form.fields.some((field) => field.required && isFile(field) && !field.files?.takesUploads)) return blocks;
  const actions = form.actions.slice(0, MAX_ACTIONS);
  const [first] = actions;
  if (!first) return blocks;
  // A link sends the action alone, which is not enough where a field has no value yet.
  const isLinked = links && form.fields.every((field) => !field.required || field.default !== '');
  const lines = actions.map((action, index) => actionLine(action, index, { isLinked, number, texts }));
  blocks.push([words.actions, ...lines].join('\n'));
  const typed = fields.find(({ type }) => type === 'text' || type === 'select');
  const example = sent(shortName(first.title), number, texts);
  blocks.push(sanitizeText(words.how(example, typed ? shortName(typed.label) : null, needsMention)));
  return blocks;
}

const isFile = ({ type }: FormField) => type === 'file' || type === 'file-list';

function fieldLine(field: FormField, texts: Texts): string {
  const { options, default: preset, isUnresolved = false } = field;
  const label = shortName(field.label);
  const required = field.required && preset === '';
  if (isFile(field)) {
    if (!field.files?.takesUploads) return texts.form.fileElsewhere(label);
    const { classes, extensions, most } = field.files;
    const kinds = classes.flatMap((kind): readonly string[] => (kind === 'custom' ? extensions : [kind]));
    return texts.form.fileField({ label, required, kinds, most });
  }
  return texts.form.field({
    label,
    required,
    options: options.slice(0, MAX_OPTIONS).map(shortName),
    preset: shortName(preset),
    isUnresolved,
  });
}

/** What answers the form: the title of the action, with the number of the form where it has to be told. */
const sent = (title: string, number: number | null, texts: Texts): string =>
  number === null ? title : texts.form.marked(title, number);

/** A link that the model writes to DingTalk itself would be broken up (`sanitize.ts`); this one is ours. */
function actionLine(
  { title }: FormAction,
  index: number,
  { isLinked, number, texts }: { isLinked: boolean; number: number | null; texts: Texts },
): string {
  const name = shortName(title);
  if (!isLinked || name === '') return `${index + 1}. ${sanitizeText(name)}`;
  return `${index + 1}. ${sendLink(name, sent(title.replace(/\s+/g, ' ').trim(), number, texts))}`;
}

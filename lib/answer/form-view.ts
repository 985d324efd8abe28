import { beginning } from '../characters.ts';
import type { Dialect } from '../markdown/dialect.ts';
import { plainLine, shortened } from '../markdown/plain-line.ts';
import { renderBlocks } from '../markdown/render.ts';
import { sanitizeText } from '../markdown/sanitize.ts';
import type { Texts } from '../texts/texts.ts';
import type { FormAction, FormField, PendingForm } from './event.ts';
import { sendLink } from './links.ts';

export interface FormViewOptions {
  texts: Texts;
  dialect: Dialect;
  /** Actions become links that send their title in the reader's name. */
  links: boolean;
}

const MAX_FIELDS = 20;

const MAX_OPTIONS = 20;

const MAX_ACTIONS = 10;

/** Longest name, option or default that is shown. */
const MAX_NAME_CHARS = 60;

const MAX_CONTENT_CHARS = 4_000;

/** `{{#$output.<name>#}}`, where Dify's own page shows the field. */
const PLACE = /\{\{#\$output\.([^#{}\n]{1,200})#\}\}/g;

/** What a person is asked and how to answer by typing, as blocks of markdown (`readFormReply` reads the answer). */
export function formBlocks(form: PendingForm, { texts, dialect, links }: FormViewOptions): string[] {
  const words = texts.form;
  const fields = form.fields.slice(0, MAX_FIELDS);
  const labels = new Map(form.fields.map(({ name, label }) => [name, label]));
  const content = beginning(form.content, MAX_CONTENT_CHARS).replace(PLACE, (_place, name: string) =>
    words.place(plainLine(labels.get(name) ?? name)),
  );
  const blocks = [
    sanitizeText(words.title(shortName(form.nodeTitle))),
    ...renderBlocks(content, dialect, texts.markdown),
  ];
  // The form cannot be answered in the chat, so its fields and actions are left out.
  if (form.token === null) return [...blocks, texts.formByEmail];
  if (fields.length > 0) {
    blocks.push([words.fields, ...fields.map((field) => `- ${sanitizeText(fieldLine(field, texts))}`)].join('\n'));
  }
  // Dify refuses the form without this file, and a chat cannot give it: the line of the field says where one can.
  if (form.fields.some((field) => field.required && isFile(field))) return blocks;
  const actions = form.actions.slice(0, MAX_ACTIONS);
  const [first] = actions;
  if (!first) return blocks;
  blocks.push([words.actions, ...actions.map((action, index) => actionLine(action, index, links))].join('\n'));
  const typed = fields.find(({ type }) => type === 'text' || type === 'select');
  blocks.push(sanitizeText(words.how(shortName(first.title), typed ? shortName(typed.label) : null)));
  return blocks;
}

const isFile = ({ type }: FormField) => type === 'file' || type === 'file-list';

function fieldLine(field: FormField, texts: Texts): string {
  const { label, required, options, default: preset } = field;
  if (isFile(field)) return texts.form.fileField(shortName(label));
  return texts.form.field({
    label: shortName(label),
    required: required && preset === '',
    options: options.slice(0, MAX_OPTIONS).map(shortName),
    preset: shortName(preset),
  });
}

/** A link that the model writes to DingTalk itself would be broken up (`sanitize.ts`); this one is ours. */
function actionLine({ title }: FormAction, index: number, links: boolean): string {
  const name = shortName(title);
  const isLink = links && name !== '';
  return `${index + 1}. ${isLink ? sendLink(name, title.replace(/\s+/g, ' ').trim()) : sanitizeText(name)}`;
}

function shortName(name: string): string {
  return shortened(plainLine(name), MAX_NAME_CHARS);
}

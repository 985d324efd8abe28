import type { FormField } from '../answer/event.ts';
import type { Said } from '../answer/said.ts';
import { typeFor, type QuestionFile } from '../dify/file-inputs.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import { fetchSentFile } from '../files/inbound.ts';
import { actionChoices } from './form-questions.ts';
import { isFileField } from './form-values.ts';
import { expectationOf, MAX_EXTENSIONS } from './accepted-files.ts';
import type { OpenForm } from './open-form.ts';
import { limitsOf, type QuestionPorts } from './question.ts';
import { factsOf } from './reach.ts';

type Taking = FormField & { files: NonNullable<FormField['files']> };

/** Whether a form has a field that such a file from the chat may fill. A recording is a file only where one is asked for. */
export function takesFile(fields: readonly FormField[], file: SentFile): boolean {
  const taking = fields.filter(isTaking);
  return file.kind === 'audio' ? taking.some((field) => fits(field, file)) : taking.length > 0;
}

const isTaking = (field: FormField): field is Taking => isFileField(field) && field.files?.takesUploads === true;

const fits = ({ files }: Taking, file: SentFile): boolean => typeFor(files, expectationOf(file)) !== null;

/** The files of each form, with those that were sent now, the newest last. */
export interface TakenFiles {
  files: ReadonlyMap<OpenForm, readonly QuestionFile[]>;
  said: Said;
}

/**
 * Gives files that were sent to Dify, for the forms that wait for some. They are submitted with an action.
 *
 * @throws BridgeError with a `file_…` or `dify_…` code.
 */
export async function takeFiles(
  sent: readonly SentFile[],
  waiting: readonly OpenForm[],
  ports: Pick<QuestionPorts, 'sentFiles' | 'dify'>,
  signal: AbortSignal,
): Promise<TakenFiles> {
  const user = waiting[0]?.kept.user ?? '';
  // A file belongs to the user that it was uploaded for.
  const own = waiting.filter(({ kept }) => kept.user === user);
  const taking = own.filter(({ form }) =>
    sent.every((file) => form.fields.some((field) => isTaking(field) && fits(field, file))),
  );
  const fields = (taking.length > 0 ? taking : own).flatMap(({ form }) => form.fields.filter(isTaking));
  if (taking.length === 0) throw notAccepted(fields);
  const most = Math.max(...taking.map((one) => roomOf(one, sent)));
  if (sent.length > most) throw new BridgeError('file_not_accepted', 'the form takes fewer files', { most });
  const facts = await factsOf(ports.dify);
  const uploads: QuestionFile[] = [];
  for (const file of sent) {
    uploads.push(await fetchSentFile(file, { ...ports.sentFiles, maxBytes: limitsOf(facts), user, signal }));
  }
  const files = new Map(taking.map((one) => [one, [...one.kept.files, ...uploads].slice(-MAX_FILES)] as const));
  return { files, said: keptSaid(files, uploads.length) };
}

const MAX_FILES = 20;

/** How many of these files the form has room for. Of a single file a newer one takes the place. */
function roomOf({ kept, form }: OpenForm, sent: readonly SentFile[]): number {
  const fields = form.fields.filter(isTaking).filter((field) => sent.some((file) => fits(field, file)));
  const all = fields.reduce((sum, { files }) => sum + files.most, 0);
  return all === 1 ? 1 : Math.max(0, all - kept.files.length);
}

function notAccepted(fields: readonly Taking[]): BridgeError {
  const kinds = new Set(fields.flatMap(({ files }) => files.classes));
  const extensions = new Set(fields.flatMap(({ files }) => (files.classes.includes('custom') ? files.extensions : [])));
  const named = { label: fields[0]?.label ?? '', extensions: [...extensions].slice(0, MAX_EXTENSIONS) };
  const facts = { kinds: [...kinds].join(' ') };
  return new BridgeError('file_not_accepted', 'no field of the form takes such a file', facts, undefined, named);
}

function keptSaid(files: TakenFiles['files'], count: number): Said {
  const forms = [...files].map(([{ kept, form }, held]) => ({ form, kept: { ...kept, files: held } }));
  return {
    kind: 'files-kept',
    forms: forms.map(({ kept: { title, number } }) => ({ title, number })),
    count,
    choices: forms.flatMap((one) => actionChoices(one)),
  };
}

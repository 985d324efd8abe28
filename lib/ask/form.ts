import type { Answer } from '../answer/answer.ts';
import type { PendingFormDetails } from '../answer/event.ts';
import type { Dify } from '../dify/dify.ts';
import type { AppType } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import { readFormReply } from './form-reply.ts';

/** A form of a paused run: its token is the right to answer it. */
export interface WaitingForm {
  token: string;
  runId: string;
  /** The id of its first action; empty where it has none. */
  action: string;
  /** Characters of the run's text that were shown before the form: what is found of the run later begins with them. */
  shownChars: number;
}

/** A form as its conversation keeps it, so that what is typed next can be an answer to it. */
export interface KeptForm {
  token: string;
  runId: string;
  shownChars: number;
  appType: AppType;
  /** Whom the run was started for. */
  user: string;
  /** Who asked the question that led to it. */
  asker: string;
  /** What was offered: of a form that is closed Dify tells nothing any more. */
  actions: readonly { id: string; title: string }[];
}

/** A question, and what could make it an answer to a form. */
export interface FormTurn {
  /** Filled in by a button; null for words. */
  form: FormSubmission | null;
  /** The form that the conversation waits for. */
  waiting: KeptForm | null;
  asker: string;
  question: string;
}

export interface FormPorts {
  dify: Pick<Dify, 'getForm'>;
}

/** What a question has to do with a form that its conversation waits for. */
export type FormReply =
  /** It fills the form in. */
  | { kind: 'submission'; submission: FormSubmission }
  /** It is an ordinary question; `isOver` when the form that was waited for cannot be answered any more. */
  | { kind: 'question'; isOver: boolean };

/**
 * @throws BridgeError `form_invalid` when it is an answer that lacks something; `form_closed` or `form_expired` when it is
 * one to a form that cannot be answered any more: to the app it would be a question that makes no sense.
 */
export async function readFormTurn(
  { form: filled, waiting, asker, question }: FormTurn,
  { dify }: FormPorts,
): Promise<FormReply> {
  if (filled) return { kind: 'submission', submission: filled };
  // In a chat that shares one conversation others may ask meanwhile, but not answer.
  if (!waiting || waiting.asker !== asker) return { kind: 'question', isOver: false };
  const form = await openForm(waiting.token, dify);
  if (form instanceof BridgeError) {
    if (readFormReply(question, { actions: waiting.actions, fields: [] })) throw form;
    return { kind: 'question', isOver: true };
  }
  const reply = readFormReply(question, form);
  if (reply === null) return { kind: 'question', isOver: false };
  if ('problem' in reply) {
    throw new BridgeError('form_invalid', 'required fields are missing', { fields: reply.problem.join(', ') });
  }
  const { token, runId, shownChars, appType, user } = waiting;
  return { kind: 'submission', submission: { token, runId, shownChars, appType, user, ...reply } };
}

/** The failure where it is answered, or too late. */
async function openForm(token: string, dify: FormPorts['dify']): Promise<PendingFormDetails | BridgeError> {
  try {
    return await dify.getForm(token);
  } catch (error) {
    if (isFormOver(error)) return error;
    throw error;
  }
}

/** Whether a form is answered or too late, so that nobody can answer it any more. */
export function isFormOver(error: unknown): error is BridgeError {
  return error instanceof BridgeError && (error.code === 'form_closed' || error.code === 'form_expired');
}

/** The form of a paused answer that somebody here can fill in. */
export function waitingForm({ ending, form, ids, texts }: Answer): WaitingForm | null {
  const runId = form?.runId ?? ids.runId;
  if (ending?.kind !== 'paused' || !form?.token || !runId) return null;
  return { token: form.token, runId, action: form.actions[0]?.id ?? '', shownChars: texts.message.length };
}

/** What somebody filled in, for a run that waits for it. */
export interface FormSubmission extends WaitingForm {
  appType: AppType;
  /** Whom the run was started for. */
  user: string;
  action: string;
  inputs: Readonly<Record<string, string>>;
}

import type { Answer } from '../answer/answer.ts';
import type { FormAction, PendingForm } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import type { Dify } from '../dify/dify.ts';
import type { FilledForm } from '../dify/forms.ts';
import { BridgeError } from '../errors.ts';
import { readFormReply } from './form-reply.ts';

/** The form of a paused run, as the record of its answer keeps it for the button below the answer. */
export interface WaitingForm {
  /** The right to answer the form. */
  token: string;
  runId: string;
  /** The id of the form's first action; empty where it has none. */
  action: string;
  /** Characters of the run's text that were shown before the form. The text that Dify keeps of the run begins with them. */
  shownChars: number;
}

/** The same form as its conversation keeps it, so that the next message can be an answer to it. */
export interface KeptForm extends Omit<WaitingForm, 'action'> {
  appType: AppType;
  /** The user, as Dify knows them, whom the run was started for. */
  user: string;
  /** The person who asked the question that led to the form. */
  asker: string;
  /** The actions of the form: after it was answered Dify does not tell them any more. */
  actions: readonly FormAction[];
}

/** A form with its answer, and the run that goes on with it. */
export interface FormSubmission extends Omit<WaitingForm, 'action'>, FilledForm {
  appType: AppType;
}

/** A message, and what decides whether it answers a form. */
export interface FormCandidate {
  /** The form was filled in with a button; null for typed words. */
  form: FormSubmission | null;
  /** The form that the conversation waits for. */
  waiting: KeptForm | null;
  asker: string;
  question: string;
}

export type FormDecision =
  /** The message answers the form. */
  | { kind: 'submission'; submission: FormSubmission }
  /** It is an ordinary question. `isOver`: the form that the conversation waited for cannot be answered any more. */
  | { kind: 'question'; isOver: boolean };

/**
 * Decides whether a message answers a form.
 *
 * @throws BridgeError `form_invalid` when it answers the form but lacks something; `form_closed` or `form_expired` when the
 * form cannot be answered any more: as a question such a message would make no sense to the app.
 */
export async function decideForm(
  { form: filled, waiting, asker, question }: FormCandidate,
  { dify }: { dify: Pick<Dify, 'getForm'> },
): Promise<FormDecision> {
  if (filled) return { kind: 'submission', submission: filled };
  // In a chat that shares one conversation other people may ask meanwhile, but not answer.
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

/** The form; the failure where it was answered before, or is too late. */
async function openForm(token: string, dify: Pick<Dify, 'getForm'>): Promise<PendingForm | BridgeError> {
  try {
    return await dify.getForm(token);
  } catch (error) {
    if (isFormOver(error)) return error;
    throw error;
  }
}

/** Whether a failure says that the form was answered before or is too late. */
export function isFormOver(error: unknown): error is BridgeError {
  return error instanceof BridgeError && (error.code === 'form_closed' || error.code === 'form_expired');
}

/** The form of a paused answer; null where none can be answered in the chat. */
export function waitingForm({ ending, form, ids, texts }: Answer): WaitingForm | null {
  const runId = form?.runId ?? ids.runId;
  if (ending?.kind !== 'paused' || !form?.token || !runId) return null;
  return { token: form.token, runId, action: form.actions[0]?.id ?? '', shownChars: texts.message.length };
}

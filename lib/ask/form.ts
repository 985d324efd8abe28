import type { Answer } from '../answer/answer.ts';
import type { FormAction } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import type { FilledForm } from '../dify/forms.ts';
import { hasCode, type BridgeError } from '../errors.ts';

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

/** The form on a card, with what was not kept before this version. */
export interface ShownForm extends WaitingForm {
  title: string;
  actions: readonly FormAction[];
  /** Its number within its conversation. */
  number: number;
  expiresAtMs: number | null;
  /** How much of `shownChars` stands on earlier cards. */
  earlierChars: number;
  /** The turn whose card shows it. */
  cardId: string;
  /** False where it was shown as a message; versions before this one did not note it. */
  onCard?: boolean | undefined;
  /** The card quotes its question. */
  isQuoted?: boolean | undefined;
}

/** The same form as its conversation keeps it, so that a message can be an answer to it. */
export interface KeptForm extends Omit<ShownForm, 'action' | 'earlierChars'> {
  appType: AppType;
  /** The user, as Dify knows them, whom the run was started for. */
  user: string;
  /** The person who asked the question that led to the form. */
  asker: string;
  /** The conversation that it was shown in; `/new` begins another. */
  generation: string;
  /** When it was shown; null while nobody has seen it. What was accepted before does not answer it. */
  shownAtMs: number | null;
  /** How it was answered from here; null where it was not. */
  chosen: { action: string; atMs: number } | null;
  /** It cannot be answered any more. */
  isOver: boolean;
  /** What DingTalk calls its card, where that is known. */
  cardKey?: string | undefined;
  /** Sent for its fields, the newest last. */
  files: readonly QuestionFile[];
}

/** A form with its answer, and the run that goes on with it. */
export interface FormSubmission extends Omit<WaitingForm, 'action'>, FilledForm {
  appType: AppType;
  /** The turn whose card shows it. */
  cardId?: string | undefined;
  /** Its time was over without an answer: what its run did then is looked for, and nothing is submitted. */
  expired?: Pick<ShownForm, 'title' | 'earlierChars'> | undefined;
}

/** Whether a failure says that the form was answered before or is too late. */
export function isFormOver(error: unknown): error is BridgeError {
  return hasCode(error, 'form_closed', 'form_expired');
}

/** The form of a paused answer; null where none can be answered in the chat. */
export function waitingForm({ ending, form, ids, texts }: Answer): WaitingForm | null {
  const runId = form?.runId ?? ids.runId;
  if (ending?.kind !== 'paused' || !form?.token || !runId) return null;
  return { token: form.token, runId, action: form.actions[0]?.id ?? '', shownChars: texts.message.length };
}

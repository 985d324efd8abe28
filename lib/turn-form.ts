import * as z from 'zod';
import { askerOf } from './access.ts';
import type { Answer } from './answer.ts';
import type { AppType } from './dify/app-facts.ts';
import type { DifyEvent } from './dify/events.ts';
import type { PendingFormDetails } from './dify/forms.ts';
import { BridgeError } from './errors.ts';
import { readFormReply } from './forms.ts';
import type { WaitingForm } from './receipt.ts';
import type { FormChange } from './state/state.ts';
import type { FormSubmission } from './turn-record.ts';
import type { Turn } from './turn.ts';

export interface FormPorts {
  forms: {
    get(token: string): Promise<PendingFormDetails>;
    submit(filled: Omit<FormSubmission, 'runId' | 'appType'>): Promise<void>;
    /** What happens in a run from now on; null where Dify does not tell. */
    follow(runId: string, user: string, signal: AbortSignal): Promise<AsyncIterable<DifyEvent> | null>;
  };
}

/** What a question has to do with a form that its conversation waits for. */
export type FormReply =
  /** It fills the form in. */
  | { kind: 'submission'; submission: FormSubmission }
  /** It is an ordinary question; `isOver` when the form that was waited for cannot be answered any more. */
  | { kind: 'question'; isOver: boolean };

/** A form as the conversation keeps it, so that what is typed next can be an answer to it. */
const waitingSchema = z.object({
  token: z.string(),
  runId: z.string(),
  appType: z.custom<AppType>((value) => typeof value === 'string'),
  user: z.string(),
  asker: z.string(),
  /** What was offered: of a form that is closed Dify tells nothing any more. */
  actions: z.array(z.object({ id: z.string(), title: z.string() })).catch([]),
});

/**
 * @throws BridgeError `form_invalid` when it is an answer that lacks something; `form_closed` or `form_expired` when it is
 * one to a form that cannot be answered any more: to the app it would be a question that makes no sense.
 */
export async function readFormTurn(turn: Turn, { forms }: FormPorts): Promise<FormReply> {
  if (turn.form) return { kind: 'submission', submission: turn.form };
  const waiting = readWaiting(turn.record.context?.form ?? null);
  // In a chat that shares one conversation others may ask meanwhile, but not answer.
  if (!waiting || waiting.asker !== askerOf(turn.message)) return { kind: 'question', isOver: false };
  const form = await openForm(waiting.token, forms);
  if (form instanceof BridgeError) {
    if (readFormReply(turn.question, { actions: waiting.actions, fields: [] })) throw form;
    return { kind: 'question', isOver: true };
  }
  const reply = readFormReply(turn.question, form);
  if (reply === null) return { kind: 'question', isOver: false };
  if ('problem' in reply) {
    throw new BridgeError('form_invalid', 'required fields are missing', { fields: reply.problem.join(', ') });
  }
  const { token, runId, appType, user } = waiting;
  return { kind: 'submission', submission: { token, runId, appType, user, ...reply } };
}

/** The failure where it is answered, or too late. */
async function openForm(token: string, forms: FormPorts['forms']): Promise<PendingFormDetails | BridgeError> {
  try {
    return await forms.get(token);
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
export function waitingForm({ ending, form, ids }: Answer): WaitingForm | null {
  const runId = form?.runId ?? ids.runId;
  if (ending?.kind !== 'paused' || !form?.token || !runId) return null;
  return { token: form.token, runId, action: form.actions[0]?.id ?? '' };
}

/** What the conversation waits for after this turn. */
export function formChange(turn: Turn, answer: Answer, appType: AppType | null, isOver: boolean): FormChange {
  const form = waitingForm(answer);
  if (!form || appType === null) return { kind: isOver ? 'forget' : 'keep' };
  const { token, runId } = form;
  const user = turn.form?.user ?? turn.conversation.difyUser;
  const asker = askerOf(turn.message);
  const actions = answer.form?.actions ?? [];
  const waiting: z.input<typeof waitingSchema> = { token, runId, appType, user, asker, actions: [...actions] };
  return { kind: 'wait', form: JSON.stringify(waiting) };
}

function readWaiting(text: string | null): z.output<typeof waitingSchema> | null {
  if (text === null) return null;
  try {
    return waitingSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

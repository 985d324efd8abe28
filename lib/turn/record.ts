import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { RunIds } from '../answer/event.ts';
import { waitingForm, type FormSubmission, type KeptForm, type WaitingForm } from '../ask/form.ts';
import type { AppType } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { FormChange } from '../state/state.ts';
import { askerOf } from './conversation.ts';
import type { Turn, TurnPayload, TurnProgress } from './turn.ts';

/**
 * What remains of an answered question, so that a button below the answer still works: ids and the chat's own reply
 * address, nothing that anybody wrote.
 */
export interface Receipt {
  ids: RunIds;
  appType: AppType | null;
  /** Whom Dify knows the asker as. */
  user: string;
  chat: { id: string; isGroup: boolean };
  sender: { staffId: string | null; unionId: string | null; id: string };
  session: Message['session'];
  corpId: string | null;
  /** What the run waits for. */
  form: WaitingForm | null;
}

const receiptSchema = z.object({
  ids: z.custom<RunIds>((value) => typeof value === 'object' && value !== null),
  appType: z.custom<AppType>((value) => typeof value === 'string').nullable(),
  user: z.string(),
  chat: z.object({ id: z.string(), isGroup: z.boolean() }),
  sender: z.object({ staffId: z.string().nullable(), unionId: z.string().nullable(), id: z.string() }),
  session: z.object({ webhook: z.string(), expiresAtMs: z.number().nullable() }).nullable(),
  corpId: z.string().nullable(),
  form: z.object({ token: z.string(), runId: z.string(), action: z.string() }).nullable(),
});

export function writeReceipt(
  { chat, sender, session, corpId }: Message,
  { ids, appType }: TurnProgress,
  user: string,
  form: WaitingForm | null,
): string {
  const receipt: Receipt = {
    ids,
    appType,
    user,
    chat: { id: chat.id, isGroup: chat.isGroup },
    sender: { staffId: sender.staffId, unionId: sender.unionId, id: sender.id },
    session,
    corpId,
    form,
  };
  return JSON.stringify(receipt);
}

/** Null when there is none, or it was written by a version that had another shape. */
export function readReceipt(text: string | null): Receipt | null {
  if (text === null) return null;
  try {
    return receiptSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const waitingSchema: z.ZodType<KeptForm> = z.object({
  token: z.string(),
  runId: z.string(),
  appType: z.custom<AppType>((value) => typeof value === 'string'),
  user: z.string(),
  asker: z.string(),
  actions: z.array(z.object({ id: z.string(), title: z.string() })).catch([]),
});

/** What the conversation waits for after this turn. */
export function formChange(turn: Turn, answer: Answer, appType: AppType | null, isOver: boolean): FormChange {
  const form = waitingForm(answer);
  if (!form || appType === null) return { kind: isOver ? 'forget' : 'keep' };
  const { token, runId } = form;
  const user = turn.form?.user ?? turn.conversation.difyUser;
  const asker = askerOf(turn.message);
  const actions = answer.form?.actions ?? [];
  const waiting: KeptForm = { token, runId, appType, user, asker, actions };
  return { kind: 'wait', form: JSON.stringify(waiting) };
}

export function readWaiting(text: string | null): KeptForm | null {
  if (text === null) return null;
  try {
    return waitingSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The progress of an answer that is being written. */
export interface KeptProgress {
  /** How far the answer got. Written with the next renewal of its lease, or at once by `write`. */
  note: (progress: Partial<Omit<TurnProgress, 'text'>>) => void;
  /** The text so far; worked out only when it is written. */
  noteText: (text: () => string) => void;
  readonly progress: TurnProgress;
}

const payloadSchema = z.object({
  message: z.custom<Message>(
    (value) => typeof value === 'object' && value !== null && 'chat' in value && 'sender' in value,
  ),
  question: z.string(),
  acceptedAtMs: z.number(),
  form: z
    .custom<FormSubmission>((value) => typeof value === 'object' && value !== null)
    .nullable()
    .default(null),
});

const progressSchema = z.object({
  hasCard: z.boolean().nullable(),
  text: z.string(),
  ids: z.custom<RunIds>((value) => typeof value === 'object' && value !== null),
  appType: z.custom<AppType>((value) => typeof value === 'string').nullable(),
  calls: z.number(),
});

export const noProgress: TurnProgress = { hasCard: null, text: '', ids: {}, appType: null, calls: 0 };

/** Null when it has been erased, or was written by a version that had another shape. */
export function readPayload(text: string): TurnPayload | null {
  return read(payloadSchema, text);
}

export function readProgress(text: string | null): TurnProgress | null {
  return text === null ? null : read(progressSchema, text);
}

function read<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The same for every delivery of a message, so that neither a turn nor its card can be made twice. */
export function turnIdOf(messageId: string): string {
  return createHash('sha256').update(messageId).digest('hex').slice(0, 32);
}

/** The short name of a turn, for users and logs. */
export function referenceOf(turnId: string): string {
  return turnId.slice(0, 8);
}

export function keepProgress(initial: TurnProgress): KeptProgress {
  let progress = initial;
  let text = () => initial.text;
  return {
    get progress() {
      return { ...progress, text: text() };
    },
    note: (change) => {
      progress = { ...progress, ...change };
    },
    noteText: (newest) => {
      text = newest;
    },
  };
}

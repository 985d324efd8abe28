import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { AppType } from './dify/app-facts.ts';
import type { RunIds } from './dify/events.ts';
import type { Message } from './dingtalk/callback.ts';
import type { WaitingForm } from './receipt.ts';

/** Everything needed to answer a message, as it is kept until the answer is there. */
export interface TurnPayload {
  message: Message;
  question: string;
  acceptedAtMs: number;
  /** The question is an answer to a form, given by a button; null for an ordinary one. */
  form: FormSubmission | null;
}

/** What somebody filled in, for a run that waits for it. */
export interface FormSubmission extends WaitingForm {
  appType: AppType;
  /** Whom the run was started for. */
  user: string;
  action: string;
  inputs: Readonly<Record<string, string>>;
}

/** How far a running answer got: enough to end its card without its function. */
export interface TurnProgress {
  /** Whether the card is there; null while that is not known. */
  hasCard: boolean | null;
  /** The answer's text so far, as Dify wrote it. */
  text: string;
  ids: RunIds;
  appType: AppType | null;
  /** DingTalk calls so far that count for the organisation's month. */
  calls: number;
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

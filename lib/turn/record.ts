import * as z from 'zod';
import type { Missed } from '../ask/quote.ts';
import type { SentFile } from '../dingtalk/message-kinds.ts';
import { digest } from '../runtime/digest.ts';
import { readJson } from '../runtime/json.ts';
import {
  appTypeSchema,
  idsSchema,
  leftOutSchema,
  messageSchema,
  sentFileSchema,
  submissionSchema,
} from './kept-message.ts';
import type { TurnPayload, TurnProgress } from './turn.ts';

/** The progress of an answer that is being written. */
export interface KeptProgress {
  /** How far the answer got. Written with the next renewal of its lease, or at once by `write`. */
  note: (progress: Partial<Omit<TurnProgress, 'text'>>) => void;
  /** The text so far; worked out only when it is looked at. */
  noteText: (text: () => string) => void;
  readonly progress: TurnProgress;
}

const payloadSchema = z.object({
  message: messageSchema,
  question: z.string(),
  acceptedAtMs: z.number(),
  form: submissionSchema.nullable().default(null),
  // The store adds these (`AcceptRequest.payload`). Versions before this one hold no files.
  held: z.array(sentFileSchema).optional(),
  heldIsOver: z.boolean().optional(),
});

const missedShape = z.object({ answer: z.boolean().optional(), leftOut: leftOutSchema.optional() });

const progressSchema = z.object({
  hasCard: z.boolean().nullable(),
  text: z.string(),
  ids: idsSchema,
  appType: appTypeSchema.nullable(),
  calls: z.number(),
  // Versions before this one did not note it.
  form: z
    .object({
      user: z.string(),
      shownChars: z.number(),
      token: z.string().optional(),
      action: z.string().optional(),
    })
    .nullable()
    .default(null),
  isAnew: z.boolean().default(false),
  askedAtMs: z.number().optional(),
  eventAtMs: z.number().optional(),
  isReplaced: z.boolean().optional(),
  isAskedAgain: z.boolean().optional(),
  isQuoted: z.boolean().optional(),
  cardKey: z.string().optional(),
  toldWaiting: z.number().optional(),
  missed: z.custom<Missed>((value) => missedShape.safeParse(value).success).optional(),
});

export const noProgress: TurnProgress = {
  hasCard: null,
  text: '',
  ids: {},
  appType: null,
  calls: 0,
  form: null,
  isAnew: false,
};

/** Null when it has been erased, or was written by a version that had another shape. */
export function readPayload(text: string): TurnPayload | null {
  return readJson(payloadSchema, text);
}

/** A file as a conversation holds it, and back; null for one that cannot be read. */
export const writeHeld = ({ kind, downloadCode, name }: SentFile) => JSON.stringify({ kind, downloadCode, name });

export const readHeld = (text: string) => readJson(sentFileSchema, text);

export function readProgress(text: string | null): TurnProgress | null {
  return text === null ? null : readJson(progressSchema, text);
}

/** Whom Dify shows the run of a turn to: its asker, or, of a form, the person whom the run was started for. */
export function userOfRun(user: string, progress: TurnProgress | null): string {
  return progress?.form?.user ?? user;
}

/** The same for every delivery of a message, so that neither a turn nor its card can be made twice. */
export const turnIdOf = (messageId: string): string => digest(messageId);

/** The id of a message that a press stands for. DingTalk's own begin with `msg`. */
const PRESS = 'button-';

export const pressId = (name: string): string => `${PRESS}${name}`;

export const isPress = (messageId: string): boolean => messageId.startsWith(PRESS);

/** The short name of a turn, for users and logs. */
export function referenceOf(turnId: string): string {
  return turnId.slice(0, 8);
}

export function keepProgress(initial: TurnProgress): KeptProgress {
  let facts = initial;
  let text = () => initial.text;
  const withText = () => ({
    ...facts,
    get text() {
      return text();
    },
  });
  let progress: TurnProgress | null = null;
  return {
    get progress() {
      progress ??= withText();
      return progress;
    },
    note: (change) => {
      facts = { ...facts, ...change };
      progress = null;
    },
    noteText: (newest) => {
      text = newest;
    },
  };
}

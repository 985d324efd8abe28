import * as z from 'zod';
import type { KeptForm } from '../ask/form.ts';
import type { QuestionFile } from '../dify/file-inputs.ts';
import { readJson } from '../runtime/json.ts';
import type { FormChange } from '../state/state.ts';
import type { ConversationContext } from '../state/told.ts';
import { appTypeSchema } from './kept-message.ts';

/** The forms of a conversation, in the order in which they were shown. */
export interface KeptForms {
  /** The number of the newest form that the conversation ever had. A number is never given twice. */
  last: number;
  forms: readonly KeptForm[];
}

/** Most forms that may wait for typed words. The buttons of others still work. */
const MAX_WAITING = 10;

/** Most forms that are over and still known, so that words that name them are no question. */
const MAX_OVER = 10;

export const actionsSchema = z.array(z.object({ id: z.string(), title: z.string() })).catch([]);

/** Versions before this one kept no length, and one form without its number and its time. */
const keptFormSchema: z.ZodType<KeptForm> = z.object({
  token: z.string(),
  runId: z.string(),
  shownChars: z.number().default(0),
  appType: appTypeSchema,
  user: z.string(),
  asker: z.string(),
  actions: actionsSchema,
  title: z.string().default(''),
  number: z.number().default(0),
  generation: z.string().default(''),
  cardId: z.string().default(''),
  shownAtMs: z.number().nullable().default(0),
  expiresAtMs: z.number().nullable().default(null),
  chosen: z.object({ action: z.string(), atMs: z.number() }).nullable().default(null),
  isOver: z.boolean().default(false),
  cardKey: z.string().optional(),
  files: z.array(z.custom<QuestionFile>((value) => typeof value === 'object' && value !== null)).default([]),
});

const keptFormsSchema = z.object({ last: z.number(), forms: z.array(keptFormSchema) });

/**
 * The forms of a conversation. An instance of an earlier version knows one form only, in a field of its own; where that one
 * is not among the others, such an instance has put it there.
 */
export function readForms(context: ConversationContext | null): KeptForms {
  const { last, forms } = (context?.forms && readJson(keptFormsSchema, context.forms)) || { last: 0, forms: [] };
  const newest = context?.form ? readJson(keptFormSchema, context.form) : null;
  if (!context || !newest || forms.some(({ token }) => token === newest.token)) return { last, forms };
  const number = last + 1;
  return { last: number, forms: [...forms, { ...newest, number, generation: context.generation }] };
}

export const isWaiting = ({ chosen, isOver, generation }: KeptForm, current: string): boolean =>
  !chosen && !isOver && generation === current;

/** What the store keeps from now on: the newest that waits for instances of an earlier version, and all. */
export function formChange(before: KeptForms, after: KeptForms, context: ConversationContext | null): FormChange {
  if (after === before) return { kind: 'keep' };
  const generation = context?.generation ?? '';
  const waiting = after.forms.filter((kept) => isWaiting(kept, generation));
  const others = after.forms.filter((kept) => !waiting.includes(kept));
  const kept = new Set([...waiting.slice(-MAX_WAITING), ...others.slice(-MAX_OVER)]);
  const forms = after.forms.filter((form) => kept.has(form));
  const newest = waiting.at(-1);
  return {
    kind: 'change',
    newest: newest ? JSON.stringify(newest) : null,
    // Without its context this turn does not know the other forms of the conversation.
    all: context ? JSON.stringify({ last: after.last, forms }) : null,
  };
}

import * as z from 'zod';
import type { FormEnd } from '../answer/form-end.ts';
import { readJson } from '../runtime/json.ts';

/** What the record of a card says of its form, beside the receipt. */
export type FormNote =
  | FormEnd
  /** A button was pressed: whether the answer is still on its way follows from the record of the turn that gives it. */
  | { kind: 'pressed'; turnId: string; action: string; by: string | null; atMs: number };

const chosen = { action: z.string(), by: z.string().nullable(), atMs: z.number() };

const schema: z.ZodType<FormNote> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('chosen'), ...chosen }),
  z.object({ kind: z.literal('pressed'), turnId: z.string(), ...chosen }),
  z.object({ kind: z.literal('closed') }),
  z.object({ kind: z.literal('expired'), title: z.string() }),
]);

export const writeNote = (note: FormNote): string => JSON.stringify(note);

export const readNote = (text: string | null | undefined): FormNote | null => (text ? readJson(schema, text) : null);

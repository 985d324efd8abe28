import * as z from 'zod';
import type { AnswerFile } from '../answer/event.ts';
import { readAnswerFile } from './answer-file.ts';

// A field that cannot be read counts as null, so that its event is still read: without its end event an answer would count
// as cut off.

export const text = z.string().nullish().catch(null);

export const number = z.number().nullish().catch(null);

export const files = z.array(z.unknown()).nullish().catch(null);

export const answerFiles = (wire: z.output<typeof files>): AnswerFile[] =>
  (wire ?? []).flatMap((file) => readAnswerFile(file) ?? []);

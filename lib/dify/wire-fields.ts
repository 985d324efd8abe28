import * as z from 'zod';
import type { AnswerFile } from '../answer/event.ts';
import { readAnswerFile } from './answer-file.ts';

// A field that cannot be read must not take its event with it: the end of an answer least of all.

export const text = z.string().nullish().catch(null);

export const number = z.number().nullish().catch(null);

export const files = z.array(z.unknown()).nullish().catch(null);

export const answerFiles = (wire: z.output<typeof files>): AnswerFile[] =>
  (wire ?? []).flatMap((file) => readAnswerFile(file) ?? []);

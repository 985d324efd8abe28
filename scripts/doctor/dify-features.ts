import * as z from 'zod';
import { readParameters } from '../../lib/dify/app-facts.ts';
import type { Finder, Finding } from './finding.ts';

const sources = z.object({ retriever_resource: z.object({ enabled: z.boolean().nullish() }).nullish() });

/** What will work with this app, and what will not until it is switched on there. Nothing of it is wrong. */
export function readFeatures(json: unknown, say: Finder): Finding[] {
  const { files, inputs, speechToText, opening, suggestsQuestions } = readParameters(json);
  const takesFiles = files?.takesUploads === true || inputs.some(({ file }) => file !== null);
  const showsSources = sources.safeParse(json).data?.retriever_resource?.enabled ?? false;
  return [
    takesFiles ? say.ok('filesTaken', files?.classes ?? [], files?.most ?? 0) : say.note('filesNotTaken'),
    speechToText ? say.ok('speechTaken') : say.note('speechNotTaken'),
    opening === '' ? say.note('noOpening') : say.ok('opening'),
    showsSources ? say.ok('sourcesShown') : say.note('sourcesNotShown'),
    suggestsQuestions ? say.ok('suggestions') : say.note('noSuggestions'),
  ];
}

import type { Answer } from './answer.ts';
import { turnErrorCode, type BridgeError } from './errors.ts';
import type { Texts } from './texts/index.ts';

/** What stands below the text: how it ended, where that is not simply the end. */
export function endingNotes(answer: Answer, failure: BridgeError | null, reference: string, texts: Texts): string[] {
  if (failure) {
    const missing = failure.facts['inputs'];
    const sentence =
      failure.code === 'dify_input_missing' && typeof missing === 'string'
        ? texts.missingInputs(missing)
        : texts.failures[turnErrorCode(failure)];
    return [`⚠️ ${sentence}`, texts.reference(reference)];
  }
  switch (answer.ending?.kind) {
    case 'stopped':
      return [texts.stopped];
    case 'paused':
      return [texts.paused];
    case 'cut':
      return [texts.incomplete(reference)];
    case 'complete':
    case 'failed':
    case undefined:
      return [];
  }
}

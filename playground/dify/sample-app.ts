import { chineseTexts } from './sample-texts-zh.ts';
import { englishTexts } from './sample-texts-en.ts';
import { textsFor } from './samples.ts';
import type { AppMode, SampleApp } from './types.ts';

/** A model writes the suggested questions; one second is quick for that. */
const SUGGEST_DELAY_MS = 1_000;
const bothMethods = ['local_file', 'remote_url'];

/** An app that plays the samples, with everything switched on that an app can offer. */
export function sampleApp(mode: AppMode, name: string, language: 'zh' | 'en'): SampleApp {
  const texts = language === 'zh' ? chineseTexts : englishTexts;
  return {
    mode,
    name,
    description: texts.opening.statement,
    parameters: {
      opening_statement: texts.opening.statement,
      suggested_questions: texts.opening.questions,
      suggested_questions_after_answer: { enabled: true },
      speech_to_text: { enabled: true },
      file_upload: {
        enabled: true,
        allowed_file_types: ['image', 'document', 'audio', 'video'],
        allowed_file_extensions: [],
        allowed_file_upload_methods: bothMethods,
        number_limits: 5,
        image: { enabled: true, number_limits: 5, detail: 'high', transfer_methods: bothMethods },
      },
    },
    transcribe: () => texts.transcript,
    suggest: (question) => textsFor(question).suggestions,
    suggestDelayMs: SUGGEST_DELAY_MS,
  };
}

import { isRecord, isText, type Json } from '../http/shape.ts';
import type { SampleApp } from './types.ts';

/** `GET /info` (protocol 1.5). */
export function infoOf(app: SampleApp): Json {
  return {
    name: app.name,
    description: app.description ?? '',
    tags: [],
    mode: app.mode,
    author_name: 'Playground',
  };
}

/** `GET /parameters` (protocol 5.4). Workflow and completion apps ask for `query`, as the templates of Dify do. */
export function parametersOf(app: SampleApp): Json {
  const needsQuery = app.mode === 'workflow' || app.mode === 'completion';
  const query = { label: 'query', variable: 'query', required: true, max_length: 4000, default: '' };
  return {
    opening_statement: '',
    suggested_questions: [],
    suggested_questions_after_answer: { enabled: false },
    speech_to_text: { enabled: false },
    text_to_speech: { enabled: false, voice: '', language: '', autoPlay: 'disabled' },
    retriever_resource: { enabled: false },
    annotation_reply: { enabled: false },
    more_like_this: { enabled: false },
    sensitive_word_avoidance: { enabled: false },
    user_input_form: needsQuery ? [{ paragraph: query }] : [],
    file_upload: { enabled: false, image: { enabled: false, number_limits: 3, detail: 'high', transfer_methods: [] } },
    system_parameters: {
      image_file_size_limit: 10,
      video_file_size_limit: 100,
      audio_file_size_limit: 50,
      file_size_limit: 15,
      workflow_file_upload_limit: 10,
    },
    ...app.parameters,
  };
}

/** What is wrong with the inputs, in Dify's own words (protocol 5.2). */
export function inputMistake(app: SampleApp, inputs: Json): string | undefined {
  const form = parametersOf(app)['user_input_form'];
  for (const item of Array.isArray(form) ? form : []) {
    const [type, field] = Object.entries(isRecord(item) ? item : {})[0] ?? [];
    if (!isRecord(field) || !isText(field['variable'])) continue;
    const name = field['variable'];
    const value = inputs[name];
    const isGiven = value !== undefined && value !== null && value !== '';
    if (!isGiven && field['required'] === true && !isText(field['default'])) return `${name} is required in input form`;
    const mustBeText = type === 'text-input' || type === 'paragraph' || type === 'select';
    if (isGiven && mustBeText && typeof value !== 'string')
      return `(type '${type}') ${name} in input form must be a string`;
    const limit = field['max_length'];
    if (typeof value === 'string' && typeof limit === 'number' && value.length > limit)
      return `${name} in input form must be less than ${limit} characters`;
    const choices = field['options'];
    if (isGiven && type === 'select' && Array.isArray(choices) && !choices.includes(value))
      return `${name} in input form must be one of the following: ${choices.join(', ')}`;
  }
  return undefined;
}

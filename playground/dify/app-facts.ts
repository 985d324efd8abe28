import { isRecord, isText, type Json } from '../http/shape.ts';
import { recorded, refuse, type Refusal } from './refusal.ts';
import type { Behaviour, SampleApp } from './types.ts';

/** `GET /info` (protocol 1.5). */
export function infoOf(app: SampleApp, { infoHasMode }: Pick<Behaviour, 'infoHasMode'>): Json {
  return {
    name: app.name,
    description: app.description ?? '',
    tags: [],
    ...(infoHasMode ? { mode: app.mode } : {}),
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

const pythonList = (texts: readonly unknown[]) => `[${texts.map((text) => `'${String(text)}'`).join(', ')}]`;

/** What is wrong with one value that is there, in Dify's own words. */
function valueMistake(type: string, field: Json, value: unknown): string | undefined {
  const name = String(field['variable']);
  const isTextual = type === 'text-input' || type === 'paragraph' || type === 'select';
  if (isTextual && typeof value !== 'string') return `(type '${type}') ${name} in input form must be a string`;
  const limit = field['max_length'];
  if (isTextual && typeof value === 'string' && typeof limit === 'number' && value.length > limit)
    return `${name} in input form must be less than ${limit} characters`;
  const choices = field['options'];
  if (type === 'select' && Array.isArray(choices) && !choices.includes(value))
    return `${name} in input form must be one of the following: ${pythonList(choices)}`;
  if (type === 'number' && value !== '' && Number.isNaN(Number(value)))
    return `${name} in input form must be a valid number`;
  return undefined;
}

/** What is wrong with the inputs (protocol 5.2, and recorded). An empty text counts as a value, even where one is required. */
export function inputMistake(app: SampleApp, inputs: Json): Refusal | undefined {
  const form = parametersOf(app)['user_input_form'];
  for (const item of Array.isArray(form) ? form : []) {
    const [type = '', field] = Object.entries(isRecord(item) ? item : {})[0] ?? [];
    if (!isRecord(field) || !isText(field['variable'])) continue;
    const value = inputs[field['variable']];
    if (value === undefined || value === null) {
      if (field['required'] === true && !isText(field['default']))
        return refuse(400, 'invalid_param', `${field['variable']} is required in input form`);
      continue;
    }
    // A list where a number belongs is beyond what Dify checks.
    if (type === 'number' && typeof value === 'object') return recorded('internal-server-error');
    const mistake = valueMistake(type, field, value);
    if (mistake !== undefined) return refuse(400, 'invalid_param', mistake);
  }
  return undefined;
}

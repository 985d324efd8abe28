import { isRecord, isText, type Json } from '../http/shape.ts';
import type { Behaviour, FormAction, FormInput, FormSubmission, Pause, RunFile } from './types.ts';

/** In seconds: how long a form waits when its script does not say. */
const USUAL_FORM_LIFETIME_S = 259_200;

const usualActions: readonly FormAction[] = [
  { id: 'approve', title: 'Approve', button_style: 'primary' },
  { id: 'reject', title: 'Reject', button_style: 'default' },
];

/** The node that asks, and its form as the events carry it (protocol 2.4). */
export interface FormFacts {
  id: string;
  nodeId: string;
  title: string;
  content: string;
  token: string | null;
  /** The routes do not know its token. */
  byMailOnly: boolean;
  mailedTo: readonly string[];
  inputs: readonly FormInput[];
  actions: readonly FormAction[];
  defaults: Record<string, string>;
  expiresAt: number;
}

export function formFactsOf(pause: Pause, nodeId: string, now: number, createId: () => string): FormFacts {
  const { formToken } = pause;
  return {
    id: createId(),
    nodeId,
    title: pause.title ?? 'Approval',
    content: pause.formContent,
    // 22 characters, like a real one.
    token: formToken === undefined ? createId().replaceAll('-', '').slice(0, 22) : formToken,
    byMailOnly: pause.byMailOnly ?? false,
    mailedTo: pause.mailedTo ?? [],
    inputs: pause.inputs ?? [],
    actions: pause.actions ?? usualActions,
    defaults: pause.defaults ?? {},
    expiresAt: now + (pause.expiresInS ?? USUAL_FORM_LIFETIME_S) * 1000,
  };
}

const seconds = (ms: number) => Math.floor(ms / 1000);

function wireInput(input: FormInput, defaults: Record<string, string>): Json {
  const { type, name } = input;
  switch (type) {
    case 'paragraph':
      return { type, output_variable_name: name, default: wireDefault(input, defaults) };
    case 'select': {
      const source = input.variable
        ? { type: 'variable', selector: input.variable, value: [] }
        : { type: 'constant', selector: [], value: input.options };
      return { type, output_variable_name: name, option_source: source };
    }
    case 'file':
    case 'file-list':
      return {
        type,
        output_variable_name: name,
        allowed_file_types: input.allowedTypes ?? ['image', 'document', 'audio', 'video'],
        allowed_file_extensions: [],
        allowed_file_upload_methods: ['local_file', 'remote_url'],
        ...(type === 'file-list' ? { number_limits: input.limit ?? 5 } : {}),
      };
    default:
      return type satisfies never;
  }
}

/** Null where there is none (recorded). */
function wireDefault(
  { name, variable }: Extract<FormInput, { type: 'paragraph' }>,
  defaults: Record<string, string>,
): Json | null {
  if (variable) return { type: 'variable', selector: variable, value: '' };
  const value = defaults[name];
  return value === undefined ? null : { type: 'constant', selector: [], value };
}

/** The defaults that come from variables. */
const resolved = ({ inputs, defaults }: FormFacts): Record<string, string> =>
  Object.fromEntries(
    inputs.flatMap((input) =>
      input.type === 'paragraph' && input.variable ? [[input.name, defaults[input.name] ?? '']] : [],
    ),
  );

/** The `data` of `human_input_required`. Up to 1.15 constant defaults are with their inputs only (recorded). */
export function requiredData(form: FormFacts, { shape }: Pick<Behaviour, 'shape'>): Json {
  const isNew = shape === '1.16';
  const byMail = form.mailedTo.length > 0 ? { type: 'email', recipients: form.mailedTo } : 'email';
  const channels = form.token === null || form.byMailOnly ? [byMail] : ['web_app'];
  return {
    form_id: form.id,
    node_id: form.nodeId,
    node_title: form.title,
    form_content: form.content,
    inputs: form.inputs.map((input) => wireInput(input, form.defaults)),
    actions: form.actions,
    display_in_ui: !form.byMailOnly,
    form_token: form.token,
    ...(isNew ? { approval_channels: channels } : {}),
    resolved_default_values: isNew ? form.defaults : resolved(form),
    expiration_time: seconds(form.expiresAt),
  };
}

/** The body of GET /form/human_input/:token. */
export function formBody(form: FormFacts, behaviour: Pick<Behaviour, 'shape'>): Json {
  const { form_content, inputs, resolved_default_values, actions, expiration_time } = requiredData(form, behaviour);
  return { form_content, inputs, resolved_default_values, user_actions: actions, expiration_time };
}

/** The `data` of `human_input_form_filled`. */
export function filledData(
  form: FormFacts,
  { action, inputs }: FormSubmission,
  { shape }: Pick<Behaviour, 'shape'>,
): Json {
  const text = (name: string) => (typeof inputs[name] === 'string' ? inputs[name] : JSON.stringify(inputs[name] ?? ''));
  return {
    node_id: form.nodeId,
    node_title: form.title,
    rendered_content: form.content.replace(/\{\{#\$output\.([^#}]+)#\}\}/gu, (_mark, name: string) => text(name)),
    action_id: action,
    action_text: form.actions.find(({ id }) => id === action)?.title ?? '',
    ...(shape === '1.16' ? { submitted_data: inputs } : {}),
  };
}

export function timeoutData(form: FormFacts): Json {
  return { node_id: form.nodeId, node_title: form.title, expiration_time: seconds(form.expiresAt) };
}

interface Sender {
  key: string;
  user: string;
}

/** Reads the value of a file field, as in the inputs of a question. */
type ReadFileField = (
  type: 'file' | 'file-list',
  field: Json,
  value: unknown,
  sender: Sender,
) => readonly RunFile[] | { mistake: string };

/** What is wrong with a submission; only what the form asks for counts, and all of it. */
export function submissionMistake(
  form: FormFacts,
  { action, inputs }: FormSubmission,
  sender: Sender,
  readField: ReadFileField,
  { formValues }: Pick<Behaviour, 'formValues'>,
): string | undefined {
  if (!form.actions.some(({ id }) => id === action)) return `Invalid action: ${action}`;
  const missing = form.inputs.filter(({ name }) => inputs[name] === undefined || inputs[name] === null);
  if (missing.length > 0) return `Missing required inputs: ${missing.map(({ name }) => name).join(', ')}`;
  // 1.14.2 takes an option that is not on the list; `main` does not (recorded).
  for (const input of formValues ? form.inputs : []) {
    const value = inputs[input.name];
    if (input.type === 'file' || input.type === 'file-list') {
      const field = { variable: input.name, allowed_file_types: input.allowedTypes };
      const limit = input.type === 'file-list' ? { max_length: input.limit ?? 5 } : {};
      const files = readField(input.type, { ...field, ...limit }, value, sender);
      if ('mistake' in files) return files.mistake;
    } else if (typeof value !== 'string') {
      return `Invalid value for input '${input.name}': expected a text`;
    } else if (input.type === 'select' && !input.variable && !input.options.includes(value)) {
      return `Invalid value for select input '${input.name}': not one of its options`;
    }
  }
  return undefined;
}

/** A POST body as a submission; undefined when it has not the shape of one. */
export function readSubmission(body: Json): FormSubmission | undefined {
  const { action, inputs } = body;
  return isText(action) && isRecord(inputs) ? { action, inputs } : undefined;
}

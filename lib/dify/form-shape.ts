import * as z from 'zod';
import type { FormField, FormFieldType, PendingForm } from '../answer/event.ts';

const text = z.string().nullish();

const fieldShape = z.object({
  type: text,
  output_variable_name: z.string(),
  label: text,
  required: z.boolean().nullish().catch(null),
  default: z.object({ type: text, value: z.unknown().optional() }).nullish().catch(null),
  option_source: z
    .object({ value: z.array(z.unknown()).nullish().catch(null) })
    .nullish()
    .catch(null),
});

const actionShape = z.object({ id: z.string(), title: text });

const detailsShape = z.object({
  form_content: text,
  inputs: z.array(z.unknown()).nullish(),
  resolved_default_values: z.record(z.string(), z.unknown()).nullish().catch(null),
  /** In seconds since the epoch. */
  expiration_time: z.number().nullish().catch(null),
});

/** `GET /form/human_input/:token` calls the actions `user_actions`, the events `actions`. */
const bodyShape = detailsShape.extend({ user_actions: z.array(z.unknown()) });

const eventShape = detailsShape.extend({ actions: z.array(z.unknown()).nullish(), node_title: text, form_token: text });

const TYPES: Readonly<Record<string, FormFieldType>> = {
  paragraph: 'text',
  'text-input': 'text',
  text: 'text',
  select: 'select',
  file: 'file',
  'file-list': 'file-list',
};

/** The form that was asked for by its token; null for JSON that is no form. Dify names neither its run nor its node here. */
export function readFormBody(json: unknown, token: string): PendingForm | null {
  const body = bodyShape.safeParse(json).data;
  return body ? { ...detailsOf(body, body.user_actions), token, runId: null, nodeTitle: '' } : null;
}

/** The form of `human_input_required`, or of a reason of `workflow_paused`; null for JSON that is no form. */
export function readFormEvent(json: unknown, runId: string | null): PendingForm | null {
  const data = eventShape.safeParse(json).data;
  if (!data) return null;
  const details = detailsOf(data, data.actions ?? []);
  return { ...details, token: data.form_token || null, runId, nodeTitle: data.node_title ?? '' };
}

const reasonShape = z.object({ TYPE: text, type: text });

/** The first form among the reasons of a pause that can be answered in the chat, or else the first form. */
export function readPauseReasons(reasons: readonly unknown[], runId: string | null): PendingForm | null {
  const forms = reasons.flatMap((reason) => {
    const kind = reasonShape.safeParse(reason).data;
    // Versions differ in the name of the field (`docs/wire-dify.md`).
    if ((kind?.TYPE ?? kind?.type) !== 'human_input_required') return [];
    return readFormEvent(reason, runId) ?? [];
  });
  return forms.find(({ token }) => token !== null) ?? forms[0] ?? null;
}

function detailsOf(
  wire: z.output<typeof detailsShape>,
  actions: readonly unknown[],
): Pick<PendingForm, 'content' | 'fields' | 'actions' | 'expiresAtMs'> {
  const defaults = wire.resolved_default_values ?? {};
  return {
    content: wire.form_content ?? '',
    fields: (wire.inputs ?? []).flatMap((input) => {
      const field = fieldShape.safeParse(input).data;
      return field ? fieldOf(field, defaults) : [];
    }),
    actions: actions.flatMap((action) => {
      const parsed = actionShape.safeParse(action).data;
      return parsed ? { id: parsed.id, title: parsed.title || parsed.id } : [];
    }),
    expiresAtMs: wire.expiration_time ? wire.expiration_time * 1000 : null,
  };
}

function fieldOf(wire: z.output<typeof fieldShape>, defaults: Readonly<Record<string, unknown>>): FormField {
  const name = wire.output_variable_name;
  const type = (Object.hasOwn(TYPES, wire.type ?? '') ? TYPES[wire.type ?? ''] : undefined) ?? 'unknown';
  const constant = wire.default?.type === 'constant' ? wire.default.value : undefined;
  const preset = Object.hasOwn(defaults, name) ? defaults[name] : constant;
  return {
    name,
    label: wire.label || name,
    type,
    required: wire.required ?? type !== 'text',
    options: (wire.option_source?.value ?? []).filter((option) => typeof option === 'string'),
    default: typeof preset === 'string' ? preset : '',
  };
}

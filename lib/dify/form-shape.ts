import * as z from 'zod';
import type { FormField, FormFieldType, PendingForm } from '../answer/event.ts';
import { readRules } from './file-rules.ts';
import { list, text } from './wire-fields.ts';

const fieldShape = z.object({
  type: text,
  output_variable_name: z.string(),
  label: text,
  required: z.boolean().nullish().catch(null),
  default: z.object({ type: text, value: z.unknown().optional() }).nullish().catch(null),
  option_source: z.object({ type: text, value: list }).nullish().catch(null),
});

const actionShape = z.object({ id: z.string(), title: text });

const detailsShape = z.object({
  form_content: text,
  inputs: list,
  resolved_default_values: z.record(z.string(), z.unknown()).nullish().catch(null),
  /** In seconds since the epoch, up to the year 9999: a number beyond has no date. */
  expiration_time: z.number().positive().max(253_402_300_799).nullish().catch(null),
});

/** `GET /form/human_input/:token` calls the actions `user_actions`, the events `actions`. */
const bodyShape = detailsShape.extend({ user_actions: z.array(z.unknown()) });

const eventShape = detailsShape.extend({
  actions: list,
  node_title: text,
  form_token: text,
  /** False for a form that was sent by e-mail only. The reasons of a pause do not have it before 1.16. */
  display_in_ui: z.boolean().nullish().catch(null),
  approval_channels: z.unknown().optional(),
});

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
  const { actions, display_in_ui: isShown, form_token: token, node_title: nodeTitle } = data;
  const mailedTo = addressesIn(data.approval_channels);
  return {
    ...detailsOf(data, actions ?? []),
    // A form that was sent by e-mail only has a token as well, but its routes do not know it (`docs/wire-dify.md`).
    token: isShown === false ? null : token || null,
    runId,
    nodeTitle: nodeTitle ?? '',
    ...(isShown === null || isShown === undefined ? { isUnsure: true } : {}),
    ...(mailedTo.length > 0 ? { mailedTo } : {}),
  };
}

const MAX_ADDRESSES = 5;

const ADDRESS = /^[\w.+%'-]{1,64}@[\w.-]{1,190}$/;

/** The e-mail addresses among the channels of a form. Dify does not document the shape of a channel, so any depth counts. */
function addressesIn(channels: unknown): string[] {
  const found: string[] = [];
  const look = (value: unknown, depth: number): void => {
    if (typeof value === 'string' && ADDRESS.test(value)) found.push(value);
    else if (typeof value === 'object' && value !== null && depth < 4)
      for (const part of Object.values(value)) look(part, depth + 1);
  };
  look(channels, 0);
  return [...new Set(found)].slice(0, MAX_ADDRESSES);
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
      return field ? fieldOf(field, defaults, input) : [];
    }),
    actions: actions.flatMap((action) => {
      const parsed = actionShape.safeParse(action).data;
      return parsed ? { id: parsed.id, title: parsed.title || parsed.id } : [];
    }),
    expiresAtMs: wire.expiration_time ? wire.expiration_time * 1000 : null,
  };
}

function fieldOf(
  wire: z.output<typeof fieldShape>,
  defaults: Readonly<Record<string, unknown>>,
  json: unknown,
): FormField {
  const name = wire.output_variable_name;
  const type = (Object.hasOwn(TYPES, wire.type ?? '') ? TYPES[wire.type ?? ''] : undefined) ?? 'unknown';
  const constant = wire.default?.type === 'constant' ? wire.default.value : undefined;
  const preset = Object.hasOwn(defaults, name) ? defaults[name] : constant;
  const options = (wire.option_source?.value ?? []).filter((option) => typeof option === 'string');
  const isUnresolved = type === 'select' && options.length === 0 && wire.option_source?.type === 'variable';
  return {
    name,
    label: wire.label || name,
    type,
    required: wire.required ?? type !== 'text',
    options,
    default: typeof preset === 'string' ? preset : '',
    ...(isUnresolved ? { isUnresolved } : {}),
    ...(type === 'file' || type === 'file-list' ? { files: readRules(json, type, 'number_limits') } : {}),
  };
}

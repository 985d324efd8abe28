import * as z from 'zod';
import type { Activity, AnswerEvent, RunIds, TextSource } from '../answer/event.ts';
import { parseJson } from '../runtime/json.ts';
import { logActivity, logShape, nodeActivity, nodeShape, toolActivity, toolShape } from './activity.ts';
import { answerFileOf, answerFileShape, readAnswerFiles } from './answer-file.ts';
import { readFormEvent, readPauseReasons } from './form-shape.ts';
import { readErrorReason, runEnd } from './failures.ts';
import { messageEndShape, readMessageEnd } from './message-end.ts';
import { list, number, text } from './wire-fields.ts';

type EventBody = AnswerEvent extends infer E ? (E extends AnswerEvent ? Omit<E, 'ids'> : never) : never;

const activityEvent = (activity: Activity | null): EventBody =>
  activity ? { kind: 'activity', activity } : { kind: 'none' };

/** Reads an event by its schema. Schemas name only the fields that are used, and allow null in each. */
function reader<T extends z.ZodType>(schema: T, read: (event: z.output<T>) => EventBody): (json: unknown) => EventBody {
  return (json) => {
    const parsed = schema.safeParse(json);
    return parsed.success ? read(parsed.data) : { kind: 'none' };
  };
}

const onlyIds = (): EventBody => ({ kind: 'none' });

/** `from_variable_selector`: the node that a text comes from, and its variable. Easy apps have none. */
const selector = z.array(z.unknown()).nullish().catch(null);

const nodeOf = (from: z.output<typeof selector>) => (typeof from?.[0] === 'string' ? { node: from[0] } : {});

const textEvent = (source: TextSource) =>
  reader(z.object({ answer: text, from_variable_selector: selector }), ({ answer, from_variable_selector: from }) => ({
    kind: 'text',
    source,
    text: answer ?? '',
    ...nodeOf(from),
  }));

const endedNodeShape = z.object({ data: z.object({ node_id: z.string(), status: text }) });

/** `exception`: the node failed, and the run goes on with its default value or its branch for failures. */
const nodeFinished = reader(endedNodeShape, ({ data }) => ({
  kind: 'try-ended',
  node: data.node_id,
  failed: data.status === 'exception',
}));

const nodeRetry = reader(endedNodeShape, ({ data }) => ({ kind: 'try-ended', node: data.node_id, failed: true }));

const runShape = z.object({
  status: text,
  error: text,
  outputs: z.record(z.string(), z.unknown()).nullish().catch(null),
  exceptions_count: number,
  files: list,
});

const pausedShape = z.object({
  workflow_run_id: text,
  data: z.object({ reasons: z.array(z.unknown()).nullish() }).nullish(),
});

/**
 * Every event name of the interface (`StreamEvent` in Dify's source, up to 1.16). Other names are ignored: new versions
 * add some.
 */
const readers: Readonly<Record<string, (json: unknown) => EventBody>> = {
  message: textEvent('message'),
  agent_message: textEvent('agent'),
  message_replace: reader(z.object({ answer: text }), ({ answer }) => ({
    kind: 'replace',
    source: 'current',
    text: answer ?? '',
  })),
  text_chunk: reader(z.object({ data: z.object({ text, from_variable_selector: selector }) }), ({ data }) => ({
    kind: 'text',
    source: 'chunk',
    text: data.text ?? '',
    ...nodeOf(data.from_variable_selector),
  })),
  text_replace: reader(z.object({ data: z.object({ text }) }), ({ data }) => ({
    kind: 'replace',
    source: 'chunk',
    text: data.text ?? '',
  })),
  reasoning_chunk: reader(z.object({ data: z.object({ reasoning: text }) }), ({ data }) => ({
    kind: 'reasoning',
    text: data.reasoning ?? '',
  })),
  // Since 1.7.2 a text delta can be labelled `message_file` when a file exists before the first token.
  message_file: reader(answerFileShape.extend({ answer: text, belongs_to: text }), (event) => {
    if (typeof event.answer === 'string') return { kind: 'text', source: 'message', text: event.answer };
    // `user` is the echo of what the asker uploaded.
    const file = event.belongs_to === 'user' ? null : answerFileOf(event);
    return file ? { kind: 'file', file } : { kind: 'none' };
  }),
  // `thought` repeats the step's text, where the agent sent it. `tool_input` and `observation` may hold secrets.
  agent_thought: reader(toolShape.extend({ id: z.string(), thought: text }), (event) => ({
    kind: 'step',
    stepId: event.id,
    activity: toolActivity(event),
    ...(event.thought ? { thought: event.thought } : {}),
  })),
  message_end: reader(messageEndShape, (event) => ({ kind: 'message-ended', ...readMessageEnd(event) })),
  workflow_started: () => ({ kind: 'run-started' }),
  workflow_finished: reader(z.object({ data: runShape.nullish().catch(null) }), ({ data }) => ({
    kind: 'run-finished',
    ...runEnd(data?.status ?? null, data?.error ?? ''),
    outputs: data?.outputs ?? {},
    retried: (data?.exceptions_count ?? 0) > 0,
    files: readAnswerFiles(data?.files),
  })),
  // `human_input_required` came before, except in a stream that was joined in between: it has the form only here.
  workflow_paused: (json) => {
    const { workflow_run_id: runId, data } = pausedShape.safeParse(json).data ?? {};
    return { kind: 'run-paused', form: readPauseReasons(data?.reasons ?? [], runId ?? null) };
  },
  human_input_required: reader(z.object({ workflow_run_id: text, data: z.unknown().optional() }), (event) => {
    const form = readFormEvent(event.data, event.workflow_run_id ?? null);
    return form ? { kind: 'form', form } : { kind: 'none' };
  }),
  human_input_form_filled: () => ({ kind: 'form-closed', how: 'filled' }),
  human_input_form_timeout: () => ({ kind: 'form-closed', how: 'expired' }),
  error: reader(z.object({ code: text, status: number, message: text }), ({ code, status, message }) => ({
    kind: 'failed',
    upstreamCode: code ?? null,
    status: status ?? null,
    reason: readErrorReason(code ?? null, message ?? ''),
  })),
  // A reader is told when something begins. What it results in arrives as text or outputs.
  node_started: reader(z.object({ data: nodeShape }), ({ data }) => activityEvent(nodeActivity(data))),
  iteration_started: reader(z.object({ data: nodeShape }), ({ data }) => activityEvent(nodeActivity(data))),
  loop_started: reader(z.object({ data: nodeShape }), ({ data }) => activityEvent(nodeActivity(data))),
  agent_log: reader(z.object({ data: logShape }), ({ data }) => activityEvent(logActivity(data))),
  node_finished: nodeFinished,
  node_retry: nodeRetry,
  iteration_next: onlyIds,
  iteration_completed: onlyIds,
  loop_next: onlyIds,
  loop_completed: onlyIds,
  parallel_branch_started: onlyIds,
  parallel_branch_finished: onlyIds,
  // Speech is not shown in a chat.
  tts_message: onlyIds,
  tts_message_end: onlyIds,
};

const envelope = z.looseObject({
  event: z.string(),
  conversation_id: text,
  message_id: text,
  task_id: text,
  workflow_run_id: text,
});

/** Reads the data of one server-sent event; null for data that is no event of Dify, or an unknown one. */
export function readEvent(data: string): AnswerEvent | null {
  const json = parseJson(data);
  const parsed = envelope.safeParse(json);
  if (!parsed.success || !Object.hasOwn(readers, parsed.data.event)) return null;
  const body = readers[parsed.data.event]?.(json);
  if (!body) return null;
  const { conversation_id, message_id, task_id, workflow_run_id } = parsed.data;
  const ids: RunIds = {
    ...(conversation_id ? { conversationId: conversation_id } : {}),
    ...(message_id ? { messageId: message_id } : {}),
    ...(task_id ? { taskId: task_id } : {}),
    ...(workflow_run_id ? { runId: workflow_run_id } : {}),
  };
  return { ...body, ids };
}

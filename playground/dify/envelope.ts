import { isRecord, type Json } from '../http/shape.ts';
import type { Behaviour, DifyRun } from './types.ts';

const seconds = (ms: number) => Math.floor(ms / 1000);

/** Workflow-based apps: their runs live in a worker since 1.13. The others are "easy UI" apps. */
export function isWorkflowBased({ mode }: Pick<DifyRun, 'mode'>): boolean {
  return mode === 'workflow' || mode === 'advanced-chat';
}

/** protocol 2.3: the top-level keys each family puts on an event, in the order of the recorded streams. */
export function messageEvent(run: DifyRun, event: string, fields: Json): Json {
  const at = { created_at: seconds(run.startedAt), task_id: run.taskId };
  if (run.mode === 'workflow') return { event, workflow_run_id: run.workflowRunId, task_id: run.taskId, ...fields };
  if (run.mode === 'completion') return { event, message_id: run.messageId, ...at, ...fields };
  return { event, conversation_id: run.conversationId, message_id: run.messageId, ...at, ...fields };
}

/** An event of the workflow engine: `workflow_run_id` and everything else inside `data`. */
export function workflowEvent(run: DifyRun, event: string, data: Json): Json {
  if (run.mode === 'workflow') return messageEvent(run, event, { data });
  return messageEvent(run, event, { workflow_run_id: run.workflowRunId, data });
}

/** protocol 2.3: an `error` has no task id; one of a worker that failed early has no ids at all. */
export function errorEvent(run: DifyRun, code: string | undefined, status: number, message: string): Json {
  if (code === undefined) return { event: 'error', message, status };
  if (run.mode === 'workflow') return { event: 'error', workflow_run_id: run.workflowRunId, code, status, message };
  const { task_id: _taskId, ...named } = messageEvent(run, 'error', {});
  return { ...named, code, status, message };
}

const noTokens = (price: string): Json => ({
  prompt_tokens: 0,
  prompt_unit_price: price,
  prompt_price_unit: price,
  prompt_price: price,
  completion_tokens: 0,
  completion_unit_price: price,
  completion_price_unit: price,
  completion_price: price,
  total_tokens: 0,
  total_price: price,
  currency: 'USD',
});

/** Prices are strings (protocol 2.4). Only workflow-based apps time their tokens. */
export function usageOf(run: Pick<DifyRun, 'answer' | 'mode' | 'status'>): Json {
  const times = isWorkflowBased(run)
    ? { time_to_first_token: 0.069, time_to_generate: 0.271 }
    : { time_to_first_token: null, time_to_generate: null };
  if (run.answer === '') return { ...noTokens('0.0'), latency: 0, ...times };
  const tokens = Math.max(1, Math.ceil(run.answer.length / 2));
  return {
    prompt_tokens: 38,
    prompt_unit_price: '0.15',
    prompt_price_unit: '0.000001',
    prompt_price: '0.0000057',
    completion_tokens: tokens,
    completion_unit_price: '0.60',
    completion_price_unit: '0.000001',
    completion_price: (tokens * 0.000_000_6).toFixed(7),
    total_tokens: 38 + tokens,
    total_price: (0.000_005_7 + tokens * 0.000_000_6).toFixed(7),
    currency: 'USD',
    latency: 1.382,
    ...times,
  };
}

/** After a stop no token is counted, and a price of nothing is written so. */
const stoppedUsage: Json = {
  ...noTokens('0'),
  prompt_price: '0E-7',
  completion_price: '0E-7',
  total_price: '0E-7',
  latency: 4.158,
  time_to_first_token: null,
  time_to_generate: null,
};

/** The variables of the system, as the start of a run and its record list them. */
export function systemInputs(run: DifyRun): Json {
  return {
    ...run.inputs,
    ...(run.mode === 'workflow' ? {} : { 'sys.query': run.query }),
    'sys.files': run.files.filter(({ variable }) => variable === null),
    'sys.user_id': run.user,
    ...(run.mode === 'workflow' ? {} : { 'sys.dialogue_count': run.turn }),
    'sys.app_id': 'app-1',
    'sys.workflow_id': 'workflow-1',
    'sys.workflow_run_id': run.workflowRunId,
  };
}

export function workflowStarted(run: DifyRun, reason: 'initial' | 'resumption'): Json {
  return workflowEvent(run, 'workflow_started', {
    id: run.workflowRunId,
    workflow_id: 'workflow-1',
    inputs: systemInputs(run),
    created_at: seconds(run.startedAt),
    reason,
  });
}

export interface NodeFacts {
  id: string;
  type: string;
  title: string;
  index: number;
  /** The node before it, where the version tells. */
  after?: string;
}

export function nodeStarted(run: DifyRun, node: NodeFacts, now: number): Json {
  return workflowEvent(run, 'node_started', {
    id: `${String(run.workflowRunId)}-${node.id}`,
    node_id: node.id,
    node_type: node.type,
    title: node.title,
    index: node.index,
    predecessor_node_id: node.after ?? null,
    inputs: null,
    inputs_truncated: false,
    created_at: seconds(now),
    extras: {},
    iteration_id: null,
    loop_id: null,
    agent_strategy: null,
  });
}

/** How a node ended. */
export interface NodeOutcome {
  inputs?: Json;
  outputs?: Json;
  error?: string;
  /** Default: by whether there is an error. */
  status?: string;
  metadata?: Json;
}

const nodeResult = (run: DifyRun, node: NodeFacts, now: number, outcome: NodeOutcome): Json => {
  const { inputs = {}, outputs = {}, error = null, metadata = null } = outcome;
  return {
    id: `${String(run.workflowRunId)}-${node.id}`,
    node_id: node.id,
    node_type: node.type,
    title: node.title,
    index: node.index,
    predecessor_node_id: node.after ?? null,
    inputs,
    inputs_truncated: false,
    process_data: {},
    process_data_truncated: false,
    outputs,
    outputs_truncated: false,
    status: outcome.status ?? (error === null ? 'succeeded' : 'failed'),
    error,
    elapsed_time: (now - run.startedAt) / 1000,
    execution_metadata: metadata,
    created_at: seconds(run.startedAt),
    finished_at: seconds(now),
    files: [],
    iteration_id: null,
    loop_id: null,
  };
};

export function nodeFinished(run: DifyRun, node: NodeFacts, now: number, outcome: NodeOutcome = {}): Json {
  return workflowEvent(run, 'node_finished', nodeResult(run, node, now, outcome));
}

/** `count`: the first retry is 1. */
export function nodeRetry(run: DifyRun, node: NodeFacts, now: number, error: string, count: number): Json {
  const result = nodeResult(run, node, now, { error, status: 'retry' });
  return workflowEvent(run, 'node_retry', { ...result, retry_index: count });
}

/** The file objects in a value, at any depth (protocol 6.2). */
function fileObjectsIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap((entry) => fileObjectsIn(entry));
  if (!isRecord(value)) return [];
  return value['dify_model_identity'] === '__dify__file__' ? [value] : fileObjectsIn(Object.values(value));
}

/** `tries`: how often a node failed without failing the run. */
export function workflowFinished(run: DifyRun, now: number, status: string, tries = 0): Json {
  return workflowEvent(run, 'workflow_finished', {
    id: run.workflowRunId,
    workflow_id: 'workflow-1',
    status,
    outputs: run.outputs,
    error: run.error,
    elapsed_time: (now - run.startedAt) / 1000,
    total_tokens: 59,
    total_steps: 3,
    created_by: { id: 'end-user-1', user: run.user },
    created_at: seconds(run.startedAt),
    finished_at: seconds(now),
    exceptions_count: tries,
    files: fileObjectsIn(run.outputs),
  });
}

/** `files`: null where an easy app has none to list. */
export function messageEnd(
  run: DifyRun,
  files: readonly Json[] | null,
  { shape, isStopped = false }: Pick<Behaviour, 'shape'> & { isStopped?: boolean },
): Json {
  const metadata = {
    annotation_reply: null,
    retriever_resources: [],
    usage: isStopped ? stoppedUsage : usageOf(run),
    ...(shape === '1.16' ? { reasoning: {} } : {}),
  };
  return messageEvent(run, 'message_end', { id: run.messageId, metadata, files });
}

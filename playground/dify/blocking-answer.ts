import type { Json } from '../http/shape.ts';
import { usageOf } from './envelope.ts';
import { answerJson, refuse, type Refusal } from './refusal.ts';
import type { DifyRun } from './types.ts';

const seconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000));

const pick = (from: Json, ...keys: string[]): Json => Object.fromEntries(keys.map((key) => [key, from[key]]));

/** The blocking form of a finished or paused run (protocol 1.1, 1.2, 1.3). */
export function blockingAnswer(run: DifyRun, pauseData: Json): Refusal {
  if (run.mode === 'workflow') {
    const data = {
      id: run.workflowRunId,
      workflow_id: 'workflow-1',
      status: run.status,
      outputs: run.outputs,
      error: run.error,
      elapsed_time: ((run.finishedAt ?? run.startedAt) - run.startedAt) / 1000,
      total_tokens: 59,
      total_steps: 3,
      created_at: seconds(run.startedAt),
      finished_at: seconds(run.finishedAt),
      ...(run.status === 'paused' ? pick(pauseData, 'paused_nodes', 'reasons') : {}),
    };
    return answerJson({ task_id: run.taskId, workflow_run_id: run.workflowRunId, data });
  }
  if (run.status === 'failed')
    return run.mode === 'advanced-chat'
      ? refuse(400, 'invalid_param', `Run failed: ${run.error}`)
      : refuse(400, 'completion_request_error', run.error ?? '');
  const ids = { task_id: run.taskId, id: run.messageId, message_id: run.messageId };
  const conversation = run.conversationId === null ? {} : { conversation_id: run.conversationId };
  const isPaused = run.status === 'paused';
  const pause = isPaused ? { workflow_run_id: run.workflowRunId, data: pauseData } : {};
  return answerJson({
    event: isPaused ? 'workflow_paused' : 'message',
    ...ids,
    ...conversation,
    mode: run.mode,
    answer: run.answer,
    metadata: { annotation_reply: null, retriever_resources: [], usage: isPaused ? null : usageOf(run) },
    created_at: seconds(run.startedAt),
    ...pause,
  });
}

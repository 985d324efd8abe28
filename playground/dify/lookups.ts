import type { Json } from '../http/shape.ts';
import { isWorkflowBased, usageOf } from './envelope.ts';
import type { Memory } from './memory.ts';
import { answerJson, recorded, refuse, type Refusal } from './refusal.ts';
import type { DifyRun, SampleApp } from './types.ts';

const seconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000));

/** What belongs to the message: the files of the question, then those of the answer. */
const messageFiles = ({ files, made }: DifyRun): Json[] => [
  ...files.map(({ id, name, type, url, mimeType, size }) => ({
    id,
    filename: name,
    type,
    url,
    mime_type: mimeType,
    size,
    transfer_method: id === null ? 'remote_url' : 'local_file',
    belongs_to: 'user',
    upload_file_id: id,
  })),
  ...made
    .filter((file) => file.as === 'message_file')
    .map(({ id, name, type, url, mimeType, size, belongsTo }) => ({
      id,
      filename: name,
      type,
      url,
      mime_type: mimeType,
      size,
      transfer_method: 'tool_file',
      belongs_to: belongsTo,
      upload_file_id: null,
    })),
];

const messageRow = (run: DifyRun): Json => ({
  id: run.messageId,
  conversation_id: run.conversationId,
  parent_message_id: '00000000-0000-0000-0000-000000000000',
  inputs: run.inputs,
  query: run.query,
  // protocol 3.8: what was not saved stays an empty answer with status normal.
  answer: run.saved ? run.answer : '',
  message_files: messageFiles(run),
  feedback: run.rating === null ? null : { rating: run.rating },
  retriever_resources: [],
  created_at: seconds(run.startedAt),
  agent_thoughts: [],
  status: run.status === 'paused' ? 'paused' : run.saved && run.status === 'failed' ? 'error' : 'normal',
  error: run.saved && run.status === 'failed' ? run.error : null,
  extra_contents: [],
});

/** Reading what is there: messages, run detail, stop. */
export function createLookups(memory: Memory) {
  const { behaviour, conversations, runs } = memory;

  /** GET /messages: the newest `limit`, ascending inside the page (protocol 1.1). */
  const messages = (app: SampleApp, key: string, query: URLSearchParams): Refusal => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const id = query.get('conversation_id');
    if (id === null) return refuse(400, 'invalid_param', '1 validation error for MessageListQuery\nconversation_id');
    const conversation = conversations.get(id);
    if (!conversation || conversation.key !== key || conversation.user !== query.get('user'))
      return recorded('conversation-not-exists');
    const limit = Number(query.get('limit') ?? 20);
    const rows = runs.filter((run) => run.key === key && run.conversationId === id);
    return answerJson({ limit, has_more: rows.length > limit, data: rows.slice(-limit).map((run) => messageRow(run)) });
  };

  /** GET /conversations: this user's, the one that changed last first (protocol 1.1). */
  const conversationList = (app: SampleApp, key: string, query: URLSearchParams): Refusal => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const limit = Number(query.get('limit') ?? 20);
    const rows = [...conversations.values()]
      .filter((conversation) => conversation.key === key && conversation.user === query.get('user'))
      .map(({ id }) => {
        const own = runs.filter((run) => run.conversationId === id);
        const times = own.map((run) => run.finishedAt ?? run.startedAt);
        return { id, createdAt: own[0]?.startedAt ?? 0, updatedAt: Math.max(0, ...times) };
      })
      .toSorted((a, b) => b.updatedAt - a.updatedAt)
      .map(({ id, createdAt, updatedAt }) => ({
        id,
        name: 'New conversation',
        inputs: {},
        status: 'normal',
        introduction: '',
        created_at: seconds(createdAt),
        updated_at: seconds(updatedAt),
      }));
    return answerJson({ limit, has_more: rows.length > limit, data: rows.slice(0, limit) });
  };

  /** GET /workflows/run/:id: not scoped to a user (protocol 1.2). */
  const runDetail = (app: SampleApp, key: string, id: string): Refusal => {
    if (!isWorkflowBased(app)) return recorded('not-workflow-app');
    const run = runs.find((candidate) => candidate.key === key && candidate.workflowRunId === id);
    if (!run) return recorded('run-not-found');
    const isOver = run.status !== 'running' && run.status !== 'paused';
    const outputs = isOver ? run.outputs : {};
    return answerJson({
      id,
      workflow_id: 'workflow-1',
      status: run.status,
      inputs: JSON.stringify(run.inputs),
      // protocol 1.2: an object since 1.13, a raw JSON text before.
      outputs: behaviour.style === 'spaced' ? JSON.stringify(outputs) : outputs,
      error: run.error,
      total_steps: 3,
      total_tokens: 59,
      created_at: seconds(run.startedAt),
      finished_at: isOver ? seconds(run.finishedAt) : null,
      elapsed_time: isOver && run.finishedAt !== null ? (run.finishedAt - run.startedAt) / 1000 : 0,
    });
  };

  /** Always a success; a wrong user or task changes nothing (protocol 1.1). Workflow apps do not check the user. */
  const stop = (app: SampleApp, key: string, taskId: string, body: Json): Refusal => {
    if (typeof body['user'] !== 'string') return recorded('missing-user');
    const player = [...memory.players.values()].find(
      ({ run }) => run.key === key && run.taskId === taskId && run.status === 'running',
    );
    if (player && (app.mode === 'workflow' || player.run.user === body['user'])) player.stop();
    return answerJson({ result: 'success' });
  };

  return { messages, conversationList, runDetail, stop };
}

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
    metadata: { usage: usageOf(run.answer), retriever_resources: [] },
    created_at: seconds(run.startedAt),
    ...pause,
  });
}

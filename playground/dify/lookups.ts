import type { Json } from '../http/shape.ts';
import { isText } from '../http/shape.ts';
import { isWorkflowBased, systemInputs } from './envelope.ts';
import type { Memory } from './memory.ts';
import {
  answerJson,
  invalidField,
  invalidText,
  isUuid,
  recorded,
  refuse,
  unknownConversation,
  unknownError,
  type Refusal,
} from './refusal.ts';
import type { AgentThought, DifyRun, SampleApp } from './types.ts';

const seconds = (ms: number | null) => (ms === null ? null : Math.floor(ms / 1000));

/** Up to 0.15 a run's record has dates (seen on 0.15.3). */
const dateOf = (ms: number | null) => (ms === null ? null : new Date(ms).toUTCString().replace('GMT', '-0000'));

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

const thoughtRow = (run: DifyRun, { labels, input, files, ...step }: AgentThought): Json => ({
  ...step,
  chain_id: null,
  message_id: run.messageId,
  tool_labels: labels,
  tool_input: input,
  created_at: seconds(run.startedAt),
  files,
});

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
  agent_thoughts: run.thoughts.map((step) => thoughtRow(run, step)),
  status: run.status === 'paused' ? 'paused' : run.saved && run.status === 'failed' ? 'error' : 'normal',
  error: run.saved && run.status === 'failed' ? run.error : null,
  extra_contents: [],
});

/** What a limit has to be; null where it is. */
const limitMistake = (model: string, query: URLSearchParams): Refusal | null => {
  const given = query.get('limit');
  const limit = Number(given ?? 20);
  if (given === null || (limit >= 1 && limit <= 100)) return null;
  return limit < 1
    ? invalidText(model, 'limit', 'Input should be greater than or equal to 1', given, 'greater_than_equal')
    : invalidText(model, 'limit', 'Input should be less than or equal to 100', given, 'less_than_equal');
};

/** Reading what is there: messages, run detail, stop. */
export function createLookups(memory: Memory) {
  const { behaviour, conversations, runs } = memory;

  /** GET /messages: the newest `limit`, or those before `first_id`, ascending inside the page (protocol 1.1). */
  const messages = (app: SampleApp, key: string, query: URLSearchParams): Refusal => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const id = query.get('conversation_id');
    if (id === null) return invalidField('MessageListQuery', 'conversation_id', undefined, 'string');
    if (!isUuid(id) && !conversations.has(id))
      return invalidText('MessageListQuery', 'conversation_id', 'Value error, must be a valid UUID', id);
    const wrongLimit = limitMistake('MessageListQuery', query);
    if (wrongLimit) return wrongLimit;
    const conversation = conversations.get(id);
    if (!conversation || conversation.key !== key || conversation.user !== query.get('user'))
      return unknownConversation('/messages');
    const limit = Number(query.get('limit') ?? 20);
    const all = runs.filter((run) => run.key === key && run.conversationId === id);
    const first = all.findIndex(({ messageId }) => messageId === query.get('first_id'));
    const rows = first === -1 ? all : all.slice(0, first);
    return answerJson({ limit, has_more: rows.length > limit, data: rows.slice(-limit).map((run) => messageRow(run)) });
  };

  /** GET /conversations: this user's, the one that changed last first (protocol 1.1). */
  const conversationList = (app: SampleApp, key: string, query: URLSearchParams): Refusal => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const wrongLimit = limitMistake('ConversationListQuery', query);
    if (wrongLimit) return wrongLimit;
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

  /** DELETE /conversations/:id. */
  const deleteConversation = (app: SampleApp, key: string, id: string, body: Json): Refusal => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const found = conversations.get(id);
    if (!found || found.key !== key || found.user !== body['user'])
      return refuse(404, 'not_found', 'Conversation Not Exists.');
    conversations.delete(id);
    return { status: 204, contentType: 'application/json', headers: {}, body: '' };
  };

  const isOver = ({ record }: DifyRun) => record !== 'running' && record !== 'paused';

  /** GET /workflows/run/:id: not scoped to a user (protocol 1.2). */
  const runDetail = (app: SampleApp, key: string, id: string): Refusal => {
    if (!isWorkflowBased(app) || (app.mode === 'advanced-chat' && !behaviour.chatflowDetail))
      return recorded('not-workflow-app');
    const run = runs.find((candidate) => candidate.key === key && candidate.workflowRunId === id);
    if (!run && behaviour.unknownRun === 'nulls')
      return answerJson(Object.fromEntries(detailFields.map((field) => [field, null])));
    if (!run) return isUuid(id) ? refuse(404, 'not_found', 'Workflow run not found.') : unknownError;
    const outputs = isOver(run) ? run.outputs : {};
    const time = behaviour.shape === '0.15' ? dateOf : seconds;
    return answerJson({
      id,
      workflow_id: 'workflow-1',
      status: run.record,
      inputs: JSON.stringify({ ...systemInputs(run), 'sys.timestamp': seconds(run.startedAt) }),
      // protocol 1.2: an object since 1.13, a raw JSON text before.
      outputs: behaviour.style === 'spaced' ? JSON.stringify(outputs) : outputs,
      error: run.error,
      total_steps: 3,
      total_tokens: 59,
      created_at: time(run.startedAt),
      finished_at: isOver(run) ? time(run.finishedAt) : null,
      elapsed_time: isOver(run) && run.finishedAt !== null ? (run.finishedAt - run.startedAt) / 1000 : 0,
    });
  };

  const runSummary = (run: DifyRun): Json => ({
    id: `${run.id}-log`,
    workflow_run: {
      id: run.workflowRunId,
      version: 'draft',
      status: run.record,
      error: run.error,
      elapsed_time: isOver(run) && run.finishedAt !== null ? (run.finishedAt - run.startedAt) / 1000 : 0,
      total_tokens: 59,
      total_steps: 3,
      created_at: seconds(run.startedAt),
      finished_at: isOver(run) ? seconds(run.finishedAt) : null,
      exceptions_count: 0,
    },
    details: null,
    created_from: 'service-api',
    created_by_role: 'end_user',
    created_by_account: null,
    created_by_end_user: { id: 'end-user-1', type: 'service_api', is_anonymous: false, session_id: run.user },
    created_at: seconds(run.startedAt),
  });

  /** GET /workflows/logs: runs of workflows, running ones too, the newest first (source; which runs: tried). */
  const runList = (app: SampleApp, key: string, query: URLSearchParams): Refusal => {
    if (app.mode !== 'workflow') return recorded('not-workflow-app');
    const user = query.get('created_by_end_user_session_id');
    const status = query.get('status');
    const limit = Number(query.get('limit') ?? 20);
    const page = Number(query.get('page') ?? 1);
    const found = runs
      .filter((run) => run.key === key && (user === null || run.user === user))
      .filter(({ record }) => status === null || record === status)
      .toReversed();
    const data = found.slice((page - 1) * limit, page * limit).map((run) => runSummary(run));
    return answerJson({ page, limit, total: found.length, has_more: found.length > page * limit, data });
  };

  /** Which apps a stop route is for (recorded). */
  const stopMismatch = (app: SampleApp, path: string): Refusal | undefined => {
    if (path.includes('/workflows/')) return app.mode === 'workflow' ? undefined : recorded('not-workflow-app');
    const isCompletion = app.mode === 'completion';
    if (path.includes('/completion-messages/')) return isCompletion ? undefined : recorded('app-unavailable');
    return isCompletion || app.mode === 'workflow' ? recorded('not-chat-app') : undefined;
  };

  /**
   * An unknown task changes nothing, and so does a wrong user in an easy app (protocol 1.1). A workflow does not ask
   * whose it is; a chatflow is aborted all the same (recorded on 1.14.2).
   */
  const stop = (app: SampleApp, key: string, path: string, taskId: string, body: Json): Refusal => {
    if (!isText(body['user'])) return recorded('missing-user');
    const mismatch = stopMismatch(app, path);
    if (mismatch) return mismatch;
    const player = [...memory.players.values()].find(
      ({ run }) => run.key === key && run.taskId === taskId && run.status === 'running',
    );
    const isOwn = app.mode === 'workflow' || player?.run.user === body['user'];
    if (isOwn) player?.stop('asker');
    else if (app.mode === 'advanced-chat' && behaviour.foreignStop) player?.stop('stranger');
    return answerJson({ result: 'success' });
  };

  return { messages, conversationList, deleteConversation, runDetail, runList, stop };
}

const detailFields =
  'id workflow_id status inputs outputs error total_steps total_tokens created_at finished_at elapsed_time'.split(' ');

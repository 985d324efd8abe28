import { isRecord, isText, parseJson, recordOf, type Json } from '../http/shape.ts';
import { inputMistake } from './app-facts.ts';
import { isWorkflowBased } from './envelope.ts';
import { createAttachments, type FileMistake } from './attachments.ts';
import type { Conversation, Memory } from './memory.ts';
import {
  invalidField,
  invalidText,
  isUuid,
  recorded,
  refuse,
  unknownConversation,
  unknownError,
  type Refusal,
} from './refusal.ts';
import type { AppMode, RunFile, SampleApp } from './types.ts';

const chatModes: readonly AppMode[] = ['chat', 'agent-chat', 'agent', 'advanced-chat'];

export type GenerationApi = 'chat' | 'workflow' | 'completion';

export interface Admitted {
  kind: 'admitted';
  user: string;
  query: string;
  inputs: Json;
  isBlocking: boolean;
  conversation: Conversation | null;
  files: readonly RunFile[];
}

export type Admission =
  | Admitted
  | { kind: 'refused'; refusal: Refusal }
  /** HTTP 200 and one error frame without code and ids (protocol 3.3). */
  | { kind: 'nameless-error'; message: string }
  /** HTTP 200 and one ping: the worker's task has died, and nothing tells of it. */
  | { kind: 'silence' };

const refused = (refusal: Refusal): Admission => ({ kind: 'refused', refusal });

/** protocol 3.2: which endpoint belongs to which app. */
function modeMismatch(api: GenerationApi, mode: AppMode): Refusal | undefined {
  if (api === 'chat') return chatModes.includes(mode) ? undefined : recorded('not-chat-app');
  if (api === 'workflow') return mode === 'workflow' ? undefined : recorded('not-workflow-app');
  return mode === 'completion' ? undefined : recorded('app-unavailable');
}

const blockingRefusal = (mode: AppMode, responseMode: unknown): Refusal | undefined => {
  if (responseMode === 'streaming') return undefined;
  if (mode === 'agent-chat') return recorded('agent-blocking');
  // protocol 1.1: a New Agent streams when nothing is said.
  return mode === 'agent' && responseMode !== undefined ? recorded('new-agent-blocking') : undefined;
};

/** A payload's name in the texts of the validation. */
const payloads: Record<GenerationApi, string> = {
  chat: 'ChatRequestPayload',
  workflow: 'WorkflowRunPayload',
  completion: 'CompletionRequestPayload',
};

/** What is wrong with the shape of a body (recorded). */
const bodyRefusal = (api: GenerationApi, app: SampleApp, body: Json): Refusal | undefined => {
  const payload = payloads[api];
  const { query, inputs, files, response_mode: mode, conversation_id: conversation } = body;
  if (!isRecord(inputs)) return invalidField(payload, 'inputs', inputs, 'dictionary');
  if (api === 'chat' && typeof query !== 'string') return invalidField(payload, 'query', query, 'string');
  if (files !== undefined && files !== null && !Array.isArray(files))
    return invalidField(payload, 'files', files, 'list');
  if (mode !== undefined && mode !== null && mode !== 'streaming' && mode !== 'blocking') {
    const message = "Input should be 'blocking' or 'streaming'";
    return invalidText(payload, 'response_mode', message, mode, 'literal_error');
  }
  if (api === 'chat' && isText(conversation) && !isUuid(conversation)) {
    const message = 'Value error, conversation_id must be a valid UUID';
    return invalidText(payload, 'conversation_id', message, conversation);
  }
  return blockingRefusal(app.mode, mode ?? undefined);
};

/** The version of a workflow that a chatflow may be asked to run; the simulator has none. */
const versionRefusal = (app: SampleApp, { workflow_id: id }: Json): Refusal | undefined => {
  if (app.mode !== 'advanced-chat' || !isText(id)) return undefined;
  if (!isUuid(id)) return refuse(400, 'bad_request', `Invalid workflow_id format: '${id}'. `);
  const hint = '/v1/chat-messages or /api/chat-messages or /v1/chat-messages/<string:task_id>/stop';
  const asked = 'You have requested this URI [/v1/chat-messages] but did you mean';
  return refuse(404, 'not_found', `Workflow not found with id: ${id}. ${asked} ${hint} ?`);
};

/** An app without a model (seen on 1.14.2 and main). */
const modelRefusal = ({ mode, model }: SampleApp): Refusal | undefined => {
  if (model === undefined) return undefined;
  if (model === 'gone') return recorded('provider-not-initialize');
  return mode === 'agent' ? refuse(400, 'invalid_param', 'model is required') : recorded('internal-server-error');
};

const messageOf = ({ body }: Refusal) => String(recordOf(parseJson(body))['message']);

/** Judges a POST that starts a run, in Dify's order: user, mode, body, conversation, inputs. */
export function createAdmission(memory: Memory) {
  const { behaviour, conversations } = memory;
  const attachments = createAttachments(memory);

  /** The conversation to go on with; null for a new one. */
  const findConversation = (body: Json, key: string, user: string, app: SampleApp): Conversation | null | Admission => {
    const id = body['conversation_id'];
    if (!isText(id)) return null;
    const found = conversations.get(id);
    // protocol 3.3: another app's or another user's conversation looks just like one that is gone.
    if (found && found.key === key && found.user === user) return found;
    const isStreamedChatflow = app.mode === 'advanced-chat' && body['response_mode'] === 'streaming';
    if (isStreamedChatflow && behaviour.staleConversation === 'silence') return { kind: 'silence' };
    if (isStreamedChatflow && behaviour.staleConversation === 'nameless-error')
      return { kind: 'nameless-error', message: '' };
    if (isStreamedChatflow && behaviour.staleConversation === 'new-conversation') return null;
    return refused(unknownConversation('/chat-messages'));
  };

  /** A question that cannot be taken: refused, or hidden by a worker (protocol 3.3, 3.5; recorded). */
  const refuseInput = (app: SampleApp, body: Json, refusal: Refusal): Admission => {
    const isHidden = isWorkflowBased(app) && body['response_mode'] === 'streaming';
    if (!isHidden || behaviour.wrongInputs === 'refused') return refused(refusal);
    if (behaviour.wrongInputs === 'silence') return { kind: 'silence' };
    return { kind: 'nameless-error', message: behaviour.namelessReason ? messageOf(refusal) : '' };
  };

  const refuseFile = (app: SampleApp, body: Json, { mistake, isMalformed }: FileMistake): Admission => {
    if (isMalformed) memory.blame('invalid-body', mistake);
    return refuseInput(app, body, refuse(400, 'invalid_param', mistake));
  };

  return (api: GenerationApi, app: SampleApp, key: string, body: Json): Admission => {
    const { user } = body;
    if (!isText(user)) {
      memory.blame('missing-user', 'user must be a text that is not empty');
      return refused(recorded('missing-user'));
    }
    // Longer than the column; nothing checks it before.
    if (user.length > 255) return refused(unknownError);
    const mismatch = modeMismatch(api, app.mode);
    if (mismatch) return refused(mismatch);
    const wrong = bodyRefusal(api, app, body) ?? versionRefusal(app, body);
    if (wrong) {
      memory.blame('invalid-body', wrong.body);
      return refused(wrong);
    }
    // Before the conversation is looked for: an empty question of a dead conversation is a wrong question.
    if (api === 'chat' && body['query'] === '') {
      memory.blame('invalid-body', 'an empty question');
      return refuseInput(app, body, refuse(400, 'invalid_param', 'query is required'));
    }
    const conversation = api === 'chat' ? findConversation(body, key, user, app) : null;
    if (conversation && 'kind' in conversation) return conversation;
    const noModel = modelRefusal(app);
    if (noModel) return refused(noModel);
    const inputs = isRecord(body['inputs']) ? body['inputs'] : {};
    const wrongInput = inputMistake(app, inputs);
    if (wrongInput !== undefined) return refuseInput(app, body, wrongInput);
    const given = attachments.readInputs(app, inputs, { key, user });
    if (!Array.isArray(given)) return refuseFile(app, body, given);
    const listed = attachments.readListed(app, body['files'], { key, user });
    if ('mistake' in listed) return refuseFile(app, body, listed);
    for (const oddity of listed.odd) memory.blame('invalid-body', oddity);
    if (listed.isIgnored) memory.blame('files-ignored', 'the file upload of this app is off');
    return {
      kind: 'admitted',
      user,
      query: questionOf(api, body, inputs),
      inputs,
      isBlocking: body['response_mode'] !== 'streaming' && app.mode !== 'agent',
      conversation,
      files: [...listed.files, ...given],
    };
  };
}

/** What the person asked: the query, or for apps without one the input that looks most like it. */
function questionOf(api: GenerationApi, body: Json, inputs: Json): string {
  const candidates = [api === 'workflow' ? undefined : body['query'], inputs['query'], ...Object.values(inputs)];
  return candidates.find((value) => isText(value)) ?? '';
}

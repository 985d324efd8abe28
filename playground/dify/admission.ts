import { isRecord, isText, type Json } from '../http/shape.ts';
import { inputMistake } from './app-facts.ts';
import { createAttachments, type FileMistake } from './attachments.ts';
import type { Conversation, Memory } from './memory.ts';
import { recorded, refuse, type Refusal } from './refusal.ts';
import type { AppMode, RunFile, SampleApp } from './types.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;
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
  /** HTTP 200 and one error frame without code and ids (protocol 3.3, 1.13.0 to 1.14.2). */
  | { kind: 'nameless-error' };

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

const bodyRefusal = (api: GenerationApi, app: SampleApp, body: Json): Refusal | undefined => {
  if (api === 'chat' && !isText(body['query'])) return recorded('missing-query-new');
  if (!isRecord(body['inputs']))
    return refuse(400, 'invalid_param', '1 validation error for RunPayload\ninputs\n  Field required [type=missing]');
  const mode = body['response_mode'];
  if (mode !== undefined && mode !== 'streaming' && mode !== 'blocking')
    return refuse(400, 'invalid_param', "Input should be 'blocking' or 'streaming'");
  return blockingRefusal(app.mode, mode);
};

/** Judges a POST that starts a run, in Dify's order: user, mode, body, conversation, inputs. */
export function createAdmission(memory: Memory) {
  const { behaviour, conversations } = memory;
  const attachments = createAttachments(memory);

  /** The conversation to go on with; null for a new one. */
  const findConversation = (body: Json, key: string, user: string, app: SampleApp): Conversation | null | Admission => {
    const id = body['conversation_id'];
    if (id === undefined || id === null || id === '') return null;
    if (typeof id !== 'string' || !uuid.test(id)) return refused(recorded('conversation-id-not-uuid'));
    const found = conversations.get(id);
    // protocol 3.3: another app's or another user's conversation looks just like one that is gone.
    if (found && found.key === key && found.user === user) return found;
    const isStreamedChatflow = app.mode === 'advanced-chat' && body['response_mode'] === 'streaming';
    if (isStreamedChatflow && behaviour.staleConversation === 'nameless-error') return { kind: 'nameless-error' };
    if (isStreamedChatflow && behaviour.staleConversation === 'new-conversation') return null;
    return refused(recorded('conversation-not-exists'));
  };

  /** A wrong input or file: refused, or hidden by a worker (protocol 3.3, 3.5). */
  const refuseInput = (app: SampleApp, body: Json, mistake: string): Admission => {
    const isWorker = app.mode === 'advanced-chat' || app.mode === 'workflow';
    const isHidden = behaviour.staleConversation === 'nameless-error' && body['response_mode'] === 'streaming';
    return isWorker && isHidden ? { kind: 'nameless-error' } : refused(refuse(400, 'invalid_param', mistake));
  };

  const refuseFile = (app: SampleApp, body: Json, { mistake, isMalformed }: FileMistake): Admission => {
    if (isMalformed) memory.blame('invalid-body', mistake);
    return refuseInput(app, body, mistake);
  };

  return (api: GenerationApi, app: SampleApp, key: string, body: Json): Admission => {
    const { user } = body;
    if (!isText(user)) {
      memory.blame('missing-user', 'user must be a text that is not empty');
      return refused(recorded('missing-user'));
    }
    const mismatch = modeMismatch(api, app.mode);
    if (mismatch) return refused(mismatch);
    const wrong = bodyRefusal(api, app, body);
    if (wrong) {
      memory.blame('invalid-body', wrong.body);
      return refused(wrong);
    }
    const conversation = api === 'chat' ? findConversation(body, key, user, app) : null;
    if (conversation && 'kind' in conversation) return conversation;
    const inputs = isRecord(body['inputs']) ? body['inputs'] : {};
    const wrongInput = inputMistake(app, inputs);
    if (wrongInput !== undefined) return refuseInput(app, body, wrongInput);
    const given = attachments.readInputs(app, inputs, { key, user });
    if (!Array.isArray(given)) return refuseFile(app, body, given);
    const listed = attachments.readListed(app, body['files'], { key, user });
    if ('mistake' in listed) return refuseFile(app, body, listed);
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

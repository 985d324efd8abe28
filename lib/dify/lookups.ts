import { readRefusal } from './failures.ts';
import { pathPart, readAccepted, type DifyHttp } from './http.ts';
import {
  readConversations,
  readMessages,
  readRun,
  readRunList,
  type ConversationRecord,
  type MessageRecord,
  type RunRecord,
  type RunSummary,
} from './records.ts';
import { followRun } from './runs.ts';
import type { EventStream } from './stream.ts';

/**
 * What Dify still knows of a run after its stream was lost. The calls only read.
 *
 * Every call has a time limit and throws a BridgeError with a `dify_…` code when Dify did not answer or refused.
 */
export interface DifyRecords {
  /** The events of a run from now on, after a snapshot; of a finished run its end. Null as `followRun`. */
  runEvents(runId: string, user: string, signal: AbortSignal): Promise<EventStream | null>;
  /** `not-shown`: this version does not show the runs of a chatflow (before 1.3.1). */
  run(runId: string, signal: AbortSignal): Promise<RunRecord | 'unknown' | 'not-shown'>;
  /** The newest runs of a workflow that this user started, running ones too, newest first. */
  runsOf(user: string, signal: AbortSignal): Promise<RunSummary[]>;
  /** The newest messages of a conversation; null when it does not exist, or not for this user. */
  messages(conversationId: string, user: string, signal: AbortSignal): Promise<MessageRecord[] | null>;
  /**
   * One message of a conversation, also an old one; null when it is not among the newest 500, or not for this user.
   */
  message(
    named: { conversationId: string; messageId: string; user: string },
    signal: AbortSignal,
  ): Promise<MessageRecord | null>;
  /** Whether a conversation exists and is this user's. */
  hasConversation(conversationId: string, user: string, signal: AbortSignal): Promise<boolean>;
  /** The five conversations of this user in which something was said last, newest first. */
  conversations(user: string, signal: AbortSignal): Promise<ConversationRecord[]>;
}

const LOOK_TIMEOUT_MS = 10_000;

const MESSAGES = 20;

/** The longest page that Dify gives, and most of them that one message is looked for on. */
const PAGE = 100;

const PAGES = 5;

const CONVERSATIONS = 5;

const RUNS = 5;

export function createDifyRecords(http: DifyHttp): DifyRecords {
  const get = (path: string, signal: AbortSignal) => http.get(path, { timeoutMs: LOOK_TIMEOUT_MS, signal });

  return {
    runEvents: (runId, user, signal) => followRun(http, { runId, user, withSnapshot: true, signal }),
    async run(runId, signal) {
      const answer = await get(`/workflows/run/${pathPart(runId)}`, signal);
      if (answer.status === 404) return 'unknown';
      const isRefused = answer.status !== 200;
      if (isRefused && readRefusal(answer.status, answer.json).kind === 'wrong-app-type') return 'not-shown';
      return readAccepted(answer, readRun);
    },
    async runsOf(user, signal) {
      const query = new URLSearchParams({ created_by_end_user_session_id: user, limit: String(RUNS) });
      return readAccepted(await get(`/workflows/logs?${query.toString()}`, signal), readRunList);
    },
    async messages(conversationId, user, signal) {
      const query = new URLSearchParams({ conversation_id: conversationId, user, limit: String(MESSAGES) });
      const answer = await get(`/messages?${query.toString()}`, signal);
      return answer.status === 404 ? null : readAccepted(answer, readMessages);
    },
    async message({ conversationId, messageId, user }, signal) {
      const query = new URLSearchParams({ conversation_id: conversationId, user, limit: String(PAGE) });
      for (let pages = 0; pages < PAGES; pages += 1) {
        const answer = await get(`/messages?${query.toString()}`, signal);
        const rows = answer.status === 404 ? [] : readAccepted(answer, readMessages);
        const found = rows.find(({ id }) => id === messageId);
        if (found) return found;
        const [oldest] = rows.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
        if (rows.length < PAGE || !oldest) return null;
        // The page before begins above the oldest message of this one.
        query.set('first_id', oldest.id);
      }
      return null;
    },
    async hasConversation(conversationId, user, signal) {
      const query = new URLSearchParams({ conversation_id: conversationId, user, limit: '1' });
      const answer = await get(`/messages?${query.toString()}`, signal);
      if (answer.status === 200) return true;
      // A 404 of a proxy is no word about the conversation.
      const { kind, error } = readRefusal(answer.status, answer.json);
      if (kind === 'stale-conversation') return false;
      throw error;
    },
    async conversations(user, signal) {
      const query = new URLSearchParams({ user, limit: String(CONVERSATIONS) });
      return readAccepted(await get(`/conversations?${query.toString()}`, signal), readConversations);
    },
  };
}

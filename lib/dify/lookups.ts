import { readRefusal } from './failures.ts';
import { readAccepted, type DifyHttp } from './http.ts';
import {
  readConversations,
  readMessages,
  readRun,
  type ConversationRecord,
  type MessageRecord,
  type RunRecord,
} from './records.ts';
import { followRun } from './runs.ts';
import type { EventStream } from './stream.ts';

/**
 * What Dify still knows of a run after its stream was lost. Only reads: nothing here asks a question.
 *
 * Every call has a time limit and throws a BridgeError with a `dify_…` code when it was not answered or refused.
 */
export interface DifyRecords {
  /**
   * The events of a run from now on, after a snapshot; of a finished run its end. Null when the version has no such
   * route (before 1.14) or the run is not this user's: Dify answers both in the same way. Leaving the loop early, or
   * aborting the signal, closes the connection.
   */
  runEvents(runId: string, user: string, signal: AbortSignal): Promise<EventStream | null>;
  /** `not-shown`: this version keeps the runs of a chatflow to itself (before 1.3.1). */
  run(runId: string, signal: AbortSignal): Promise<RunRecord | 'unknown' | 'not-shown'>;
  /** The newest messages of a conversation; null when it does not exist, or not for this user. */
  messages(conversationId: string, user: string, signal: AbortSignal): Promise<MessageRecord[] | null>;
  /** This user's conversations of late, newest first. */
  conversations(user: string, signal: AbortSignal): Promise<ConversationRecord[]>;
}

const LOOK_TIMEOUT_MS = 10_000;

const MESSAGES = 20;

const CONVERSATIONS = 5;

export function createDifyRecords(http: DifyHttp): DifyRecords {
  const get = (path: string, signal: AbortSignal) => http.get(path, { timeoutMs: LOOK_TIMEOUT_MS, signal });

  return {
    runEvents: (runId, user, signal) => followRun(http, { runId, user, withSnapshot: true, signal }),
    async run(runId, signal) {
      const answer = await get(`/workflows/run/${encodeURIComponent(runId)}`, signal);
      if (answer.status === 404) return 'unknown';
      const isRefused = answer.status !== 200;
      if (isRefused && readRefusal(answer.status, answer.json).kind === 'wrong-app-type') return 'not-shown';
      return readAccepted(answer, readRun);
    },
    async messages(conversationId, user, signal) {
      const query = new URLSearchParams({ conversation_id: conversationId, user, limit: String(MESSAGES) });
      const answer = await get(`/messages?${query.toString()}`, signal);
      return answer.status === 404 ? null : readAccepted(answer, readMessages);
    },
    async conversations(user, signal) {
      const query = new URLSearchParams({ user, limit: String(CONVERSATIONS) });
      return readAccepted(await get(`/conversations?${query.toString()}`, signal), readConversations);
    },
  };
}

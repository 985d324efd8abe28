import type { DifyEvent, RunIds } from '../answer/event.ts';
import type { AppType, DifyConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import { withTimeout, type Clock } from '../runtime/clock.ts';
import { readRefusal } from './failures.ts';
import { authorizationOf, callDify, noAnswer } from './http.ts';
import { readEvents } from './stream.ts';

/**
 * Whether the answer goes on without the connection that asked: the runs of workflows and chatflows do, in a worker
 * since 1.13 and in a thread before; an answer of the other kinds ends with its connection, or is made but never saved
 * (`docs/wire-dify.md`).
 */
export function survivesDisconnect(type: AppType, ids: RunIds): ids is RunIds & { runId: string } {
  return (type === 'workflow' || type === 'chatflow') && ids.runId !== undefined;
}

export interface FollowedRun {
  runId: string;
  user: string;
  /** Begins with what has happened so far, instead of with what happens next. */
  withSnapshot?: boolean;
  signal: AbortSignal;
}

/** The route begins with a ping, so that its headers come at once. */
const HEADERS_TIMEOUT_MS = 10_000;

/** Four missed keep-alives of 10 s. */
const IDLE_MS = 45_000;

/**
 * The events of a run from now on; of a finished run its end. Resolved when the stream is open, so that whatever happens
 * after that is in it. Null when the version has no such route (before 1.14) or the run is not this user's: Dify answers
 * both in the same way. Leaving the loop early, or aborting the signal, closes the connection.
 *
 * @throws BridgeError with a `dify_…` code when it was not answered or refused.
 */
export async function followRun(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { runId, user, withSnapshot = false, signal }: FollowedRun,
): Promise<AsyncGenerator<DifyEvent, void, undefined> | null> {
  const query = new URLSearchParams({ user, ...(withSnapshot ? { include_state_snapshot: 'true' } : {}) });
  const response = await connect(`/workflow/${encodeURIComponent(runId)}/events?${query.toString()}`);
  const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false;
  if (response.status === 200 && isStream && response.body) {
    return readEvents(response.body, { clock, idleMs: IDLE_MS });
  }
  await response.body?.cancel().catch(() => undefined);
  if (response.status === 404) return null;
  if (response.status !== 200) throw readRefusal(response.status, undefined).error;
  throw new BridgeError('dify_not_a_stream', 'Dify answered without a stream', { status: 200 });

  async function connect(path: string): Promise<Response> {
    try {
      return await withTimeout(
        clock,
        HEADERS_TIMEOUT_MS,
        (limited) =>
          fetch(`${config.apiUrl}${path}`, {
            method: 'GET',
            headers: { ...authorizationOf(config), accept: 'text/event-stream' },
            redirect: 'manual',
            signal: limited,
          }),
        signal,
      );
    } catch (error) {
      throw noAnswer(error);
    }
  }
}

export interface RunningTask {
  type: AppType;
  /** Whom the run was started for: for anybody else Dify says yes and stops nothing. */
  user: string;
  taskId: string;
}

const STOP_TIMEOUT_MS = 5_000;

const TASK_PATHS: Readonly<Record<AppType, string>> = {
  chat: '/chat-messages',
  agent: '/chat-messages',
  chatflow: '/chat-messages',
  workflow: '/workflows/tasks',
  completion: '/completion-messages',
};

/**
 * Asks Dify to stop a run. Dify notices within one or two seconds and then ends the stream as usual, so whoever reads
 * the stream goes on reading; an unknown task is accepted in silence (`docs/wire-dify.md`).
 *
 * @throws BridgeError with a `dify_…` code when the request did not get through.
 */
export async function stopRun(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { type, user, taskId }: RunningTask,
): Promise<void> {
  const { status, json } = await callDify(config, fetch, clock, {
    method: 'POST',
    path: `${TASK_PATHS[type]}/${encodeURIComponent(taskId)}/stop`,
    body: { user },
    timeoutMs: STOP_TIMEOUT_MS,
  });
  if (status !== 200) throw readRefusal(status, json).error;
  // A proxy's page says nothing about the run.
  if (json === undefined) throw new BridgeError('dify_server_error', 'the answer is not JSON', { status });
}

import type { RunIds } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import { PATHS } from './ask.ts';
import { acceptedJson, pathPart, type DifyHttp } from './http.ts';
import type { EventStream } from './stream.ts';

/**
 * Whether the answer is one of a run that Dify keeps by its id: a workflow's or a chatflow's. Such a run goes on without
 * the connection that asked, in a worker since 1.13 and in a thread from 1.9.2 on (`docs/wire-dify.md`). Whether this
 * Dify is so new: `DifyVersion.runsSurvive`.
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

/**
 * The events of a run from now on; of a finished run its end. The promise resolves when the stream is open: every
 * later event is in it. Null when the version has no such route (before 1.14) or the run is not this user's: Dify answers
 * both in the same way. An abort of the signal closes the connection.
 *
 * @throws BridgeError with a `dify_…` code when it was not answered or refused.
 */
export async function followRun(
  http: DifyHttp,
  { runId, user, withSnapshot = false, signal }: FollowedRun,
): Promise<EventStream | null> {
  const query = new URLSearchParams({ user, ...(withSnapshot ? { include_state_snapshot: 'true' } : {}) });
  const path = `/workflow/${pathPart(runId)}/events?${query.toString()}`;
  const opened = await http.openStream({ path, headersTimeoutMs: HEADERS_TIMEOUT_MS, signal });
  if (opened.ok) return opened.events;
  if (opened.status === 404) return null;
  throw opened.refusal.error;
}

export interface RunningTask {
  type: AppType;
  /** The person whom the run was started for. For another user Dify answers with success and stops nothing. */
  user: string;
  taskId: string;
}

const STOP_TIMEOUT_MS = 5_000;

const TASK_PATHS: Readonly<Record<AppType, string>> = { ...PATHS, workflow: '/workflows/tasks' };

/**
 * Asks Dify to stop a run. Dify notices within one or two seconds and then ends the stream of the run as usual, so this
 * stream is still to be read. Dify also answers with success for a task that it does not know (`docs/wire-dify.md`).
 *
 * @throws BridgeError with a `dify_…` code when the request did not get through.
 */
export async function stopRun(http: DifyHttp, { type, user, taskId }: RunningTask): Promise<void> {
  const path = `${TASK_PATHS[type]}/${pathPart(taskId)}/stop`;
  acceptedJson(await http.post(path, { user }, { timeoutMs: STOP_TIMEOUT_MS }));
}

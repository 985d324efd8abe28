import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DifyConfig } from '../runtime/config.ts';
import type { Fetch } from '../runtime/http.ts';
import type { AppType } from './app-facts.ts';
import { callDify } from './call.ts';
import { readRefusal } from './failures.ts';

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

import { errorFields } from './delivery.ts';
import type { RunningTask } from './dify/stop.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';
import type { StopSwitch } from './turn.ts';
import type { TurnProgress } from './turn-record.ts';

/**
 * How long a stopped answer is still read, so that Dify's own end is seen: it notices within one or two seconds. After
 * that the text so far is the answer.
 */
const STOP_PATIENCE_MS = 3_000;

export interface StopSwitchOptions {
  difyUser: string;
  stopRun: (task: RunningTask) => Promise<void>;
  clock: Clock;
  log: Log;
}

export function createStopSwitch({ difyUser, stopRun, clock, log }: StopSwitchOptions): StopSwitch {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('stopped by the asker'));
  let isAsked = false;
  const stopping: StopSwitch = {
    get isAsked() {
      return isAsked;
    },
    signal: controller.signal,
    progress: () => null,
    async ask() {
      if (isAsked) return;
      isAsked = true;
      const task = taskOf(stopping.progress(), difyUser);
      // Nothing has begun that Dify could be told of.
      if (!task) {
        abort();
        return;
      }
      clock.schedule(STOP_PATIENCE_MS, abort);
      await stopRun(task).catch((error: unknown) => log.warn('stop_failed', errorFields(error)));
    },
  };
  return stopping;
}

/** What Dify is told to stop; null while that is not known. */
export function taskOf(progress: TurnProgress | null, user: string): RunningTask | null {
  const { appType, ids } = progress ?? {};
  return appType && ids?.taskId ? { type: appType, user, taskId: ids.taskId } : null;
}

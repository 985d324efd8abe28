import type { TurnProgress } from './turn.ts';
import type { RunningTask } from '../dify/runs.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';

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

/** How an answer is stopped, from here or from another instance. */
export interface StopSwitch {
  readonly isAsked: boolean;
  /** Aborts a while after it was asked, when Dify has not ended the answer by itself. */
  readonly signal: AbortSignal;
  /** Tells Dify, once however often it is asked. Never rejects. */
  ask(): Promise<void>;
  /** Told how far the answer got: what Dify calls it is known only when it has begun. */
  progress: () => TurnProgress | null;
}

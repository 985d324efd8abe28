import type { Answer } from '../answer/answer.ts';
import type { RunIds } from '../answer/event.ts';
import type { AppType } from '../config/robot.ts';
import type { DifyRecords } from '../dify/lookups.ts';
import type { DifyVersion } from '../dify/version.ts';
import { BridgeError, type ErrorCode } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { repeatingLast, retry } from '../runtime/retry.ts';

/** A question that was asked, or may have been, and whose stream is gone. */
export interface LostRun {
  /** In the log lines about it. */
  reference: string;
  type: AppType;
  /** False where the type is only the most likely one: then the app may as well be an agent or a chatflow. */
  isTypeKnown: boolean;
  /** The user who asked. Dify shows the answer to this user only. */
  user: string;
  question: string;
  askedAtMs: number;
  /** When the last event of the answer came; when it was asked where none did. */
  lastEventAtMs: number;
  /** The ids on record; may be empty. */
  ids: RunIds;
  /** What this version of Dify does with a run whose client is gone. */
  version: Pick<DifyVersion, 'runsSurvive' | 'agentsSurvive'>;
}

/**
 * Called with what is known while the run goes on; never with an ending. `isAlive`: the run has just done something. What
 * Dify tells of its past is no such sign.
 */
export type OnProgress = (answer: Answer, isAlive: boolean) => void;

/** One attempt to find the answer of a lost run. */
export interface Search {
  readonly run: LostRun;
  readonly records: DifyRecords;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Whether the run was going on at the last look; before the first one, what the record says. */
  isRunning: boolean;
}

/**
 * A run that is older counts as lost, even if Dify says that it is running: a run whose worker died stays `running` for
 * ever. Dify's own limit is 20 minutes (`WORKFLOW_MAX_EXECUTION_TIME`, `docs/wire-dify.md`).
 */
export const LONGEST_RUN_MS = 1_500_000;

/** The clocks of Dify and of this machine may differ, and Dify keeps whole seconds. */
export const CLOCK_SLACK_MS = 5_000;

/** After a failed call; the last one repeats, for up to `LONGEST_RUN_MS`. */
const RETRY_PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Between two looks at something that is not finished; the last one repeats. */
const LOOK_PAUSES_MS = [2_000, 3_000, 4_000, 5_000];

/** Failures that may be gone a moment later. Every other one is final. */
const TEMPORARY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'dify_unreachable',
  'dify_timeout',
  'dify_busy',
  'dify_server_error',
]);

export function isTooOld({ clock, run }: Search): boolean {
  return clock.now() - run.askedAtMs > LONGEST_RUN_MS;
}

/** How long to wait after the look of this number, from 0. */
export function lookPause(look: number): number {
  return LOOK_PAUSES_MS[Math.min(look, LOOK_PAUSES_MS.length - 1)] ?? 0;
}

/**
 * Repeats a call that only reads until it is answered.
 *
 * @throws BridgeError when Dify refuses it, after `retries` repeats, when the run is too old, or when the search is aborted.
 */
export function retrying<T>(search: Search, call: () => Promise<T>, retries = Infinity): Promise<T> {
  const { clock, log, signal } = search;
  let failures = 0;
  return retry(call, {
    clock,
    signal,
    pausesMs: repeatingLast(RETRY_PAUSES_MS),
    mayRetry(error) {
      failures += 1;
      // On a server of one's own no deadline ends the search, and a proxy may answer in Dify's place for ever.
      if (signal.aborted || isTooOld(search) || !isTemporary(error) || failures > retries) return false;
      log.debug('recovery_retried', { code: error.code, failures });
      return true;
    },
  });
}

const isTemporary = (error: unknown): error is BridgeError => error instanceof BridgeError && TEMPORARY.has(error.code);

import type { DifyEvent, PendingFormDetails } from '../answer/event.ts';
import type { DifyConfig } from '../config/robot.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { createDifyClient, type DifyClient } from './ask.ts';
import { createDifyFiles, type DifyFiles } from './files.ts';
import { getForm, submitForm, type FormSubmission } from './forms.ts';
import { createDifyRecords, type DifyRecords } from './lookups.ts';
import { rate, suggestedQuestions, type Rating } from './messages.ts';
import { followRun, stopRun, type RunningTask } from './runs.ts';

/**
 * One Dify app: all that is asked of it. Every call has a time limit, and throws a BridgeError with a `dify_…` code when it
 * was not answered or refused.
 */
export interface Dify extends DifyClient {
  /** The files that people send. */
  files: DifyFiles;
  /** What Dify keeps of a run whose stream was lost. */
  records: DifyRecords;
  /** @throws BridgeError `form_closed` or `form_expired` when it cannot be answered any more. */
  getForm(token: string): Promise<PendingFormDetails>;
  /** @throws BridgeError `form_closed`, `form_expired`, or `form_invalid` when the values do not fit. */
  submitForm(filled: FormSubmission): Promise<void>;
  /** The events of a run from now on; null where this version does not tell them, or not this user. */
  followRun(
    runId: string,
    user: string,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<DifyEvent, void, undefined> | null>;
  /** Dify ends the stream of the run as usual one or two seconds later. */
  stop(task: RunningTask): Promise<void>;
  /** Tells Dify what a reader thinks of an answer. */
  rate(rated: Rating): Promise<void>;
  /** The questions that the app suggests after an answer, each one line; none for an app that suggests none. */
  suggestions(messageId: string, user: string, signal: AbortSignal): Promise<string[]>;
}

export function createDify(config: DifyConfig, { fetch, clock, log }: { fetch: Fetch; clock: Clock; log: Log }): Dify {
  return {
    ...createDifyClient(config, fetch, clock, log),
    files: createDifyFiles(config, fetch, clock),
    records: createDifyRecords(config, fetch, clock),
    getForm: (token) => getForm(config, fetch, clock, token),
    submitForm: (filled) => submitForm(config, fetch, clock, filled),
    followRun: (runId, user, signal) => followRun(config, fetch, clock, { runId, user, withSnapshot: false, signal }),
    stop: (task) => stopRun(config, fetch, clock, task),
    rate: (rated) => rate(config, fetch, clock, rated),
    suggestions: (messageId, user, signal) => suggestedQuestions(config, fetch, clock, { messageId, user }, signal),
  };
}

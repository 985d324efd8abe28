import type { PendingForm } from '../answer/event.ts';
import type { AppType, DifyConfig } from '../config/robot.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { digest } from '../runtime/digest.ts';
import type { Log } from '../runtime/log.ts';
import { askApp, type Question } from './ask.ts';
import { createFactsCache, type FactsCache } from './facts-cache.ts';
import { createDifyFiles, type DifyFiles } from './files.ts';
import { getForm, submitForm, type FilledForm } from './forms.ts';
import { createDifyHttp, type OpenedStream } from './http.ts';
import { createDifyRecords, type DifyRecords } from './lookups.ts';
import { rate, suggestedQuestions, type RatedMessage } from './messages.ts';
import { followRun, stopRun, type RunningTask } from './runs.ts';
import type { EventStream } from './stream.ts';

/**
 * One Dify app: everything that is asked of it. Every call has a time limit, and throws a BridgeError with a `dify_…` code
 * when Dify did not answer or refused.
 */
export interface Dify extends FactsCache {
  /**
   * Asks, once. The events come as the app produces them.
   *
   * @throws BridgeError also when the answer is none that can be read.
   */
  ask(type: AppType, question: Question, signal: AbortSignal): Promise<OpenedStream>;
  /** Takes the files that people send. */
  files: DifyFiles;
  /** What Dify keeps of a run whose stream was lost. */
  records: DifyRecords;
  /** @throws BridgeError also `form_closed` or `form_expired` when the form cannot be answered any more. */
  getForm(token: string): Promise<PendingForm>;
  /** @throws BridgeError also `form_closed`, `form_expired`, or `form_invalid` when the values do not fit. */
  submitForm(filled: FilledForm): Promise<void>;
  /** The events of a run from now on; null where this version of Dify does not have them, or not for this user. */
  followRun(runId: string, user: string, signal: AbortSignal): Promise<EventStream | null>;
  /** Dify ends the stream of the run as usual one or two seconds later. */
  stop(task: RunningTask): Promise<void>;
  rate(rated: RatedMessage): Promise<void>;
  /** The questions that the app suggests after an answer, each one line; empty for an app that suggests none. */
  suggestions(messageId: string, user: string, signal: AbortSignal): Promise<string[]>;
}

export function createDify(config: DifyConfig, { fetch, clock, log }: { fetch: Fetch; clock: Clock; log: Log }): Dify {
  const http = createDifyHttp(config, { fetch, clock });
  return {
    ...createFactsCache(http, { appType: config.appType, clock, log }),
    ask: (type, question, signal) => askApp(http, type, question, signal),
    files: createDifyFiles(http),
    records: createDifyRecords(http),
    getForm: (token) => getForm(http, token),
    submitForm: (filled) => submitForm(http, filled),
    followRun: (runId, user, signal) => followRun(http, { runId, user, signal }),
    stop: (task) => stopRun(http, task),
    rate: (rated) => rate(http, rated),
    suggestions: (messageId, user, signal) => suggestedQuestions(http, { messageId, user }, signal),
  };
}

/** Names an app in what is kept of its conversations, without telling its key. */
export function nameOfApp({ apiUrl, apiKey }: Pick<DifyConfig, 'apiUrl' | 'apiKey'>): string {
  return digest(`${apiUrl}\n${apiKey}`).slice(0, 12);
}

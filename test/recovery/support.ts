// A question whose stream was lost, between the real recovery and a sample Dify.
import { expect } from 'vitest';
import { answerText, type Answer } from '../../lib/answer/answer.ts';
import type { AppType } from '../../lib/config/robot.ts';
import type { RunIds } from '../../lib/answer/event.ts';
import type { LostRun } from '../../lib/recovery/search.ts';
import { createDifyHttp } from '../../lib/dify/http.ts';
import { createDifyRecords } from '../../lib/dify/lookups.ts';
import { createRecovery, type Recovered } from '../../lib/recovery/recover.ts';
import { readVersion } from '../../lib/dify/version.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { DifyConfig } from '../../lib/config/robot.ts';
import type { Fetch } from '../../lib/net/http.ts';
import type { DifyOptions, DifyRun, SampleApp } from '../../playground/dify/types.ts';
import { configOf, json, startServer } from '../dify/support.ts';
import { eventually, startDify } from '../playground/support.ts';
import { createLogLines } from '../support/delivery.ts';
import { createSteppingClock } from '../support/virtual-clock.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

type Mode = SampleApp['mode'];

const TYPES: Readonly<Record<Mode, AppType>> = {
  chat: 'chat',
  'agent-chat': 'agent',
  agent: 'agent',
  'advanced-chat': 'chatflow',
  workflow: 'workflow',
  completion: 'completion',
};
const QUESTION = '你好';
const USER = 'staff-0001';
/** Seconds of these stories pass in fractions of one. */
const FACTOR = 80;

export interface Recovery {
  outcome: Recovered;
  /** The text a reader would see; null without an answer. */
  text: string | null;
  /** The answers that were given while it went on. */
  progress: Answer[];
  /** How many of them were signs of life. */
  alive: number;
  /** What the recovery wrote to the log. */
  log: string;
}

/** Recovers one run and holds the log to its rules. */
export async function recoverFrom(
  config: DifyConfig,
  clock: Clock,
  run: LostRun,
  { signal = new AbortController().signal, fetch: ask = fetch }: { signal?: AbortSignal; fetch?: Fetch } = {},
): Promise<Recovery> {
  const { log, lines } = createLogLines(clock);
  const progress: Answer[] = [];
  const records = createDifyRecords(createDifyHttp(config, { fetch: ask, clock }));
  const recovery = createRecovery({ records, clock, log });
  let alive = 0;
  const outcome = await recovery.recover(run, signal, (answer, isAlive) => {
    progress.push(answer);
    if (isAlive) alive += 1;
  });
  const text = outcome.kind === 'answer' ? answerText(outcome.answer).text : null;
  for (const told of progress) {
    expect(told.ending).toBeNull();
    // Never a fragment: what is told before the end is the beginning of the text, or nothing.
    if (text !== null) expect(text.startsWith(answerText(told).text)).toBe(true);
  }
  const written = JSON.stringify(lines);
  for (const secret of [run.question, run.user, config.apiKey, text]) if (secret) expect(written).not.toContain(secret);
  return { outcome, text, progress, alive, log: written };
}

/** A sample Dify, one app of which was asked and abandoned in mid-answer. */
export async function loseRun(
  mode: Mode,
  options: Partial<DifyOptions> & { script?: SampleApp['script'] },
  enough: (raw: string) => boolean = (raw) => raw.includes('"event"'),
) {
  const clock = createSteppingClock(FACTOR);
  const started = await startDify({ clock, ...options });
  const { dify } = started;
  const askedAtMs = clock.now();
  await started.ask(mode, {}, enough);
  const run = dify.runs[0] as DifyRun;
  const ids: RunIds = {
    ...(run.conversationId ? { conversationId: run.conversationId } : {}),
    ...(run.messageId ? { messageId: run.messageId } : {}),
    ...(run.workflowRunId ? { runId: run.workflowRunId } : {}),
    taskId: run.taskId,
  };
  const lost: LostRun = {
    reference: '3f9a1c07',
    type: TYPES[mode],
    isTypeKnown: true,
    user: USER,
    question: QUESTION,
    askedAtMs,
    lastEventAtMs: clock.now(),
    ids,
    version: readVersion('1.14.2', undefined),
  };
  const before = dify.requests.length;
  return {
    ...started,
    clock,
    run,
    lost,
    /** What was requested since the stream was lost. */
    requests: () => dify.requests.slice(before),
    /** Resolves when the run has ended. */
    over: () => eventually(() => run.status !== 'running'),
    /** Recovers what is on record, with changes, and holds it to what every recovery must keep. */
    async recover(changes: Partial<LostRun> = {}, how: { signal?: AbortSignal; fetch?: Fetch } = {}) {
      const config = configOf(dify.url, `app-${mode}`);
      const recovery = await recoverFrom(config, clock, { ...lost, ...changes }, how);
      // Only reads, and no connection left behind.
      expect(dify.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
      await eventually(() => dify.openStreams.length === 0);
      return recovery;
    },
  };
}

/** `GET /conversations`, which the sample Dify does not have, from its runs; everything else goes to the sample. */
export async function withConversations(url: string, runs: readonly DifyRun[]): Promise<Fetch> {
  const front = await startServer((_path, response, request) => {
    const user = new URL(request.url ?? '/', url).searchParams.get('user');
    const rows = runs.filter((run) => run.user === user && run.conversationId !== null);
    const seconds = (ms: number) => Math.floor(ms / 1000);
    const data = rows.map(({ conversationId, startedAt }) => ({
      id: conversationId,
      name: 'New conversation',
      created_at: seconds(startedAt),
      updated_at: seconds(startedAt),
    }));
    json(response, { limit: 5, has_more: false, data });
  });
  return (address, init) =>
    fetch(address.includes('/conversations?') ? address.replace(url, front.url) : address, init);
}

export const newClock = () => createSteppingClock(FACTOR);

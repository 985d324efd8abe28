import { emptyAnswer, foldEvent, type Answer, type Ending } from '../answer/answer.ts';
import type { AnswerEvent } from '../answer/event.ts';
import type { RunRecord } from '../dify/records.ts';
import { BridgeError } from '../errors.ts';
import { sleep } from '../runtime/clock.ts';
import { messageOf, recoverMessage } from './message.ts';
import { isTooOld, lookPause, retrying, type Search } from './search.ts';

/** After so long without an event the detail of the run is asked: the run may have ended between two connections. */
const QUIET_MS = 20_000;

/** After so many connections without any event only the detail of the run is asked. */
const MOST_SILENT_FOLLOWS = 2;

/** How often in a row the detail may lack the run, or an end that the events reported: it can lag behind the events. */
const MOST_DOUBTS = 3;

/** How often the detail is asked again to confirm an end, when it does not answer. */
const CONFIRM_RETRIES = 2;

/**
 * Dify tells the past of a run when its events are joined, at once and each time anew. What comes later, and is more than
 * before, is new.
 */
const SNAPSHOT_MS = 2_000;

/**
 * Where nothing tells whether runs go on without their client, a run that is `running` at so many looks in a row, so long
 * after its last event, counts as lost.
 */
const DOUBTFUL = { looks: 3, ms: 60_000 };

/** What the event streams of a run have reported so far. */
interface Followed {
  answer: Answer;
  /** They reported the end of the run. */
  isOver: boolean;
  /** This version of Dify has the route, and shows this user the run. */
  hasRoute: boolean;
  /** How many streams had no event at all. */
  silent: number;
  /** Most events that one stream had. */
  told: number;
}

/**
 * The answer of a run of a workflow or chatflow, once it has ended; null when Dify does not have it.
 *
 * The events show when the run ends. How it ended and its text come from its detail: a stream that is joined late lacks its
 * beginning.
 */
export async function recoverRun(search: Search, runId: string): Promise<Answer | null> {
  const { run, clock, signal } = search;
  let followed: Followed = {
    answer: { ...emptyAnswer, ids: run.ids },
    isOver: false,
    hasRoute: true,
    silent: 0,
    told: 0,
  };
  let doubts = 0;
  let runningLooks = 0;
  for (let look = 0; ; look += 1) {
    const { isOver, hasRoute, silent } = followed;
    if (!isOver && hasRoute && silent < MOST_SILENT_FOLLOWS) followed = await follow(search, runId, followed);
    const record = await lookAt(search, runId, followed.isOver);
    const ending = typeof record === 'string' ? null : endingOf(record);
    if (typeof record !== 'string' && ending) return conclude(search, followed.answer, ending, record);
    doubts = followed.isOver || record === 'unknown' ? doubts + 1 : 0;
    if (record === 'unanswered' || record === 'not-shown' || doubts >= MOST_DOUBTS) {
      if (followed.isOver) return conclude(search, followed.answer, followed.answer.ending ?? { kind: 'cut' }, null);
      return run.type === 'chatflow' ? recoverMessage(search) : null;
    }
    runningLooks = typeof record === 'string' || followed.hasRoute ? 0 : runningLooks + 1;
    if (isTooOld(search) || isDead(search, runningLooks)) return null;
    await sleep(clock, lookPause(look), signal);
  }
}

/** The run seems to have died with its client, as it does before 1.9.2. */
function isDead({ run, clock }: Search, runningLooks: number): boolean {
  const isDoubtful = run.version.runsSurvive === null && runningLooks >= DOUBTFUL.looks;
  return isDoubtful && clock.now() - run.lastEventAtMs >= DOUBTFUL.ms;
}

/** Listens to the run until it ends, falls quiet or the connection breaks. */
async function follow(search: Search, runId: string, before: Followed): Promise<Followed> {
  const { run, records, clock, log, signal, onProgress } = search;
  const controller = new AbortController();
  let answer: Answer = { ...before.answer, ending: null };
  let told = 0;
  let isOver = false;
  let cancelQuiet = () => {};
  const expectEvent = () => {
    cancelQuiet();
    cancelQuiet = clock.schedule(QUIET_MS, () => controller.abort());
  };
  try {
    const events = await records.runEvents(runId, run.user, AbortSignal.any([signal, controller.signal]));
    if (!events) return { ...before, hasRoute: false };
    const openedAtMs = clock.now();
    expectEvent();
    for await (const event of events) {
      expectEvent();
      told += 1;
      search.isRunning = true;
      answer = foldEvent(answer, withoutFragments(event, runId));
      isOver = event.kind === 'run-finished';
      // An error ends the stream, but not always the run. The detail of the run decides.
      if (isOver || event.kind === 'run-paused' || event.kind === 'failed') break;
      const isNew = told > before.told && clock.now() - openedAtMs > SNAPSHOT_MS;
      // What Dify has saved of the text is no moderation.
      onProgress({ ...answer, ending: null, isReplaced: false }, isNew);
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof BridgeError)) throw error;
    log.debug('run_events_broken', { code: error.code });
  } finally {
    cancelQuiet();
  }
  const silent = before.silent + (told === 0 ? 1 : 0);
  return { ...before, answer, isOver, silent, told: Math.max(before.told, told) };
}

/**
 * Text that is streamed after a reconnect continues a beginning that this instance does not have, so it is left out: the
 * whole text comes at the end. The empty text of a snapshot is left out as well: a snapshot has no text until a pause or
 * the end (`docs/wire-dify.md`).
 */
function withoutFragments(event: AnswerEvent, runId: string): AnswerEvent {
  const { taskId, ...others } = event.ids;
  // In the events of a finished run the run id stands in the place of the task id.
  const ids = taskId === undefined || taskId === runId ? others : event.ids;
  const isFragment =
    event.kind === 'text' || event.kind === 'reasoning' || (event.kind === 'replace' && event.text === '');
  return isFragment ? { kind: 'none', ids } : { ...event, ids };
}

/** The detail of a run. `unanswered` only after the events reported its end; before, Dify is asked until the search aborts. */
async function lookAt(
  search: Search,
  runId: string,
  isOver: boolean,
): Promise<RunRecord | 'unknown' | 'not-shown' | 'unanswered'> {
  const { records, signal } = search;
  try {
    const record = await retrying(search, () => records.run(runId, signal), isOver ? CONFIRM_RETRIES : Infinity);
    search.isRunning = typeof record !== 'string' && endingOf(record) === null;
    return record;
  } catch (error) {
    if (isOver && (signal.aborted || error instanceof BridgeError)) return 'unanswered';
    throw error;
  }
}

/** Null while the run goes on. Also for an unknown status, because it may still change. */
function endingOf({ status, reason }: RunRecord): Ending | null {
  switch (status) {
    case 'succeeded':
    case 'partial-succeeded':
      return { kind: 'complete' };
    case 'failed':
      return { kind: 'failed', cause: 'run', upstreamCode: null, status: null, reason };
    case 'stopped':
      return { kind: 'stopped' };
    case 'paused':
      return { kind: 'paused' };
    default:
      return null;
  }
}

/** The whole answer: with the outputs of the record, or, where it has none, with those of the events. */
async function conclude(search: Search, told: Answer, ending: Ending, record: RunRecord | null): Promise<Answer> {
  const isRecorded = record !== null && Object.keys(record.outputs).length > 0;
  const outputs = isRecorded ? record.outputs : (told.outputs ?? {});
  const answer: Answer = {
    ...told,
    texts: { message: '', agent: '', chunk: '' },
    reasoning: '',
    outputs,
    retried: told.retried || record?.status === 'partial-succeeded',
    totalTokens: record?.totalTokens ?? told.totalTokens,
    progress: { runStarted: true, messageEnded: true, runEnded: true },
    ending,
  };
  return search.run.type === 'chatflow' ? withMessage(search, answer, told) : answer;
}

/**
 * The message of a chatflow goes before its outputs: where moderation replaced the text, the outputs still hold what was
 * blocked. They count where there is no message, or an empty one (up to 1.12 it stays empty), and where the message only
 * has more: the text of failed tries of a node.
 */
async function withMessage(search: Search, answer: Answer, told: Answer): Promise<Answer> {
  const message = await messageOf(search, answer.ids);
  const row = message?.status === 'normal' ? message.answer : '';
  const output = answer.outputs?.['answer'];
  const whole = typeof output === 'string' ? output : '';
  const hasMore = answer.retried ? isWithin(whole, row) : row.endsWith(whole);
  const shown = hasMore && whole !== '' ? whole : row || whole;
  // A run that did not complete may have no outputs. Then the text that the events reported is all there is.
  const saved = answer.ending?.kind === 'complete' ? '' : told.texts.message;
  const text = shown || saved || (message?.answer ?? '');
  return {
    ...answer,
    ids: message ? { ...answer.ids, messageId: message.id } : answer.ids,
    texts: { ...answer.texts, message: text },
    outputs: whole === '' ? answer.outputs : { ...answer.outputs, answer: shown },
    citations: answer.citations.length > 0 ? answer.citations : (message?.citations ?? []),
    files: answer.files.length > 0 ? answer.files : (message?.files ?? []),
  };
}

/** Whether the characters of a text stand in another one in their order, with others between them. */
function isWithin(text: string, other: string): boolean {
  let at = 0;
  for (const char of other) if (text.startsWith(char, at)) at += char.length;
  return at === text.length;
}

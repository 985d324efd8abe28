import { emptyAnswer, foldEvent, type Answer, type Ending } from '../answer/answer.ts';
import type { AnswerEvent } from '../answer/event.ts';
import type { RunRecord } from '../dify/records.ts';
import { BridgeError } from '../errors.ts';
import { sleep } from '../runtime/clock.ts';
import { recoverMessage, withMessage } from './message.ts';
import { isTooOld, lookPause, retrying, type Search } from './search.ts';

/** No event for this long: the run is looked at, because its end may have fallen between two listeners. */
const QUIET_MS = 20_000;

/** After so many connections without any event only the detail is asked. */
const MOST_SILENT_FOLLOWS = 2;

/** How often in a row the detail may not know of an end that the events told, or of the run: it can lag behind. */
const MOST_DOUBTS = 3;

/** How often the detail is asked again to confirm an end, when it does not answer. */
const CONFIRM_RETRIES = 2;

/** What the event streams of a run have told so far. */
interface Followed {
  answer: Answer;
  /** They told that the run has ended. */
  isOver: boolean;
  /** This version has the route, for this user. */
  hasRoute: boolean;
  /** Streams that told nothing at all. */
  silent: number;
}

/**
 * The answer of a run of a workflow or chatflow, once it has ended; null when Dify does not have it.
 *
 * The events tell when the run ends, its detail tells how: a stream that is joined late has lost its beginning.
 */
export async function recoverRun(search: Search, runId: string): Promise<Answer | null> {
  const { run, clock, signal } = search;
  let followed: Followed = { answer: { ...emptyAnswer, ids: run.ids }, isOver: false, hasRoute: true, silent: 0 };
  let doubts = 0;
  for (let look = 0; ; look += 1) {
    const { isOver, hasRoute, silent } = followed;
    if (!isOver && hasRoute && silent < MOST_SILENT_FOLLOWS) followed = await follow(search, runId, followed);
    const record = await lookAt(search, runId, followed.isOver);
    const ending = typeof record === 'string' ? null : endingOf(record.status);
    if (typeof record !== 'string' && ending) return conclude(search, followed.answer, ending, record);
    doubts = followed.isOver || record === 'unknown' ? doubts + 1 : 0;
    if (record === 'unanswered' || record === 'not-shown' || doubts >= MOST_DOUBTS) {
      if (followed.isOver) return conclude(search, followed.answer, followed.answer.ending ?? { kind: 'cut' }, null);
      return run.type === 'chatflow' ? recoverMessage(search) : null;
    }
    if (isTooOld(search)) return null;
    await sleep(clock, lookPause(look), signal);
  }
}

/** Listens to the run until it ends, falls quiet or the connection breaks. */
async function follow(search: Search, runId: string, before: Followed): Promise<Followed> {
  const { run, records, clock, log, signal, onProgress } = search;
  const controller = new AbortController();
  let answer: Answer = { ...before.answer, ending: null };
  let isSilent = true;
  let isOver = false;
  let cancelQuiet = () => {};
  const expectEvent = () => {
    cancelQuiet();
    cancelQuiet = clock.schedule(QUIET_MS, () => controller.abort());
  };
  try {
    const events = await records.runEvents(runId, run.user, AbortSignal.any([signal, controller.signal]));
    if (!events) return { ...before, hasRoute: false };
    expectEvent();
    for await (const event of events) {
      expectEvent();
      isSilent = false;
      search.isRunning = true;
      answer = foldEvent(answer, withoutFragments(event, runId));
      isOver = event.kind === 'run-finished';
      // An error ends the stream, not always the run: its detail tells.
      if (isOver || event.kind === 'run-paused' || event.kind === 'failed') break;
      onProgress({ ...answer, ending: null });
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof BridgeError)) throw error;
    log.debug('run_events_broken', { code: error.code });
  } finally {
    cancelQuiet();
    // Dify can hold a finished stream open for five minutes.
    controller.abort();
  }
  return { ...before, answer, isOver, silent: before.silent + (isSilent ? 1 : 0) };
}

/**
 * What is streamed after a reconnect goes on from a text that nobody here has, so it is no text; the text comes whole
 * at the end. Nor does the empty text of a snapshot mean that there was none: it is empty until a pause or the end
 * (`docs/wire-dify.md`).
 */
function withoutFragments(event: AnswerEvent, runId: string): AnswerEvent {
  const { taskId, ...others } = event.ids;
  // A finished run is told with its run id in the place of the task id.
  const ids = taskId === undefined || taskId === runId ? others : event.ids;
  const isFragment =
    event.kind === 'text' || event.kind === 'reasoning' || (event.kind === 'replace' && event.text === '');
  return isFragment ? { kind: 'none', ids } : { ...event, ids };
}

/** `unanswered` only while an end waits to be confirmed; otherwise it is asked until the search is aborted. */
async function lookAt(
  search: Search,
  runId: string,
  isOver: boolean,
): Promise<RunRecord | 'unknown' | 'not-shown' | 'unanswered'> {
  const { records, signal } = search;
  try {
    const record = await retrying(search, () => records.run(runId, signal), isOver ? CONFIRM_RETRIES : Infinity);
    search.isRunning = typeof record !== 'string' && endingOf(record.status) === null;
    return record;
  } catch (error) {
    if (isOver && (signal.aborted || error instanceof BridgeError)) return 'unanswered';
    throw error;
  }
}

/** Null while the run goes on; also for a status that is not known, because it may still change. */
function endingOf(status: string): Ending | null {
  switch (status) {
    case 'succeeded':
    case 'partial-succeeded':
      return { kind: 'complete' };
    case 'failed':
      return { kind: 'failed', cause: 'run', upstreamCode: null, status: null };
    case 'stopped':
      return { kind: 'stopped' };
    case 'paused':
      return { kind: 'paused' };
    default:
      return null;
  }
}

/** The whole answer: its outputs as the record has them, or, without a record, as the events told them. */
async function conclude(search: Search, told: Answer, ending: Ending, record: RunRecord | null): Promise<Answer> {
  const isRecorded = record !== null && Object.keys(record.outputs).length > 0;
  const outputs = isRecorded ? record.outputs : (told.outputs ?? {});
  const answer: Answer = {
    ...told,
    texts: { message: '', agent: '', chunk: '' },
    reasoning: '',
    outputs,
    totalTokens: record?.totalTokens ?? told.totalTokens,
    progress: { runStarted: true, messageEnded: true, runEnded: true },
    ending,
  };
  if (search.run.type !== 'chatflow') return answer;
  const whole = typeof outputs['answer'] === 'string' ? outputs['answer'] : '';
  // Of a run that did not come to its end, what was saved of its text is all there is.
  const saved = ending.kind === 'complete' ? '' : told.texts.message;
  const complete: Answer = { ...answer, texts: { ...answer.texts, message: whole || saved } };
  // Whoever heard the end of the message has its citations and files.
  return told.progress.messageEnded && complete.texts.message !== '' ? complete : withMessage(search, complete);
}

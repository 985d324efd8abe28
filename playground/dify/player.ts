import { setImmediate } from 'node:timers/promises';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import type { Json } from '../http/shape.ts';
import { encodeEvent } from './encode.ts';
import { isWorkflowBased } from './envelope.ts';
import { readFixture } from './fixtures.ts';
import type { FormFacts } from './form-facts.ts';
import { createNarrator } from './narrator.ts';
import { oldShape } from './old-shape.ts';
import type { FormOutcome } from './pauses.ts';
import type { ResultFiles } from './result-files.ts';
import type { Workers } from './workers.ts';
import type {
  Behaviour,
  BlockedScript,
  BytesScript,
  ChunkScript,
  DifyRun,
  Ending,
  Pause,
  RunStatus,
  Script,
} from './types.ts';

/** How the connection is to be treated after the last byte. `slow-eof`: as slowly as the version closes it. */
export type Close = 'eof' | 'slow-eof' | 'cut' | 'silence' | 'silence-then-eof';

export interface RunListener {
  write(bytes: Buffer): void;
  close(how: Close): void;
  /** Stays when the run pauses, to hear how it goes on. */
  outlivesPause?: boolean;
  /** Subscribed to the run itself; not the answer to the question. */
  isSubscriber?: boolean;
}

/** A run that is being played. It does not need a listener: a worker's run goes on without one. */
export interface Player {
  readonly run: DifyRun;
  /** Whether it plays a recorded stream, which has everything in it, down to the pings. */
  readonly isRecorded: boolean;
  /** Live from now on; what was sent before is gone (protocol 1.2: at-most-once relay). */
  listen(listener: RunListener): () => void;
  /** A paused run goes on. */
  resume(outcome: FormOutcome, script: ChunkScript): void;
  /** What the last pause is reported with to those who ask afterwards. */
  readonly pauseEvents: readonly Json[];
  /** False while it waits for a worker, or when its worker has died. */
  readonly isWorking: boolean;
  /** Noticed after the configured delay. */
  stop(by: 'asker' | 'stranger'): void;
  /** At once, without an end: what happens to an in-process run whose client has gone. */
  abort(record?: DifyRun['record']): void;
  /** The run has ended, or has paused for the first time. */
  readonly done: Promise<void>;
}

type LastKind = Ending['kind'] | 'stopped' | 'aborted' | 'asking';

const statusOf: Partial<Record<LastKind, RunStatus>> = {
  failed: 'failed',
  'model-failed': 'failed',
  error: 'failed',
  'worker-lost': 'failed',
  blocked: 'stopped',
  stopped: 'stopped',
  aborted: 'stopped',
  paused: 'paused',
  asking: 'paused',
};

/** What the record says, where that is not what has happened. */
function recordOfEnd(kind: LastKind, run: DifyRun, { stopRecord }: Behaviour): DifyRun['record'] | undefined {
  if (!isWorkflowBased(run)) return undefined;
  if (kind === 'worker-lost') return 'running';
  if (kind === 'aborted') return 'stopped';
  if (kind === 'stopped' || kind === 'blocked') return stopRecord;
  return kind === 'default-value' ? 'partial-succeeded' : undefined;
}

export interface PlayerOptions {
  run: DifyRun;
  script: Script;
  behaviour: Behaviour;
  clock: Clock;
  createId: () => string;
  files: Pick<ResultFiles, 'make' | 'previewUrl'>;
  /** Null for a run that does not wait for one. */
  workers: Workers | null;
  onChange: (run: DifyRun) => void;
  onPause: (pause: Pause, facts: FormFacts) => void;
}

export function createPlayer(options: PlayerOptions): Player {
  const { run, script, behaviour, clock, createId, files, workers, onChange, onPause } = options;
  const listeners = new Set<RunListener>();
  const interruption = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const narrator = createNarrator({ run, behaviour, clock, createId, files });
  let stopping: 'stopped' | 'aborted' | null = null;
  let isWorking = false;
  let isForeignStop = false;
  let giveBack = () => {};
  let pauseEvents: Json[] = [];

  const write = (bytes: Buffer) => {
    for (const listener of listeners) listener.write(bytes);
  };

  const finish = (status: RunStatus, close: Close, record: DifyRun['record'] = status) => {
    run.status = status;
    run.record = record;
    isWorking = false;
    giveBack();
    run.finishedAt = status === 'paused' ? null : clock.now();
    onChange(run);
    const stays = ({ outlivesPause, isSubscriber }: RunListener) =>
      status === 'paused'
        ? outlivesPause === true
        : record === 'running' && status === 'failed' && isSubscriber === true;
    const leaving = [...listeners].filter((listener) => !stays(listener));
    for (const listener of leaving) listeners.delete(listener);
    for (const listener of leaving) listener.close(close);
  };

  /** Waits for an absolute time, so that delays do not add up; false when the run was interrupted. */
  const until = async (at: number): Promise<boolean> => {
    try {
      await sleep(clock, Math.max(0, at - clock.now()), interruption.signal);
      return true;
    } catch {
      return false;
    }
  };

  const shaped = (event: Json) => (behaviour.shape === '0.15' ? oldShape(event) : event);

  const send = (events: readonly Json[]) => {
    if (events.length > 0) write(Buffer.concat(events.map((event) => encodeEvent(shaped(event), behaviour.style))));
  };

  const pauseRun = (pause: Pause) => {
    const pauses = [pause, ...(pause.beside ?? [])];
    const { before, events, snapshot, forms } = narrator.pause(pauses);
    pauseEvents = snapshot;
    send([...before, ...events]);
    // Before the run counts as paused: the form can be submitted at once.
    for (const [index, facts] of forms.entries()) onPause(pauses[index] ?? pause, facts);
  };

  /** Another form of the same pause is not answered yet. */
  const pauseAgain = () => {
    const { before, events, snapshot } = narrator.pauseAgain();
    pauseEvents = snapshot;
    send([...before, ...events]);
  };

  /** From the start, or from a pause, to the end or the next pause. */
  const playChunks = async (opening: readonly Json[], played: ChunkScript) => {
    const { chunks, ending = { kind: 'end' } } = played;
    send(opening);
    let at = clock.now();
    const wait = async (ms: number): Promise<boolean> => {
      at += ms;
      return !interruption.signal.aborted && (clock.now() >= at || (await until(at)));
    };
    for (const chunk of chunks) {
      if (chunk.when) {
        await Promise.race([chunk.when, interrupted]);
        at = clock.now();
      }
      if (!(await wait(chunk.afterMs ?? 0))) break;
      if ('raw' in chunk) write(Buffer.from(chunk.raw, 'utf8'));
      else if ('cut' in chunk) cutOff();
      else if ('moment' in chunk) {
        await Promise.race([chunk.moment(run), interrupted]);
        at = Math.max(at, clock.now());
      } else send(narrator.chunk(chunk));
      if (!('node' in chunk)) continue;
      if (!(await wait(chunk.forMs ?? 0))) break;
      send(narrator.endNode());
    }
    if (interruption.signal.aborted && !stopping) return;
    const isAsking = narrator.isAsking && !stopping;
    const last = stopping ? { kind: stopping } : isAsking ? ({ kind: 'asking' } as const) : ending;
    if (last.kind === 'asking') pauseAgain();
    else if (last.kind === 'paused') pauseRun(last);
    else send(narrator.end(last, played));
    finish(
      isForeignStop ? 'failed' : (statusOf[last.kind] ?? 'succeeded'),
      closeOf(last.kind, run, behaviour),
      recordOfEnd(last.kind, run, behaviour),
    );
  };

  const cutOff = () => {
    const cut = [...listeners];
    listeners.clear();
    for (const listener of cut) listener.close('cut');
  };

  const playBlocked = ({ inputBlocked }: BlockedScript) => {
    send(narrator.blockInput(inputBlocked));
    // Recorded: the relay of a chatflow waits for a `workflow_finished` that never comes.
    const lingers = isWorkflowBased(run) && behaviour.silenceAfterErrorMs > 0;
    finish('succeeded', lingers ? 'silence-then-eof' : 'eof');
  };

  const playBytes = async (recorded: BytesScript, bytes: Buffer) => {
    for (const piece of cutAt(bytes, recorded.split ?? 'whole')) {
      // One turn of the event loop for each piece, or Node would put them together again on their way.
      await setImmediate();
      if (recorded.gapMs !== undefined && !(await until(clock.now() + recorded.gapMs))) break;
      write(piece);
    }
    if (interruption.signal.aborted && !stopping) return;
    finish(stopping ? 'stopped' : 'succeeded', recorded.ending?.kind ?? 'eof');
  };

  // Read before anything is sent, so that a missing file is an error and not a broken stream.
  const recordedBytes = 'bytes' in script ? bytesOf(script) : Buffer.alloc(0);
  if ('bytes' in script) adoptIds(run, recordedBytes.toString('utf8'));

  /** Waits until no byte comes because no worker is free. False when the run was interrupted meanwhile. */
  const waitInQueue = async (queuedMs: number): Promise<boolean> => {
    if (queuedMs === Infinity) await interrupted;
    else if (queuedMs > 0 && !(await until(clock.now() + queuedMs))) return false;
    if (workers) giveBack = await workers.take();
    if (interruption.signal.aborted) giveBack();
    return !interruption.signal.aborted;
  };

  const play = async () => {
    // The caller that created the run must have a chance to listen before the first byte.
    await Promise.resolve();
    const queuedMs = 'queuedMs' in script && isWorkflowBased(run) ? (script.queuedMs ?? 0) : 0;
    if (!(await waitInQueue(queuedMs)) && !stopping) return;
    isWorking = true;
    if ('bytes' in script) await playBytes(script, recordedBytes);
    else if ('inputBlocked' in script) playBlocked(script);
    else await playChunks(narrator.begin(script.template), script);
  };

  return {
    run,
    isRecorded: 'bytes' in script,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    resume(outcome, next) {
      run.status = 'running';
      run.record = 'running';
      onChange(run);
      void waitInQueue(next.queuedMs ?? 0).then(async (isFree) => {
        if (!isFree && !stopping) return;
        isWorking = true;
        await playChunks(narrator.resume(outcome), next);
      });
    },
    get pauseEvents() {
      return pauseEvents;
    },
    get isWorking() {
      return isWorking;
    },
    stop(by) {
      clock.schedule(behaviour.stopNoticeMs, () => {
        if (run.status !== 'running') return;
        const isAborted = by === 'stranger' || behaviour.stopEnding === 'aborted';
        stopping = isAborted && isWorkflowBased(run) ? 'aborted' : 'stopped';
        // Recorded: the row of a chatflow that a stranger stops is empty.
        isForeignStop = by === 'stranger';
        if (isForeignStop) run.answer = '';
        interruption.abort(new Error('stopped'));
      });
    },
    abort(record) {
      if (run.status !== 'running') return;
      interruption.abort(new Error('aborted'));
      finish('stopped', 'cut', record);
    },
    done: play(),
  };
}

function closeOf(kind: LastKind, run: DifyRun, behaviour: Behaviour): Close {
  if (kind === 'eof' || kind === 'cut' || kind === 'silence') return kind;
  if (!isWorkflowBased(run)) return 'eof';
  // protocol 2.6 item 8: the relay does not know `error` as an end and keeps the socket open.
  if (kind === 'error' || kind === 'worker-lost') return behaviour.silenceAfterErrorMs > 0 ? 'silence-then-eof' : 'eof';
  return 'slow-eof';
}

function bytesOf({ bytes }: BytesScript): Buffer {
  return typeof bytes === 'string' ? readFixture(bytes) : Buffer.from(bytes);
}

function* cutAt(bytes: Buffer, split: NonNullable<BytesScript['split']>): Generator<Buffer> {
  const offsets = split === 'whole' ? [] : split === 'bytes' ? [...bytes.keys()].slice(1) : split;
  let from = 0;
  for (const offset of offsets) {
    yield bytes.subarray(from, offset);
    from = offset;
  }
  yield bytes.subarray(from);
}

/** A recorded stream brings its own ids; later requests will ask for these. */
function adoptIds(run: DifyRun, text: string): void {
  const find = (name: string) => new RegExp(`"${name}": ?"([^"]+)"`, 'u').exec(text)?.[1];
  run.taskId = find('task_id') ?? run.taskId;
  run.messageId = find('message_id') ?? run.messageId;
  run.workflowRunId = find('workflow_run_id') ?? run.workflowRunId;
  run.conversationId = find('conversation_id') ?? run.conversationId;
  run.id = run.workflowRunId ?? run.messageId ?? run.id;
}

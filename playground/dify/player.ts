import { setImmediate } from 'node:timers/promises';
import { sleep, type Clock } from '../../lib/runtime/clock.ts';
import { encodeEvent } from './encode.ts';
import { isWorkflowBased } from './envelope.ts';
import { readFixture } from './fixtures.ts';
import type { FormFacts } from './form-facts.ts';
import { createNarrator, type FormOutcome } from './narrator.ts';
import type { ResultFiles } from './result-files.ts';
import type { Behaviour, BytesScript, ChunkScript, DifyRun, Ending, Pause, RunStatus, Script } from './types.ts';

/** How the connection is to be treated after the last byte. */
export type Close = 'eof' | 'cut' | 'silence' | 'silence-then-eof';

export interface RunListener {
  write(bytes: Buffer): void;
  close(how: Close): void;
  /** Stays when the run pauses, to hear how it goes on. */
  outlivesPause?: boolean;
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
  /** What the last pause was reported with; for those who ask afterwards. */
  readonly pauseEvents: readonly object[];
  /** Noticed after the configured delay. */
  stop(): void;
  /** At once, without an end: what happens to an in-process run whose client has gone. */
  abort(): void;
  /** The run has ended, or has paused for the first time. */
  readonly done: Promise<void>;
}

const statusOf: Partial<Record<Ending['kind'] | 'stopped', RunStatus>> = {
  failed: 'failed',
  error: 'failed',
  stopped: 'stopped',
  paused: 'paused',
};

export interface PlayerOptions {
  run: DifyRun;
  script: Script;
  behaviour: Behaviour;
  clock: Clock;
  createId: () => string;
  make: ResultFiles['make'];
  onChange: (run: DifyRun) => void;
  onPause: (pause: Pause, facts: FormFacts) => void;
}

export function createPlayer(options: PlayerOptions): Player {
  const { run, script, behaviour, clock, createId, make, onChange, onPause } = options;
  const listeners = new Set<RunListener>();
  const interruption = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const narrator = createNarrator({ run, behaviour, clock, createId, make });
  let stopping = false;
  let pauseEvents: object[] = [];

  const write = (bytes: Buffer) => {
    for (const listener of listeners) listener.write(bytes);
  };

  const finish = (status: RunStatus, close: Close) => {
    run.status = status;
    run.finishedAt = status === 'paused' ? null : clock.now();
    onChange(run);
    const leaving = [...listeners].filter(({ outlivesPause }) => status !== 'paused' || outlivesPause !== true);
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

  const send = (events: readonly object[]) => {
    if (events.length > 0) write(Buffer.concat(events.map((event) => encodeEvent(event, behaviour.style))));
  };

  const pauseRun = (pause: Pause) => {
    const { before, events, facts } = narrator.pause(pause);
    pauseEvents = events;
    send([...before, ...events]);
    // Before anybody hears that it has paused: the form can be submitted at once.
    onPause(pause, facts);
  };

  /** From the start, or from a pause, to the end or the next pause. */
  const playChunks = async (opening: readonly object[], { chunks, ending = { kind: 'end' }, outputs }: ChunkScript) => {
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
      else send(narrator.chunk(chunk));
      if (!('node' in chunk)) continue;
      if (!(await wait(chunk.forMs ?? 0))) break;
      send(narrator.endNode());
    }
    if (interruption.signal.aborted && !stopping) return;
    const last = stopping ? ({ kind: 'stopped' } as const) : ending;
    if (last.kind === 'paused') pauseRun(last);
    else send(narrator.end(last, outputs));
    finish(statusOf[last.kind] ?? 'succeeded', closeOf(last, run, behaviour));
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

  const play = async () => {
    // Whoever created the run must have a chance to listen before the first byte.
    await Promise.resolve();
    if ('bytes' in script) await playBytes(script, recordedBytes);
    else await playChunks(narrator.begin(), script);
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
      onChange(run);
      void playChunks(narrator.resume(outcome), next);
    },
    get pauseEvents() {
      return pauseEvents;
    },
    stop() {
      clock.schedule(behaviour.stopNoticeMs, () => {
        stopping = true;
        interruption.abort(new Error('stopped'));
      });
    },
    abort() {
      if (run.status !== 'running') return;
      interruption.abort(new Error('aborted'));
      finish('stopped', 'cut');
    },
    done: play(),
  };
}

function closeOf(ending: Ending | { kind: 'stopped' }, run: DifyRun, behaviour: Behaviour): Close {
  if (ending.kind === 'eof' || ending.kind === 'cut' || ending.kind === 'silence') return ending.kind;
  // protocol 2.6 item 8: the relay does not know `error` as an end and keeps the socket open.
  const lingers = ending.kind === 'error' && isWorkflowBased(run) && behaviour.silenceAfterErrorMs > 0;
  return lingers ? 'silence-then-eof' : 'eof';
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

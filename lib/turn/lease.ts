import { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { retry } from '../runtime/retry.ts';
import type { FinishRequest, State } from '../state/state.ts';
import type { Behind, StartedTurn } from '../state/told.ts';
import { leaseEnd, type LeaseTiming } from './lease-timing.ts';
import { keepProgress, noProgress, type KeptProgress } from './record.ts';
import { createRenewals, isSilent, type RenewalOptions } from './renewals.ts';
import type { Turn } from './turn.ts';

/** The hold on a running turn: kept while the answer is written, so that no other instance takes it over. */
export interface Lease extends KeptProgress {
  /** Aborts when another instance has taken the turn over: from then on this one may show nothing. */
  readonly lost: AbortSignal;
  /** Aborts when the store says that the answer was stopped, which may have been asked of another instance. */
  readonly stopAsked: AbortSignal;
  /** Aborts when a question waits behind this one and the run has shown no sign of life for two minutes. */
  readonly silent: AbortSignal;
  /** Whether another instance can find the turn on record: not when the record ends with this process. */
  readonly mayBeLeft: boolean;
  /** Requests to the store so far for this turn, by this holder; the one that accepted it included. */
  readonly requests: number;
  /**
   * Puts the progress on record now. Whose questions wait behind this one; null when the store did not confirm that the
   * progress is there and the turn still held here. Never rejects.
   */
  write(): Promise<Behind | null>;
  /**
   * Whether the turn is still held here, as far as can be known. The store is asked when the lease has lapsed, because
   * this process may have stood still. Never rejects.
   */
  isHeld(): Promise<boolean>;
  /** Puts the progress on record within this time, or as soon as something is `ready`, unless it is written before. */
  writeWithin(ms: number, ready?: Promise<unknown>): void;
  /** Renews no more. Another instance takes the turn over when the lease lapses. */
  stop(): void;
  /** Gives the turn up at once, with its progress on record. Never rejects. */
  release(): Promise<void>;
  /** Ends the turn. Never rejects. */
  finish(outcome: Outcome): Promise<Ended>;
}

/** What is put on record of a turn that ends. */
export type Outcome = Pick<FinishRequest, 'failure' | 'receipt' | 'reply' | 'form' | 'waits' | 'formsOver'>;

export interface Ended {
  /** The store has it on record that this instance ended the turn: no other one will. */
  isOnRecord: boolean;
  /** The turn was stopped while it ran, which may have been asked of another instance. */
  isStopped: boolean;
  /** The next turn of the conversation, if one waits. */
  next: NextTurn | null;
}

export interface NextTurn {
  turn: StartedTurn;
  /** False when too little time is left here: then a fresh invocation takes it over. */
  isOurs: boolean;
}

export interface LeaseOptions {
  state: Pick<State, 'renew' | 'finish' | 'isDurable'>;
  clock: Clock;
  log: Log;
  timing: LeaseTiming;
  turn: Pick<Turn, 'id' | 'reference' | 'conversationKey' | 'record' | 'progress' | 'form' | 'mayHaveBeenAsked'>;
  conversationTtlMs: number | null;
  /** When the invocation ends; a lease does not outlive it by more than a few seconds. */
  deadlineMs: number | null;
  /** Told with each reply of the store how many answers are being written in all instances; `isOver`: this one not any more. */
  onRunning: (running: number, isOver: boolean) => void;
  watch: RenewalOptions['watch'];
  /** Told with a reply of the store the turns whose lease has lapsed, while there is time here to go on with them. */
  onOverdue: (turnIds: readonly string[]) => void;
  /** Aborts when the process is asked to end: what waits is left to another instance, if the store outlives this one. */
  shutdown: AbortSignal;
}

/** Below this much time (or half of a shorter limit) the next turn is not begun here but left to a fresh invocation. */
const MIN_TIME_FOR_NEXT_MS = 30_000;

/** Pauses between tries to end a turn while the store is down. After that its lease lapses and another instance ends it. */
const FINISH_RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

export function openLease(options: LeaseOptions): Lease {
  const { state, clock, log, timing, turn, deadlineMs, onRunning, onOverdue, watch, shutdown } = options;
  const { fence, owner, context } = turn.record;
  const generation = context?.generation ?? null;
  const lost = new AbortController();
  const stopAsked = new AbortController();
  const silent = new AbortController();
  const openedAtMs = clock.now();
  const leftMs = () => (deadlineMs ?? Number.POSITIVE_INFINITY) - clock.now();
  const limitMs = leftMs();
  const kept = keepProgress(turn.progress ?? noProgress);
  // Without a context the store did not answer when the turn was accepted: whether it is on record is not known.
  let isRecorded = generation !== null;
  let isOver = false;
  let writes = 0;
  let requests = 1;
  const leaseUntilMs = () => leaseEnd(clock.now(), timing, deadlineMs);
  let heldUntilMs = leaseUntilMs();
  const isRunSilent = () => isSilent(kept.progress, turn, openedAtMs, clock.now());
  const { renewMs } = timing;
  const renewals = createRenewals({ clock, renewMs, watch, isSilent: isRunSilent, renew: () => void write() });
  /** Requests follow each other, so that an older progress never overwrites a newer one. */
  let writing: Promise<Behind | null> = Promise.resolve(null);

  /**
   * Whether the run belongs to the conversation as the store knows it. Without its context the conversation was begun anew
   * here, and the one that the store knows goes on later. The run of a form belongs where it was started: that may be another
   * person's conversation, or one that a person has begun anew since.
   */
  const isOwnConversation = () => generation !== null && !turn.form && !kept.progress.form;

  const remembered = () => ({
    conversationKey: turn.conversationKey,
    generation: generation ?? '',
    difyConversationId: isOwnConversation() ? (kept.progress.ids.conversationId ?? null) : null,
    ttlMs: options.conversationTtlMs,
  });

  /** Enough time remains here to begin with another turn. */
  const hasTime = () => leftMs() >= Math.min(MIN_TIME_FOR_NEXT_MS, limitMs / 2);

  function put(untilMs: () => number): Promise<Behind | null> {
    writes += 1;
    renewals.noteWritten();
    writing = writing.then(() => send(untilMs()));
    return writing;
  }

  async function send(untilMs: number): Promise<Behind | null> {
    const request = { turnId: turn.id, fence, nowMs: clock.now(), leaseUntilMs: untilMs };
    requests += 1;
    try {
      const progress = JSON.stringify(kept.progress);
      const reply = await state.renew({ ...request, progress, remembered: remembered() });
      // The request that accepted the turn got no answer: it may have been carried out or not.
      if (reply.kind === 'unknown' && !isRecorded) return null;
      if (reply.kind !== 'held') {
        lose();
        return null;
      }
      isRecorded = true;
      heldUntilMs = untilMs;
      onRunning(reply.running, false);
      if (reply.isStopped) stopAsked.abort();
      if (reply.behind !== 'nothing' && isRunSilent())
        silent.abort(new BridgeError('dify_stalled', 'the run went silent'));
      if (reply.overdue.length > 0 && !isOver && !shutdown.aborted && hasTime()) onOverdue(reply.overdue);
      return reply.behind;
    } catch {
      // The fallback of the store logs once for all answers that the store is down.
      log.debug('lease_not_renewed', { turn: turn.reference, code: 'store_unavailable' });
      renewals.retrySoon();
      return null;
    }
  }

  function lose(): void {
    end();
    if (lost.signal.aborted) return;
    log.warn('turn_lost', { turn: turn.reference });
    lost.abort(new Error('the turn was taken over'));
  }

  async function write(): Promise<Behind | null> {
    return isOver ? null : put(leaseUntilMs);
  }

  function end(): void {
    isOver = true;
    renewals.end();
  }

  async function tryFinish(outcome: Outcome): Promise<Ended> {
    const nowMs = clock.now();
    const isLeft = shutdown.aborted && state.isDurable;
    const isOurs = !isLeft && hasTime();
    requests += 1;
    const reply = await state.finish({
      ...outcome,
      turnId: turn.id,
      fence,
      owner,
      nowMs,
      spent: kept.progress.calls,
      cardKey: kept.progress.cardKey,
      remembered: remembered(),
      nextLeaseUntilMs: isOurs ? leaseUntilMs() : nowMs,
    });
    if (reply.kind === 'lost') return { isOnRecord: false, isStopped: false, next: null };
    onRunning(reply.running, true);
    return { isOnRecord: true, isStopped: reply.isStopped, next: reply.next && { turn: reply.next, isOurs } };
  }

  return {
    lost: lost.signal,
    stopAsked: stopAsked.signal,
    silent: silent.signal,
    get progress() {
      return kept.progress;
    },
    get requests() {
      return requests;
    },
    get mayBeLeft() {
      return isRecorded && (state.isDurable || !shutdown.aborted);
    },
    note: kept.note,
    noteText: kept.noteText,
    write,
    async isHeld() {
      if (clock.now() >= heldUntilMs) await write();
      return !lost.signal.aborted;
    },
    writeWithin(ms, ready) {
      const written = writes;
      const writeNow = () => {
        if (writes === written && !isOver) void put(leaseUntilMs);
      };
      clock.schedule(ms, writeNow);
      void ready?.then(writeNow);
    },
    stop: end,
    async release() {
      end();
      await put(() => clock.now());
    },
    async finish(outcome) {
      end();
      await writing;
      // A turn that may not be on record is ended there too, so that no instance takes it over, but is tried only twice.
      const pausesMs = isRecorded ? FINISH_RETRY_MS : FINISH_RETRY_MS.slice(0, 1);
      try {
        return await retry(() => tryFinish(outcome), { clock, pausesMs });
      } catch {
        if (isRecorded) log.error('turn_not_ended', { turn: turn.reference, code: 'store_unavailable' });
        return { isOnRecord: false, isStopped: false, next: null };
      }
    },
  };
}

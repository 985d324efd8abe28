import type { TurnProgress } from './turn.ts';
import { sleep, type Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { monthOf } from '../state/budget.ts';
import type { FinishRequest, StartedTurn, State } from '../state/state.ts';
import { keepProgress, type KeptProgress } from './record.ts';

/** The hold on a running turn: kept while the answer is written, so that nobody else takes it over. */
export interface Lease extends KeptProgress {
  /** Aborts when somebody else has taken the turn over: from then on nothing may be shown. */
  readonly lost: AbortSignal;
  /** Whether the turn is known to be on record, so that somebody else can take it over. */
  readonly isRecorded: boolean;
  /** Requests to the store so far for this turn, by this holder; the one that accepted it included. */
  readonly requests: number;
  /** Puts the progress on record now. Never rejects. */
  write(): Promise<void>;
  /**
   * Whether the turn is still held here, as far as can be known: the store is asked when the lease has lapsed, because
   * this process stood still perhaps. Never rejects.
   */
  isHeld(): Promise<boolean>;
  /** Puts the progress on record within this time, or as soon as something is `ready`, unless it is written before. */
  writeWithin(ms: number, ready?: Promise<unknown>): void;
  /** Renews no more. The turn is left to whoever takes it over when the lease lapses. */
  stop(): void;
  /** Gives the turn up, with its progress on record, for whoever takes it over. Never rejects. */
  release(): Promise<void>;
  /** Ends the turn. Never rejects. */
  finish(outcome: Pick<FinishRequest, 'failure' | 'receipt' | 'form'>): Promise<Ended>;
}

export interface Ended {
  /** Somebody stopped the turn while it ran, on another instance perhaps. */
  isStopped: boolean;
  /** The next turn of the conversation, if one waits. */
  next: NextTurn | null;
}

export interface NextTurn {
  turn: StartedTurn;
  /** False when too little time is left here: a fresh invocation shall take it over. */
  isOurs: boolean;
}

export interface LeaseTiming {
  /** How long a turn is left to its holder without a word. */
  leaseMs: number;
  /** How often the holder says that it is still there. */
  renewMs: number;
}

/** A function that died is noticed after 40 s at most, at the price of one request every 27 s. */
export const LEASE_TIMING: LeaseTiming = { leaseMs: 40_000, renewMs: 27_000 };

export interface LeaseOptions {
  state: State;
  clock: Clock;
  log: Log;
  timing: LeaseTiming;
  turnId: string;
  reference: string;
  fence: number;
  owner: string;
  conversationKey: string;
  /** Null when the store did not answer the claim: then it is not known whether the turn is on record. */
  generation: string | null;
  conversationTtlMs: number | null;
  /** When the invocation ends; a lease does not outlive it by more than a few seconds. */
  deadlineMs: number | null;
  progress: TurnProgress;
  /** Told with each reply of the store: answers being written in all instances; -1 when this one is no more among them. */
  onRunning: (running: number, entering: -1 | 0) => void;
  /** The asker has stopped the answer, on another instance perhaps. */
  onStopped: () => void;
  /** The process is about to end: what waits is left to another one, if there can be one. */
  isEnding: () => boolean;
}

const DEADLINE_SLACK_MS = 3_000;

/** Below this much time (or half of a shorter limit) the next turn is not begun here but left to a fresh invocation. */
const MIN_TIME_FOR_NEXT_MS = 30_000;

/** Pauses between tries to end a turn while the store is down. After that its lease lapses and somebody else ends it. */
const FINISH_RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000] as const;

/** Until when a lease taken now lasts: not much longer than the invocation that holds it. */
export function leaseEnd(nowMs: number, { leaseMs }: LeaseTiming, deadlineMs: number | null): number {
  return deadlineMs === null ? nowMs + leaseMs : Math.min(nowMs + leaseMs, deadlineMs + DEADLINE_SLACK_MS);
}

export function openLease(options: LeaseOptions): Lease {
  const { state, clock, log, timing, turnId, fence, owner } = options;
  const controller = new AbortController();
  const limitMs = options.deadlineMs === null ? Number.POSITIVE_INFINITY : options.deadlineMs - clock.now();
  const kept = keepProgress(options.progress);
  let isRecorded = options.generation !== null;
  let isOver = false;
  let writes = 0;
  let requests = 1;
  let heldUntilMs = leaseEnd(clock.now(), timing, options.deadlineMs);
  let cancelTimer = clock.schedule(timing.renewMs, renew);
  /** Requests follow each other, so that an older progress never overwrites a newer one. */
  let writing: Promise<void> = Promise.resolve();

  const leaseUntilMs = () => leaseEnd(clock.now(), timing, options.deadlineMs);

  const remembered = () => ({
    conversationKey: options.conversationKey,
    generation: options.generation ?? '',
    // Without its context the conversation was begun anew here; the one that the store knows goes on later.
    difyConversationId: options.generation === null ? null : (kept.progress.ids.conversationId ?? null),
    ttlMs: options.conversationTtlMs,
  });

  function put(untilMs: () => number): Promise<void> {
    writes += 1;
    writing = writing.then(async () => {
      try {
        const request = { turnId, fence, nowMs: clock.now(), leaseUntilMs: untilMs() };
        requests += 1;
        const reply = await state.renew({
          ...request,
          progress: JSON.stringify(kept.progress),
          remembered: remembered(),
        });
        // A claim without an answer may have been carried out or not.
        if (reply.kind === 'unknown' && !isRecorded) return;
        if (reply.kind !== 'held') {
          lose();
          return;
        }
        isRecorded = true;
        heldUntilMs = request.leaseUntilMs;
        options.onRunning(reply.running, 0);
        if (reply.isStopped) options.onStopped();
      } catch {
        // That the store is down has been said once for all answers.
        log.debug('lease_not_renewed', { turn: options.reference, code: 'store_unavailable' });
      }
    });
    return writing;
  }

  function lose(): void {
    isOver = true;
    cancelTimer();
    if (controller.signal.aborted) return;
    log.warn('turn_lost', { turn: options.reference });
    controller.abort(new Error('the turn was taken over'));
  }

  function renew(): void {
    if (isOver) return;
    cancelTimer = clock.schedule(timing.renewMs, renew);
    void put(leaseUntilMs);
  }

  async function write(): Promise<void> {
    if (isOver) return;
    cancelTimer();
    cancelTimer = clock.schedule(timing.renewMs, renew);
    await put(leaseUntilMs);
  }

  function end(): void {
    isOver = true;
    cancelTimer();
  }

  return {
    lost: controller.signal,
    get progress() {
      return kept.progress;
    },
    get requests() {
      return requests;
    },
    get isRecorded() {
      return isRecorded;
    },
    note: kept.note,
    noteText: kept.noteText,
    write,
    async isHeld() {
      if (clock.now() >= heldUntilMs) await write();
      return !controller.signal.aborted;
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
    async finish({ failure, receipt, form }) {
      end();
      await writing;
      // What is perhaps not on record is ended there too, so that nobody takes it over; but not at any price.
      for (const pauseMs of isRecorded ? [...FINISH_RETRY_MS, null] : [FINISH_RETRY_MS[0], null]) {
        try {
          const nowMs = clock.now();
          const leftMs = options.deadlineMs === null ? Number.POSITIVE_INFINITY : options.deadlineMs - nowMs;
          const isLeft = options.isEnding() && state.isDurable;
          const isOurs = !isLeft && leftMs >= Math.min(MIN_TIME_FOR_NEXT_MS, limitMs / 2);
          requests += 1;
          const reply = await state.finish({
            turnId,
            fence,
            owner,
            nowMs,
            failure,
            month: monthOf(nowMs),
            spent: kept.progress.calls,
            remembered: remembered(),
            receipt,
            form,
            nextLeaseUntilMs: isOurs ? leaseUntilMs() : nowMs,
          });
          if (reply.kind === 'lost') return { isStopped: false, next: null };
          options.onRunning(reply.running, -1);
          return { isStopped: reply.isStopped, next: reply.next && { turn: reply.next, isOurs } };
        } catch {
          if (pauseMs === null) break;
          await sleep(clock, pauseMs);
        }
      }
      if (isRecorded) log.error('turn_not_ended', { turn: options.reference, code: 'store_unavailable' });
      return { isStopped: false, next: null };
    },
  };
}

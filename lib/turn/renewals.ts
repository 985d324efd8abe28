import type { Clock } from '../runtime/clock.ts';
import type { Turn, TurnProgress } from './turn.ts';
import { WATCH_MS, type Watch } from './watch.ts';

/** After a renewal that the store did not answer: the lease has little time left. */
const RETRY_MS = 2_000;

/** A run without an event for so long gives way to the next question: its worker may have died. */
const SILENT_MS = 120_000;

/** How long an instance that takes a turn over listens before it calls its run silent. */
const LISTEN_MS = 20_000;

/** No event came for a long time. Before the first one the question may still wait for a worker of Dify. */
export function isSilent(
  { eventAtMs, askedAtMs = 0 }: TurnProgress,
  { mayHaveBeenAsked }: Pick<Turn, 'mayHaveBeenAsked'>,
  openedAtMs: number,
  nowMs: number,
): boolean {
  if (eventAtMs === undefined && !mayHaveBeenAsked) return false;
  const heardAtMs = Math.max(eventAtMs ?? 0, askedAtMs, openedAtMs - SILENT_MS + LISTEN_MS);
  return nowMs - heardAtMs >= SILENT_MS;
}

/** When a lease is renewed. */
export interface Renewals {
  /** Progress is put on record just now, which renews the lease: the next time is a while later. */
  noteWritten(): void;
  /** The store did not answer: the next time is soon. */
  retrySoon(): void;
  end(): void;
}

export interface RenewalOptions {
  clock: Clock;
  renewMs: number;
  /** When the store has to be asked for answers of other instances. */
  watch: Pick<Watch, 'noteAsked' | 'dueInMs'>;
  /** A renewal that finds a question behind a silent run ends it, so it comes earlier. */
  isSilent: () => boolean;
  renew: () => void;
}

export function createRenewals({ clock, renewMs, watch, isSilent: isRunSilent, renew }: RenewalOptions): Renewals {
  let writtenAtMs = clock.now();
  let dueAtMs = writtenAtMs + renewMs;
  let isOver = false;
  // The store has just told of answers without an instance, as with each new question. And a write at once could come
  // before what the instance that opened the card of a waiting question has to record.
  watch.noteAsked();
  let cancelTimer = schedule();

  function pauseMs(): number {
    const nextAtMs = isRunSilent() ? Math.min(dueAtMs, writtenAtMs + WATCH_MS) : dueAtMs;
    return Math.max(0, Math.min(nextAtMs - clock.now(), watch.dueInMs()));
  }

  /** Looks again at least this often: what makes a renewal due can change meanwhile. */
  function schedule(): () => void {
    return clock.schedule(Math.min(pauseMs(), WATCH_MS), () => (pauseMs() > 0 ? restart() : renew()));
  }

  function restart(): void {
    cancelTimer();
    if (!isOver) cancelTimer = schedule();
  }

  return {
    noteWritten() {
      writtenAtMs = clock.now();
      dueAtMs = writtenAtMs + renewMs;
      watch.noteAsked();
      restart();
    },
    retrySoon() {
      dueAtMs = Math.min(dueAtMs, clock.now() + RETRY_MS);
      restart();
    },
    end() {
      isOver = true;
      cancelTimer();
    },
  };
}

import type { Clock } from '../runtime/clock.ts';

/**
 * How long an instance goes without a reply of the store while other instances write answers. The reply tells which
 * answers have no instance any more. An instance alone has none to look for, and saves the requests.
 */
export const WATCH_MS = 10_000;

/** When this instance asks the store for answers whose instance died. */
export interface Watch {
  /** A request goes out whose reply tells it. */
  noteAsked(): void;
  /** So many answers are written here, and in all instances. */
  noteRunning(here: number, total: number): void;
  /** In how many milliseconds the store has to be asked; infinite while no other instance writes an answer. */
  dueInMs(): number;
}

export function createWatch(clock: Pick<Clock, 'now'>): Watch {
  let askedAtMs = clock.now();
  let hasOthers = false;
  return {
    noteAsked: () => void (askedAtMs = clock.now()),
    noteRunning: (here, total) => void (hasOthers = total > here),
    dueInMs: () => (hasOthers ? askedAtMs + WATCH_MS - clock.now() : Number.POSITIVE_INFINITY),
  };
}

import type { Clock } from '../runtime/clock.ts';

/** A quick answer needs no hint, so the first one waits for so long. Each hint costs a call of the month. */
const FIRST_HINT_MS = 1_000;

const HINT_GAP_MS = 2_500;

/** The newest hint, as soon as the pause since the one before is over; none after `end`. */
export function createHints(clock: Clock, show: (render: () => string) => void) {
  let lastAtMs = clock.now() + FIRST_HINT_MS - HINT_GAP_MS;
  let next: (() => string) | null = null;
  let isOver = false;

  function showNext(): void {
    const render = next;
    next = null;
    if (!render || isOver) return;
    lastAtMs = clock.now();
    show(render);
  }

  return {
    show(render: () => string): void {
      const isScheduled = next !== null;
      next = render;
      if (!isScheduled) clock.schedule(Math.max(0, lastAtMs + HINT_GAP_MS - clock.now()), showNext);
    },
    end(): void {
      isOver = true;
    },
  };
}

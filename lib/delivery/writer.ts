import { isPassing, isUnanswered } from '../errors.ts';
import { sleep, withTimeout, type Clock } from '../runtime/clock.ts';
import type { Pace } from './pace.ts';
import type { CardSink, Frame } from './sink.ts';

/** Shows a growing text on a card: the newest snapshot wins, one call at a time, the last one always lands. */
export interface Writer {
  /** There is something new to show; `render` is called only when its frame is sent. */
  show(render: () => string): void;
  /**
   * Ends the card. Typing frames stop, a frame under way is waited for, and the last one is repeated until it is
   * shown or the patience is used up.
   *
   * @param mayHaveEnded another instance may have ended the card before: then a refusal of the last frame is its end.
   * @throws BridgeError when the card could not be ended.
   */
  finish(last: LastFrame): Promise<void>;
  /** Stops typing without an end: somebody else ends the card. A frame under way is waited for. */
  leave(last?: string): Promise<void>;
  /** Typing frames sent so far, without the last. */
  readonly frames: number;
  /** Whether one of them was shown. */
  readonly hasShown: boolean;
}

export interface LastFrame {
  text: string;
  state: 'finished' | 'failed';
  mayHaveEnded?: boolean;
}

export interface WriterOptions {
  sink: CardSink;
  /** Resolves when the card is there; frames wait for it. */
  opened: Promise<void>;
  pace: Pace;
  clock: Clock;
  newId: () => string;
  /** Pause between delivery and the first frame, and before the last, for tenants that need it. */
  settleMs: number;
  onFrameFailed: (error: unknown) => void;
  /** Told after each typing frame that is shown. */
  onFrameShown: () => void;
  /** Waits for the right to make a call: all answers share one limit, and last frames go first. */
  slot: (priority: 'last' | 'typing', signal?: AbortSignal) => Promise<void>;
}

/** A frame that takes longer than this is not waited for any more when the answer is complete. */
const IN_FLIGHT_PATIENCE_MS = 3_000;

/** Pauses before each repeat of the last frame. DingTalk counts its limits by the second. */
const LAST_FRAME_RETRY_MS = [1_000, 1_500, 2_500, 4_000] as const;

/** And then, where the card has shown something: whoever reads it waits for its end, and a card that works will work. */
const SHOWN_RETRY_MS = [...LAST_FRAME_RETRY_MS, 6_000] as const;

/** After this many failures in a row typing stops; only the last frame is still tried. */
const MAX_FAILURES = 3;

/** A limit of calls per second is over after one. */
const SLOW_DOWN_MS = 1_200;

export function createWriter(options: WriterOptions): Writer {
  const { sink, pace, clock, newId } = options;
  let latest: (() => string) | null = null;
  let lastText: string | null = null;
  let ready = false;
  let closed = false;
  const closing = new AbortController();
  let frames = 0;
  let failed = 0;
  let firstAtMs = 0;
  let lastAtMs = 0;
  let notBeforeMs = 0;
  let inFlight: Promise<void> | null = null;
  let cancelTimer: (() => void) | null = null;

  options.opened
    .then(() => sleep(clock, options.settleMs))
    .then(
      () => {
        ready = true;
        schedule();
      },
      // Whoever opens the card knows already; without it there is nothing to write to.
      () => {
        closed = true;
      },
    );

  function schedule(): void {
    if (!ready || closed || !latest || inFlight || cancelTimer) return;
    const now = clock.now();
    const waitMs = pace.waitMs(frames, frames === 0 ? 0 : now - firstAtMs, now - lastAtMs);
    if (waitMs === null) return;
    const pauseMs = Math.max(waitMs, notBeforeMs - now);
    if (pauseMs <= 0) {
      sendLatest();
      return;
    }
    cancelTimer = clock.schedule(pauseMs, () => {
      cancelTimer = null;
      sendLatest();
    });
  }

  function sendLatest(): void {
    if (closed || inFlight) return;
    inFlight = send().finally(() => {
      inFlight = null;
      schedule();
    });
  }

  async function send(): Promise<void> {
    try {
      await options.slot('typing', closing.signal);
    } catch {
      return;
    }
    const render = latest;
    latest = null;
    let text = '';
    try {
      // Only now, so that what came while waiting is in it.
      text = render?.() ?? '';
    } catch (error) {
      // Nobody waits for this frame who could hear of it.
      options.onFrameFailed(error);
    }
    if (closed || text === '' || text === lastText) return;
    lastAtMs = clock.now();
    if (frames === 0) firstAtMs = lastAtMs;
    frames += 1;
    await write({ text, state: 'typing', id: newId() });
  }

  /** Never rejects: a frame that was not shown is made good by the next. */
  async function write(frame: Frame): Promise<void> {
    try {
      await sink.write(frame);
      lastText = frame.text;
      failed = 0;
      options.onFrameShown();
    } catch (error) {
      failed += 1;
      notBeforeMs = clock.now() + SLOW_DOWN_MS * failed;
      if (failed >= MAX_FAILURES) closed = true;
      options.onFrameFailed(error);
    }
  }

  async function finish({ text, state, mayHaveEnded = false }: LastFrame): Promise<void> {
    closed = true;
    closing.abort();
    cancelTimer?.();
    if (inFlight) await settled(inFlight, clock, IN_FLIGHT_PATIENCE_MS);
    await sleep(clock, options.settleMs);
    let frame: Frame = { text, state, id: newId() };
    let mayBeShown = false;
    for (const pauseMs of [...(lastText === null ? LAST_FRAME_RETRY_MS : SHOWN_RETRY_MS), null]) {
      try {
        await options.slot('last');
        await sink.write(frame);
        return;
      } catch (error) {
        options.onFrameFailed(error);
        // An ended card takes nothing more: then a try without an answer has ended it.
        if ((mayBeShown || mayHaveEnded) && sink.saysEnded(error)) return;
        mayBeShown ||= isUnanswered(error);
        if (pauseMs === null) throw error;
        if (state === 'failed' && sink.refusesState(error)) {
          // A template whose failed state is not enabled refuses it; a finished card with the same words is better
          // than one that spins for ever.
          state = 'finished';
        } else if (!isPassing(error)) throw error;
        await sleep(clock, pauseMs);
        // Without an answer the call may have been carried out, so it keeps its id; a refused one needs a new one.
        frame = { text, state, id: mayBeShown ? frame.id : newId() };
      }
    }
  }

  return {
    show(render) {
      latest = render;
      schedule();
    },
    finish,
    async leave(last) {
      closed = true;
      closing.abort();
      cancelTimer?.();
      if (inFlight) await settled(inFlight, clock, IN_FLIGHT_PATIENCE_MS);
      if (last === undefined || !ready) return;
      await options.slot('last');
      await write({ text: last, state: 'typing', id: newId() });
    },
    get frames() {
      return frames;
    },
    get hasShown() {
      return lastText !== null;
    },
  };
}

/** Waits for work that never rejects, but not for ever. */
async function settled(work: Promise<void>, clock: Clock, patienceMs: number): Promise<void> {
  await withTimeout(clock, patienceMs, () => work).catch(() => undefined);
}

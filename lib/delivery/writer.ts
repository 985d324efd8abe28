import { isPassing, isUnanswered, isUnsafe, mayBeDone } from '../errors.ts';
import { endQuietly, sleep, within, type Clock } from '../runtime/clock.ts';
import type { Pace } from './pace.ts';
import type { CardSink, Frame } from './sink.ts';

/**
 * Shows a growing text on a card: always the newest snapshot, one call at a time, and the last frame is repeated until
 * it is shown.
 */
export interface Writer {
  /** There is something new to show; `render` is called only when its frame is sent. */
  show(render: () => string): void;
  /**
   * Ends the card. Typing stops, a frame under way is waited for, and the last frame is repeated until it is shown or
   * the pauses are used up.
   *
   * @throws BridgeError when the card could not be ended. It says that the content check refused the text also where
   * only a typing frame was refused so: the text must not be sent by any other way.
   */
  finish(last: LastFrame): Promise<void>;
  /** Ends the card with this text where frames cannot. @throws BridgeError when it was not changed. */
  close(text: string): Promise<void>;
  /** Whether a failure says that there is no such card. */
  saysMissing(error: unknown): boolean;
  /**
   * Stops typing without an end, because another instance ends the card. A frame under way is waited for, then `last`
   * is shown.
   */
  leave(last?: string): Promise<void>;
  /** Typing frames sent so far, without the last. */
  readonly frames: number;
  /** Whether one of them was shown. */
  readonly hasShown: boolean;
}

export interface LastFrame {
  text: string;
  state: 'finished' | 'failed';
  /** Another instance may have ended the card before. Then a refusal that says so is taken for the end. */
  mayHaveEnded?: boolean;
}

export interface WriterOptions {
  sink: CardSink;
  /** Resolves when the card is there; frames wait for it. */
  opened: Promise<void>;
  pace: Pace;
  clock: Clock;
  newId: () => string;
  /** Pause between delivery and the first frame, and before the last, in milliseconds; 0 for most tenants. */
  settleMs: number;
  onFrameFailed: (error: unknown) => void;
  /** Called after each typing frame that is shown. */
  onFrameShown: () => void;
  /** Waits until a call may be made: all answers share one limit, and last frames go first. */
  slot: (priority: 'last' | 'typing', signal?: AbortSignal) => Promise<void>;
}

/** The longest wait for a frame under way once the answer is complete. */
const IN_FLIGHT_PATIENCE_MS = 3_000;

/** Pauses before each repeat of the last frame. DingTalk counts its limits by the second. */
const LAST_FRAME_RETRY_MS = [1_000, 1_500, 2_500, 4_000] as const;

/** One repeat more for a card that has shown a frame: its reader waits for the end, and the template works. */
const SHOWN_RETRY_MS = [...LAST_FRAME_RETRY_MS, 6_000] as const;

/** Failures in a row after which typing stops. The last frame is still tried. */
const MAX_FAILURES = 3;

/** Pause after a failed frame, times the failures in a row. DingTalk counts its limit by the second. */
const SLOW_DOWN_MS = 1_200;

export function createWriter(options: WriterOptions): Writer {
  const { sink, pace, clock, newId } = options;
  let latest: (() => string) | null = null;
  let lastText: string | null = null;
  let unsafe: unknown = null;
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
      // There is no card to write to. The caller that opened it handles the failure.
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
      // Rendered after the wait, so that the frame has the newest text.
      text = render?.() ?? '';
    } catch (error) {
      // No caller waits for a typing frame, so the failure goes to the log.
      options.onFrameFailed(error);
    }
    if (closed || text === '' || text === lastText) return;
    lastAtMs = clock.now();
    if (frames === 0) firstAtMs = lastAtMs;
    frames += 1;
    const mayRepeat = await write({ text, state: 'typing', id: newId() });
    // No other frame would show these words before there are more.
    if (mayRepeat) latest ??= render;
  }

  /** Returns whether the same frame may be shown a moment later. Never rejects: the next one has its text too. */
  async function write(frame: Frame): Promise<boolean> {
    try {
      await sink.write(frame);
      lastText = frame.text;
      failed = 0;
      options.onFrameShown();
      return false;
    } catch (error) {
      if (isUnsafe(error)) unsafe = error;
      failed += 1;
      notBeforeMs = clock.now() + SLOW_DOWN_MS * failed;
      if (failed >= MAX_FAILURES) closed = true;
      options.onFrameFailed(error);
      return isPassing(error);
    }
  }

  /** No more typing frames. Waits for a frame under way, but not longer than its patience. */
  async function stopTyping(): Promise<void> {
    closed = true;
    endQuietly(closing);
    cancelTimer?.();
    const sending = inFlight;
    if (sending) await within(clock, IN_FLIGHT_PATIENCE_MS, sending).catch(() => undefined);
  }

  // Not by `retry`: what a repeat sends depends on how the tries before it failed.
  async function finish({ text, state, mayHaveEnded = false }: LastFrame): Promise<void> {
    await stopTyping();
    await sleep(clock, options.settleMs);
    const pausesMs = lastText === null ? LAST_FRAME_RETRY_MS : SHOWN_RETRY_MS;
    let frame: Frame = { text, state, id: newId() };
    /** A frame that was sent before may have ended the card. Then the card refuses every other one. */
    let isInDoubt = mayHaveEnded;
    for (const pauseMs of [...pausesMs, null]) {
      try {
        await options.slot('last');
        await sink.write(frame);
        return;
      } catch (error) {
        options.onFrameFailed(error);
        if (isInDoubt && state === 'finished' && sink.saysEnded(error)) return;
        if (pauseMs === null) throw unsafe ?? error;
        if (state === 'failed' && sink.refusesState(error)) {
          // The template has no failed state. A finished card with the same words is better than one that never ends.
          state = 'finished';
        } else if (isPassing(error)) {
          isInDoubt ||= mayBeDone(error);
        } else throw unsafe ?? error;
        await sleep(clock, pauseMs);
        // After a try without an answer the frame keeps its id, so that DingTalk applies it once. An answered one gets a
        // new id, because DingTalk might answer the old one from memory, or refuse it because it was used.
        frame = { text, state, id: isUnanswered(error) ? frame.id : newId() };
      }
    }
  }

  return {
    show(render) {
      latest = render;
      schedule();
    },
    finish,
    async close(text) {
      await stopTyping();
      await sink.close(text);
    },
    saysMissing: (error) => sink.saysMissing(error),
    async leave(last) {
      await stopTyping();
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

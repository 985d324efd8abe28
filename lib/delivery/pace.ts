export type Streaming = 'smooth' | 'balanced' | 'thrifty' | 'off';

/** When the next frame of an answer may be shown. */
export interface Pace {
  /**
   * Milliseconds to wait before the next frame; null when no more typing frames are allowed.
   *
   * @param shown frames shown so far.
   * @param sinceFirstMs time since the first of them was sent; 0 before.
   * @param sinceLastMs time since the last of them was sent.
   */
  waitMs(shown: number, sinceFirstMs: number, sinceLastMs: number): number | null;
}

type MakePace = (reserved: () => number) => Pace;

/** The least time between two frames: DingTalk has answered closer ones with 403, and readers see no difference. */
const MIN_GAP_MS = 400;

/**
 * Frames as a power of time: frame k (from 0) comes no earlier than `5 s * (k / framesIn5s) ^ exponent` after the
 * first. Frames are close at the start, where the reader waits for words, and rare later, where each only costs a call.
 * The curve limits answers of any length. While the app is silent its frames are saved up: the curve does not move.
 */
const powerPace =
  (framesIn5s: number, exponent: number, minGapMs: number): MakePace =>
  (reserved) => {
    const earliestMs = (frame: number) => 5_000 * (frame / Math.max(1, framesIn5s - reserved())) ** exponent;
    return {
      waitMs: (shown, sinceFirstMs, sinceLastMs) =>
        shown === 0 ? 0 : Math.max(earliestMs(shown) - sinceFirstMs, minGapMs - sinceLastMs, 0),
    };
  };

/** A few frames at fixed times, then none until the end. */
const fixedPace =
  (atMs: readonly number[]): MakePace =>
  (reserved) => ({
    waitMs(shown, sinceFirstMs) {
      const next = shown < Math.max(1, atMs.length - reserved()) ? atMs[shown] : undefined;
      return next === undefined ? null : Math.max(0, next - sinceFirstMs);
    },
  });

/**
 * The contract's budgets, as calls for an answer of 5 s / 60 s / 5 min. One call creates the card and one ends it, so
 * the curves allow two frames less: smooth 14/45/90, balanced 8/20/40, thrifty 5/5/5, off 2/2/2.
 */
const PACES: Readonly<Record<Streaming, MakePace>> = {
  smooth: powerPace(11.5, 2.05, 250),
  balanced: powerPace(5.5, 2.15, MIN_GAP_MS),
  thrifty: fixedPace([0, 1_500, 6_000]),
  off: fixedPace([]),
};

/** @param reserved calls that the answer takes beside its frames; as many frames are left out, the late ones. */
export function paceOf(streaming: Streaming, reserved: () => number = () => 0): Pace {
  return PACES[streaming](reserved);
}

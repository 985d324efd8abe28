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

/** No frames closer than this: closer ones have met 403 in the field, and nobody reads faster. */
const MIN_GAP_MS = 400;

/**
 * Frames as a power of time: frame k (from 0) comes no earlier than `5 s * (k / framesIn5s) ^ exponent` after the first. Quick at the start, where speed is felt; slow later, where every call only costs. A budget for any length of
 * answer, and frames that a silent app did not need are not lost: they stay within the same curve.
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

/** @param reserved calls that something else of the answer takes: there are as many frames less, late ones. */
export function paceOf(streaming: Streaming, reserved: () => number = () => 0): Pace {
  return PACES[streaming](reserved);
}

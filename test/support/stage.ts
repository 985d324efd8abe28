import { afterEach, expect } from 'vitest';
import { startBridge, type Bridge, type BridgeOptions } from './bridge.ts';
import { createFastClock } from './virtual-clock.ts';

/**
 * A bridge for each test of a file. Whatever the story, at its end nothing was sent that the real DingTalk or Dify
 * would refuse, and no connection to Dify is left open.
 */
export function stage(): { start: (options?: BridgeOptions) => Promise<Bridge>; bridge: () => Bridge } {
  let current: Bridge | null = null;

  afterEach(async () => {
    const bridge = current;
    current = null;
    if (!bridge) return;
    await bridge.idle();
    try {
      expect(bridge.dingtalk.violations).toEqual([]);
      expect(bridge.dify.violations).toEqual([]);
      await expect.poll(() => bridge.dify.openStreams).toEqual([]);
    } finally {
      await bridge.close();
    }
  });

  return {
    start: async (options) => (current = await startBridge(options)),
    bridge() {
      if (!current) throw new Error('start the bridge first');
      return current;
    },
  };
}

/** Seconds of such a story pass in fractions of one. */
export const fast = (speed = 20) => ({ clock: createFastClock(speed) });

/** An answer of these deltas, a few milliseconds apart. */
export const words = (...texts: string[]) => ({ chunks: texts.map((text) => ({ afterMs: 5, text })) });

/** An answer that stops after its first word until `goOn` is called: for what happens while it is being written. */
export function heldAnswer() {
  const { promise: when, resolve: goOn } = Promise.withResolvers<void>();
  return { goOn, script: (text: string) => ({ chunks: [{ text: 'well, ' }, { when, text }] }) };
}

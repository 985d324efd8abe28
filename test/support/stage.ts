import { afterEach, expect, inject, test } from 'vitest';
import { startBridge, type Bridge, type BridgeOptions, type Door } from './bridge.ts';
import { createFastClock } from './virtual-clock.ts';

declare module 'vitest' {
  interface ProvidedContext {
    door: Door;
  }
}

/** The way to the function that this run of the stories takes: each story is the same over both. */
export const door: Door = inject('door') ?? 'http';

/** A story of the signed callback alone: over a connection nothing is signed and no address is registered. */
export function overHttp(title: string, story: () => Promise<void>): void {
  // oxlint-disable-next-line vitest/valid-title, vitest/expect-expect -- it declares a test in the name of others
  if (door === 'http') test(title, story);
}

/** What the function answers to a message that it has taken. */
export const TAKEN = door === 'stream' ? '{}' : '{"msgtype":"empty"}';

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
      expect(bridge.gateway?.violations ?? []).toEqual([]);
      await expect.poll(() => bridge.dify.openStreams).toEqual([]);
    } finally {
      await bridge.close();
    }
  });

  return {
    start: async (options) => (current = await startBridge({ door, ...options })),
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

import type { Clock } from '../../runtime/clock.ts';

/** After so long without a sign of life this side pings. */
const PING_AFTER_MS = 20_000;
/** The network has lost the connection: not even the pong came. */
const DEAD_AFTER_MS = 40_000;
/**
 * DingTalk has lost the connection: the network answers, but no frame comes, and one comes every 20 to 30 s (seen in
 * the field). Together with the pause between two looks this stays below a minute.
 */
const SILENT_AFTER_MS = 50_000;
const LOOK_EVERY_MS = 5_000;

export interface SilenceOptions {
  clock: Clock;
  ping: () => void;
  /** Nothing at all came. */
  onDead: () => void;
  /** No frame came, though the network answers. Once. */
  onSilent: () => void;
}

/** Watches an open connection. TCP alone tells of a lost one after minutes, or never. */
export function watchSilence({ clock, ping, onDead, onSilent }: SilenceOptions) {
  let aliveAtMs = clock.now();
  let frameAtMs = aliveAtMs;
  let isSilent = false;
  let cancel = clock.schedule(LOOK_EVERY_MS, look);

  function look(): void {
    const nowMs = clock.now();
    if (nowMs - aliveAtMs >= DEAD_AFTER_MS) {
      onDead();
      return;
    }
    if (nowMs - frameAtMs >= SILENT_AFTER_MS && !isSilent) {
      isSilent = true;
      onSilent();
    }
    if (nowMs - aliveAtMs >= PING_AFTER_MS || nowMs - frameAtMs >= PING_AFTER_MS) ping();
    cancel = clock.schedule(LOOK_EVERY_MS, look);
  }

  return {
    /** A frame of DingTalk, or its own ping. */
    onFrame(): void {
      aliveAtMs = frameAtMs = clock.now();
    },
    onPong(): void {
      aliveAtMs = clock.now();
    },
    stop: () => cancel(),
  };
}

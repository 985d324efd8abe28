import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/runtime/clock.ts';
import { ping } from './encode.ts';
import type { Close, RunListener } from './player.ts';
import type { DifyFaultEffect, OpenStream } from './types.ts';

export interface EventStreamOptions {
  response: ServerResponse;
  clock: Clock;
  pingMs: number;
  /** How long a `silence-then-eof` lasts. */
  silenceMs: number;
  fault: DifyFaultEffect | undefined;
  stream: OpenStream;
}

/** The response side of a run: pings while it is quiet, and the injected ways to break off. */
export function openEventStream(options: EventStreamOptions): RunListener {
  const { response, clock, fault, stream } = options;
  const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : Infinity;
  let isMuted = false;
  let cancelTimer: (() => void) | undefined;

  const mute = () => {
    isMuted = true;
    cancelTimer?.();
  };

  const write = (bytes: Buffer) => {
    if (isMuted || response.destroyed || response.writableEnded) return;
    const room = limit - stream.bytes;
    const part = bytes.subarray(0, Math.min(bytes.length, room));
    stream.bytes += part.length;
    const isBroken = stream.bytes >= limit;
    // What was sent before the break must still arrive: the socket is destroyed only after it was flushed.
    const onFlushed = () => {
      if (isBroken && fault?.kind === 'cut') response.destroy();
    };
    if (part.length > 0) response.write(part, onFlushed);
    else onFlushed();
    if (isBroken) mute();
  };

  const keepAlive = () => {
    cancelTimer = clock.schedule(options.pingMs, () => {
      write(ping);
      if (!isMuted) keepAlive();
    });
  };

  const close = (how: Close) => {
    if (isMuted && limit !== Infinity) return;
    mute();
    if (how === 'eof') response.end();
    else if (how === 'cut')
      setImmediate(() => response.destroy()); // after what was written has left
    else if (how === 'silence-then-eof') cancelTimer = clock.schedule(options.silenceMs, () => response.end());
  };

  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  response.once('close', () => mute());
  keepAlive();
  return { write, close };
}

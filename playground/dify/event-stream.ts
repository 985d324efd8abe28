import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/runtime/clock.ts';
import { closed } from '../http/exchange.ts';
import { ping } from './encode.ts';
import type { Close, RunListener } from './player.ts';
import type { DifyFaultEffect, OpenStream } from './types.ts';

export interface EventStreamOptions {
  response: ServerResponse;
  clock: Clock;
  pingMs: number;
  /** How long a silence lasts before the relay closes the stream. 0: there is no relay. */
  silenceMs: number;
  /** How long a `slow-eof` takes. */
  closeMs: number;
  /** The headers wait for the first event. */
  lateHeaders: boolean;
  /** Whether a worker is at work, so that pings are sent. Default: always. */
  isWorking?: () => boolean;
  fault: DifyFaultEffect | undefined;
  stream: OpenStream;
}

/** The response side of a run: pings while it is quiet, and the injected ways to break off. */
export function openEventStream(options: EventStreamOptions): RunListener {
  const { response, clock, fault, stream, silenceMs, isWorking = () => true } = options;
  const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : Infinity;
  let isMuted = false;
  let cancelTimer: (() => void) | undefined;
  let cancelEnd: (() => void) | undefined;

  const mute = () => {
    isMuted = true;
    cancelTimer?.();
    cancelEnd?.();
  };

  /** A relay that has heard nothing for so long gives up. */
  const watchSilence = (endsAt = clock.now() + silenceMs) => {
    cancelEnd?.();
    if (silenceMs === 0) return;
    // It looks again, because the clock may be one that does not move by itself.
    cancelEnd = clock.schedule(Math.max(1, endsAt - clock.now()), () => {
      if (clock.now() >= endsAt) response.end();
      else watchSilence(endsAt);
    });
  };

  const write = (bytes: Buffer) => {
    if (isMuted || response.destroyed || response.writableEnded) return;
    watchSilence();
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
      if (isWorking()) write(ping);
      if (!isMuted) keepAlive();
    });
  };

  const close = (how: Close) => {
    if (isMuted && limit !== Infinity) return;
    mute();
    const end = () => void response.end();
    if (how === 'eof' || (how === 'slow-eof' && options.closeMs === 0)) end();
    else if (how === 'slow-eof') cancelEnd = clock.schedule(options.closeMs, end);
    else if (how === 'cut')
      setImmediate(() => response.destroy()); // after what was written has left
    else if (how === 'silence-then-eof') cancelEnd = clock.schedule(silenceMs, end);
  };

  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  if (!options.lateHeaders) response.flushHeaders();
  watchSilence();
  keepAlive();
  void closed(response).then(mute);
  return { write, close };
}

import { WebSocket } from 'ws';
import { safeUpstreamCode } from '../../errors.ts';
import type { OpenSocket } from './socket.ts';

/** Far above a callback of 1 MiB: a larger frame would end the connection, and come again on the next one. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** WebSockets by the package `ws`. */
export const openWebSocket: OpenSocket = (url, events) => {
  const socket = new WebSocket(url, { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  let why: Parameters<typeof events.onEnd>[0] = { status: null, network: null };
  socket.on('open', () => events.onOpen());
  socket.on('message', (data: Buffer) => events.onText(data.toString('utf8')));
  socket.on('ping', () => events.onPing());
  socket.on('pong', () => events.onPong());
  socket.on('unexpected-response', (request, { statusCode }) => {
    why = { status: statusCode ?? null, network: null };
    request.destroy();
    socket.terminate();
  });
  // `close` follows.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    why = { ...why, network: safeUpstreamCode(error.code) };
  });
  socket.on('close', () => events.onEnd(why));
  // Without a callback a failure to send would be thrown. What becomes of the connection is told by `close`.
  const ignore = () => undefined;
  return {
    send: (text) => socket.send(text, ignore),
    ping: () => socket.ping('', undefined, ignore),
    close: () => socket.close(),
    cut: () => socket.terminate(),
  };
};

import { keepStream, type OpenStream } from './stream.ts';
import { openWebSocket } from './web-socket.ts';

/** A robot's Stream connection over the network. */
export const openStream: OpenStream = (options) =>
  keepStream({ ...options, openSocket: openWebSocket, random: Math.random });

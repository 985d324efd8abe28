// A TCP proxy that counts the connections through it: what TLS would cost most is a new connection.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { listenOnLoopback } from '../../test/support/loopback.ts';

/**
 * Hides how long the server keeps a connection (a header of its answers), so that the instance's own rule is measured:
 * the simulators name ten minutes, and what DingTalk names is not known.
 */
const withoutHint = () =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString('latin1').replace('Keep-Alive: timeout', 'X-Keep-Liv: timeout'), 'latin1'));
    },
  });

export interface CountingProxy {
  url: string;
  readonly connections: number;
  close(): Promise<void>;
}

export async function createCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((inside) => {
    connections += 1;
    const outside = connect({ host: hostname, port: Number(port), noDelay: true });
    inside.setNoDelay(true);
    inside.pipe(outside);
    outside.pipe(withoutHint()).pipe(inside);
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const ownPort = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${ownPort}${pathname === '/' ? '' : pathname}`,
    get connections() {
      return connections;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

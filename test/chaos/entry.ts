// One public address for all instances, as on the platform: each request goes to the next instance.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../support/loopback.ts';

export interface Entry {
  url: string;
  close(): Promise<void>;
}

/** `instanceUrl` gives the address for the request of this number. */
export async function createEntry(instanceUrl: (served: number) => string): Promise<Entry> {
  let served = 0;

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const headers = new Headers(request.headers as Record<string, string>);
    for (const name of ['host', 'connection', 'content-length']) headers.delete(name);
    served += 1;
    const url = new URL(request.url ?? '/', instanceUrl(served));
    const answer = await fetch(url, { method: request.method ?? 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(await answer.text());
  }

  const server = createServer((request, response) => {
    // The instance was killed, so the caller gets a broken connection.
    pass(request, response).catch(() => request.socket.destroy());
  });
  return {
    url: `http://127.0.0.1:${await listenOnLoopback(server)}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

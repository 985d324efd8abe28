import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A real HTTP server on the loopback interface, so that resets, hangs and cut streams are real ones. */
export interface LocalServer {
  readonly origin: string;
  readonly port: number;
  /** Drops every open connection and stops listening. */
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export async function startServer(handle: Handler, port = 0): Promise<LocalServer> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A mistake in the simulator itself must show in the test, not hang the client.
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(`simulator failed: ${String(error)}`);
    });
  });
  // Longer than any test: a server that closes idle sockets by itself would look like an injected reset.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const actual = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    origin: `http://127.0.0.1:${actual}`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

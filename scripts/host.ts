import { createServer } from 'node:net';
import { serve } from 'srvx';
import type { Handle } from '../lib/app.ts';
import type { Platform } from '../lib/runtime/platform.ts';

/** The function on a plain Node server. */
export interface Host {
  url: string;
  /** For work that does not come from a request. */
  platform: Platform;
  /** Takes nothing new and waits for the answers that are being written, at most `graceMs` milliseconds. */
  close(graceMs: number): Promise<void>;
}

export interface HostOptions {
  port: number;
  hostname: string;
  handle: Handle;
  /** Answers what the function does not, for example the pages of the playground. */
  other?: (request: Request) => Promise<Response | null>;
}

/** Why a port cannot be listened on. */
export interface ListenProblem {
  port: number;
  hostname: string;
  /** As the system calls it, such as `EADDRINUSE`. */
  code: string;
  /** What was typed to start it. */
  command: string;
}

/** Null when the port can be listened on. */
export async function whyNotListen(port: number, hostname: string, command: string): Promise<ListenProblem | null> {
  const code = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, hostname, () => probe.close(() => resolve(null)));
  });
  return code === null ? null : { port, hostname, code, command };
}

export async function startHost({ port, hostname, handle, other }: HostOptions): Promise<Host> {
  const running = new Set<Promise<void>>();
  const platform: Platform = {
    waitUntil(work: Promise<void>): void {
      running.add(work);
      void work.finally(() => running.delete(work));
    },
    deadlineMs: null,
  };
  const server = serve({
    port,
    hostname,
    silent: true,
    gracefulShutdown: false,
    fetch: async (request) => (await other?.(request)) ?? handle(request, platform),
  });
  await server.ready();
  return {
    platform,
    url: (server.url ?? `http://${hostname}:${port}`).replace(/\/$/, ''),
    async close(graceMs) {
      const closing = server.close();
      const grace = AbortSignal.timeout(graceMs);
      const graceOver = new Promise<void>((resolve) =>
        grace.addEventListener('abort', () => resolve(), { once: true }),
      );
      await Promise.race([Promise.allSettled(running), graceOver]);
      await Promise.race([closing, graceOver]);
    },
  };
}

// The program that plays the platform's part for a built function (see function-process.ts): it serves
// `default.fetch` over HTTP and gives every invocation its request context.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

export interface HostSettings {
  directory: string;
  handler: string;
  maxDurationMs: number;
  port: number;
  rewrites: { source: string; destination: string }[];
}

/** First the address, then one message for each request to drain. */
export interface HostMessage {
  url?: string;
  failures?: string[];
}

/** What `@vercel/functions` looks for under `Symbol.for('@vercel/request-context')`. */
interface RequestContext {
  waitUntil(work: Promise<unknown>): void;
  /** An ISO date. */
  deadline: string;
}

const settings: HostSettings = JSON.parse(process.argv[2] ?? '{}');
const contexts = new AsyncLocalStorage<RequestContext>();
Object.assign(globalThis, { [Symbol.for('@vercel/request-context')]: { get: () => contexts.getStore() } });
const handler: { default: { fetch(request: Request): Response | Promise<Response> } } = await import(
  pathToFileURL(join(settings.directory, settings.handler)).href
);

const running = new Set<Promise<unknown>>();
const failures: string[] = [];

/** Keeps an account of work until it has ended, and notes how it failed. */
function track(work: Promise<unknown>): Promise<unknown> {
  const ended = work.catch((error: unknown) => {
    failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  });
  running.add(ended);
  return ended.finally(() => running.delete(ended));
}

/** The query parameters of the first rewrite that matches are added; the function sees the path as it came. */
function rewritten(url: URL): URL {
  for (const { source, destination } of settings.rewrites) {
    const names = source.replaceAll(/:(\w+)/gu, '(?<$1>[^/]+)');
    const match = new RegExp(`^${names}$`, 'u').exec(url.pathname);
    if (!match) continue;
    const filled = destination.replaceAll(/:(\w+)/gu, (_, name: string) => match.groups?.[name] ?? '');
    for (const [name, value] of new URL(filled, url).searchParams) url.searchParams.append(name, value);
    return url;
  }
  return url;
}

function toRequest(incoming: IncomingMessage): Request {
  const url = rewritten(new URL(incoming.url ?? '/', `https://${incoming.headers.host}`));
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD';
  const body = hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' as const } : {};
  return new Request(url, { method: incoming.method ?? 'GET', headers, ...body });
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let response: Response;
  try {
    response = await handler.default.fetch(toRequest(incoming));
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
    response = new Response('FUNCTION_INVOCATION_FAILED', { status: 500 });
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing);
  else outgoing.end();
}

const server = createServer((incoming, outgoing) => {
  const background: Promise<unknown>[] = [];
  const context: RequestContext = {
    waitUntil(work) {
      background.push(track(work));
    },
    deadline: new Date(Date.now() + settings.maxDurationMs).toISOString(),
  };
  // The request and its background work share one deadline; what has not ended by then dies with the instance.
  const deadline = setTimeout(() => process.kill(process.pid, 'SIGKILL'), settings.maxDurationMs);
  const invocation = contexts.run(context, async () => {
    await track(answer(incoming, outgoing));
    while (background.length > 0) await background.shift();
    clearTimeout(deadline);
  });
  running.add(invocation);
  void invocation.finally(() => running.delete(invocation));
});

function tell(message: HostMessage): void {
  process.send?.(message);
}

process.on('message', () => {
  void (async () => {
    while (running.size > 0) await Promise.all(running);
    tell({ failures: failures.splice(0) });
  })();
});
// Whoever started this is gone.
process.on('disconnect', () => process.exit());

server.listen(settings.port, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') tell({ url: `http://127.0.0.1:${address.port}` });
});

import type { Agent, AgentOptions, ClientRequest, IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import type { Fetch, FetchInit, HttpResponse } from './http.ts';

/**
 * Milliseconds that an idle connection is kept: longer than the pause between two frames of a long answer. Where a server
 * says in `keep-alive` that it closes sooner, that counts.
 */
const IDLE_MS = 60_000;

export interface FetchOptions {
  idleMs?: number;
  /** Milliseconds since the epoch. Connections live in the time of the world. */
  now?: () => number;
}

interface Client {
  request: typeof request;
  agent: Agent;
  newAgent: () => Agent;
  usedAtMs: number;
}

/**
 * The part of `fetch` that this project uses, over Node's own client: a call costs a quarter of the processor time, and an
 * event of a stream two thirds (docs/decisions/0049). No redirect is followed, and nothing is decompressed: servers are
 * asked for plain bytes.
 *
 * @throws the error of Node's client, with its `code`, when no answer comes; the reason of `signal` after its abort, also
 * while the body is read.
 */
export function createFetch({ idleMs = IDLE_MS, now = Date.now }: FetchOptions = {}): Fetch {
  const clients = new Map<string, Promise<Client>>();

  /** Loaded with the first call: a cold start counts, and both load slowly. */
  async function load(protocol: string): Promise<Client> {
    const module = await (protocol === 'https:' ? import('node:https') : import('node:http'));
    // Those of Node's own agent hold the proxies of the environment (NODE_USE_ENV_PROXY).
    const { options } = module.globalAgent as { options?: AgentOptions };
    const newAgent = () => new module.Agent({ ...options, keepAlive: true, timeout: idleMs });
    return { request: module.request, agent: newAgent(), newAgent, usedAtMs: now() };
  }

  return async (address, init) => {
    const url = new URL(address);
    const client = clients.get(url.protocol) ?? load(url.protocol);
    clients.set(url.protocol, client);
    const used = await client;
    init.signal?.throwIfAborted();
    // A function that was frozen missed the end of its connections, and the timers that would have closed them.
    if (now() - used.usedAtMs > idleMs) used.agent = used.newAgent();
    used.usedAtMs = now();
    return exchange(used, url, init);
  };
}

function exchange({ request: send, agent }: Client, url: URL, init: FetchInit): Promise<HttpResponse> {
  const { method = 'GET', headers, body, signal } = init;
  return new Promise((resolve, reject) => {
    const sent = send(url, {
      agent,
      method,
      headers: { 'user-agent': 'node', 'accept-encoding': 'identity', ...headers },
    });
    let answer: IncomingMessage | null = null;
    const abort = () => (answer ?? sent).destroy(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    sent.on('error', reject);
    sent.on('close', () => {
      signal?.removeEventListener('abort', abort);
      if (answer === null) reject(new Error('the connection closed without an answer'));
    });
    sent.on('response', (response) => {
      answer = response;
      // The reader gets the error from the iterator. Without a listener Node would throw it when there is no reader.
      response.on('error', () => undefined);
      resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body: response });
    });
    if (body === undefined || typeof body === 'string') sent.end(body);
    else sendBody(body, sent);
  });
}

const headersOf = ({ headers }: IncomingMessage): HttpResponse['headers'] => ({
  get(name) {
    const value = headers[name.toLowerCase()];
    return (Array.isArray(value) ? value.join(', ') : value) ?? null;
  },
});

/** A body that fails takes the request with it; a request that ends closes its body. */
function sendBody(body: AsyncIterable<Uint8Array>, sent: ClientRequest): void {
  const source = Readable.from(body);
  source.on('error', (error) => sent.destroy(error));
  sent.on('close', () => source.destroy());
  source.pipe(sent);
}

// A stand-in for Upstash over a real Redis, so that the real REST client is exercised down to the wire,
// and the place where tests break the store on purpose.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createDeclaredKeys, type FoundKeys } from './declared-keys.ts';
import { listenOnLoopback } from './loopback.ts';
import { createRespClient, type RespReply } from './resp.ts';
import { createScriptTranslation, parseCommands, toResp2, toResult } from './upstash-protocol.ts';

/** What goes wrong with the next request that `only` holds for, or with the next `times` of them. */
export type Fault = { times?: number; only?: (request: UpstashRequest) => boolean } & (
  | { kind: 'lost-response' } // applied, then the connection dies: the client cannot know
  | { kind: 'reset' } // not applied, the connection dies
  | { kind: 'hang' } // not applied, never answered
  | { kind: 'status'; status: number; error?: string } // not applied, answered with this HTTP status and these words
  | { kind: 'delay'; ms: number } // applied and answered, that much later
);

export interface UpstashRequest {
  path: string;
  /** Each command with its arguments; empty when the body was unreadable. */
  commands: string[][];
  /** When the request had arrived, milliseconds since the epoch. */
  at: number;
  /** Milliseconds from then to the end of its answer or connection; undefined while it is open. */
  ms?: number;
  /** Size of the request's body. */
  bytes: number;
  /** HTTP status of the answer; undefined when the client got none. */
  status?: number;
}

export interface UpstashFront {
  url: string;
  token: string;
  /** May only read, like the second token that Upstash hands out. */
  readOnlyToken: string;
  /** Every request that arrived, oldest first. */
  requests: UpstashRequest[];
  faults: Fault[];
  /** While true, every request's connection is reset. */
  down: boolean;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  /** JSON, unless it is bytes. */
  body: unknown;
}

/** The limit of a request of Upstash's free edition. */
const MAX_BYTES = 10 * 1024 * 1024;

/** Their replies do not end: over the one connection that all requests share they would be taken for those of others. */
const ENDLESS = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR', 'SYNC', 'PSYNC']);

/** Read-only to Redis, but Upstash's read-only token may not ask for the names of all keys. */
const LISTING = new Set(['KEYS', 'SCAN', 'RANDOMKEY', 'DBSIZE']);

const nameOf = ([name = '']: readonly string[]): string => name.toUpperCase();

const failure = (status: number, error: string): Answer => ({ status, body: { error } });

/** Whether the answer to COMMAND INFO, a list of `[name, arity, [flag, …], …]`, calls its command read-only. */
function isReadOnly(info: RespReply): boolean {
  const flags = Array.isArray(info) && Array.isArray(info[0]) ? info[0][2] : undefined;
  return Array.isArray(flags) && flags.includes('readonly');
}

export interface FrontOptions {
  redisPort: number;
  token?: string;
  /**
   * Refuses scripts that touch a key that was not passed, and that they do not find out themselves. Default: all may. Not in
   * a transaction.
   */
  foundKeys?: FoundKeys;
}

export async function createUpstashFront(options: FrontOptions): Promise<UpstashFront> {
  const redis = createRespClient(options.redisPort);
  const toRedis = createScriptTranslation();
  async function run(commands: string[][]): Promise<RespReply[]> {
    const translated = commands.map(toRedis);
    if (!declared || !translated.some((command) => declared.concerns(command))) return redis.send(translated);
    const replies: RespReply[] = [];
    for (const command of translated) {
      const [reply = null] = declared.concerns(command) ? [await declared.run(command)] : await redis.send([command]);
      replies.push(reply);
    }
    return replies;
  }
  const declared = options.foundKeys && createDeclaredKeys(options.redisPort, options.foundKeys);
  const token = options.token ?? 'upstash-token';
  let served = 0;

  /** Why the read-only token may not run these: the first command that Redis itself does not call read-only. */
  async function refusal(commands: string[][]): Promise<string | undefined> {
    const infos = await redis.send(commands.map(([name = '']) => ['COMMAND', 'INFO', name]));
    const refused = commands.find(
      (command, index) => LISTING.has(nameOf(command)) || !isReadOnly(infos[index] ?? null),
    );
    return refused && `NOPERM this user has no permissions to run the '${refused[0]?.toLowerCase()}' command`;
  }

  async function execute(path: string, commands: string[][], headers: IncomingMessage['headers']): Promise<Answer> {
    const base64 = headers['upstash-encoding'] === 'base64';
    if (headers['upstash-response-format'] === 'resp2' && path !== '/pipeline' && path !== '/multi-exec') {
      const [reply = null] = await run(commands);
      return { status: reply instanceof Error ? 400 : 200, body: toResp2(reply) };
    }
    if (path === '/pipeline') {
      return { status: 200, body: (await run(commands)).map((reply) => toResult(reply, base64)) };
    }
    if (path === '/multi-exec') {
      const executed = (await run([['MULTI'], ...commands, ['EXEC']])).at(-1);
      if (!Array.isArray(executed)) return failure(400, executed instanceof Error ? executed.message : 'EXECABORT');
      return { status: 200, body: executed.map((reply) => toResult(reply, base64)) };
    }
    const [reply = null] = await run(commands);
    return { status: reply instanceof Error ? 400 : 200, body: toResult(reply, base64) };
  }

  async function answerTo(request: IncomingMessage, url: URL, parsed: ReturnType<typeof parseCommands>) {
    const given = request.headers.authorization?.replace(/^Bearer /u, '') ?? url.searchParams.get('_token');
    if (given !== token && given !== front.readOnlyToken)
      return failure(401, 'WRONGPASS invalid or missing auth token');
    if (!['GET', 'HEAD', 'POST', 'PUT'].includes(request.method ?? '')) return failure(405, 'ERR method not allowed');
    if (!Array.isArray(parsed)) return failure(400, parsed.error);
    const endless = parsed.find((command) => ENDLESS.has(nameOf(command)));
    if (endless) return failure(400, `ERR Command is not available: '${nameOf(endless)}'`);
    const refused = given === front.readOnlyToken ? await refusal(parsed) : undefined;
    if (refused !== undefined) return failure(400, refused);
    return execute(url.pathname, parsed, request.headers);
  }

  function takeFault(record: UpstashRequest): Fault | undefined {
    if (front.down) return { kind: 'reset' };
    const fault = front.faults.find(({ only }) => only?.(record) ?? true);
    if (!fault) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) front.faults.splice(front.faults.indexOf(fault), 1);
    return fault;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? '/', 'http://front');
    const parsed = parseCommands(url, body.toString());
    const commands = Array.isArray(parsed) ? parsed : [];
    const record: UpstashRequest = { path: url.pathname, commands, at: Date.now(), bytes: body.length };
    const began = performance.now();
    response.on('close', () => {
      record.ms = performance.now() - began;
    });
    front.requests.push(record);

    const fault = takeFault(record);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const answer =
      fault?.kind === 'status'
        ? failure(fault.status, fault.error ?? 'ERR unavailable')
        : body.length > MAX_BYTES
          ? failure(413, `ERR max request size exceeded. Limit: ${MAX_BYTES} bytes, Actual: ${body.length} bytes`)
          : await answerTo(request, url, parsed);
    if (fault?.kind === 'delay') await delay(fault.ms);
    if (fault?.kind === 'lost-response') {
      request.socket.destroy();
      return;
    }
    served += 1;
    record.status = answer.status;
    const isRaw = Buffer.isBuffer(answer.body);
    response.writeHead(answer.status, {
      'content-type': isRaw ? 'application/octet-stream' : 'application/json',
      'upstash-sync-token': `front;${served}`,
    });
    response.end(isRaw ? answer.body : JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => {
    // Only a Redis that is gone, or a client that is, can make this reject: to the client both are a dead connection.
    serve(request, response).catch(() => request.socket.destroy());
  });
  const front: UpstashFront = {
    url: `http://127.0.0.1:${await listenOnLoopback(server)}`,
    token,
    readOnlyToken: `${token}-read-only`,
    requests: [],
    faults: [],
    down: false,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      redis.close();
      declared?.close();
      await closed;
    },
  };
  return front;
}

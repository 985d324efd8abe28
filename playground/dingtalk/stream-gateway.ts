import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { parseObject, readBody, reply } from '../http/exchange.ts';
import { isRecord, isText, parseJson, recordOf, type Json } from '../http/shape.ts';
import type { AppCredentials } from './types.ts';

/** protocol 8: a ticket lives 90 s and opens one connection. */
const ticketLifeMs = 90_000;
/** protocol 8: so long after `disconnect` the connection is cut. */
const disconnectGraceMs = 10_000;
export const streamTopics = { robot: '/v1.0/im/bot/messages/get', card: '/v1.0/card/instances/callback' } as const;

/** By the wall clock: a tap waits 2 s for its answer (protocol 4.8), an unanswered message is sent again after 60 s. */
const ackDeadlineMs = { [streamTopics.robot]: 60_000, [streamTopics.card]: 2_000 } as const;

export interface StreamGatewayOptions {
  app: AppCredentials;
  /** The simulated api.dingtalk.com: what is not the gateway's is handed on to it. */
  apiOrigin: string;
  clock?: Clock;
  /** Which of so many connections gets a frame. Default: one at random, as protocol 8 says. */
  pick?: (count: number) => number;
}

/** An attempt to open a connection: the call that asks for a ticket, or the handshake that uses it. */
export interface StreamAttempt {
  step: 'ticket' | 'handshake';
  status: number;
}

/** An acknowledgement as it came, with the connection that it came on. */
export interface StreamAck {
  connectionId: string;
  topic: string;
  /** `response` of its data. */
  response: unknown;
  /** Milliseconds from the frame to it. */
  ms: number;
}

export interface StreamGateway {
  /** Serves as `DINGTALK_API_URL`. */
  readonly origin: string;
  /**
   * What is posted here goes down a connection as a frame, without its headers, and the acknowledgement's `response` is
   * the answer. So `deliver` and `tap` of the simulated DingTalk work through the stream: 502 when nobody is connected
   * or the connection broke, 504 when the acknowledgement was late.
   */
  readonly callbackUrl: string;
  /** Ids of the connections that get frames. */
  connections(): string[];
  readonly attempts: readonly StreamAttempt[];
  readonly acks: readonly StreamAck[];
  /** What the real gateway would not have understood. */
  readonly violations: readonly string[];
  /** The next handshakes are answered 401, as with a ticket that is too old. */
  refuseTickets(times: number): void;
  /** A ticket as a client gets it. */
  issueTicket(): string;
  /** Sends the opaque `ping` on every connection; resolves with what came back. */
  ping(opaque: string): Promise<string[]>;
  /** Announces the end of all connections and cuts them `graceMs` later; they get nothing new meanwhile. */
  disconnect(graceMs?: number): void;
  close(): Promise<void>;
}

interface Connection {
  id: string;
  socket: WebSocket;
  topics: readonly string[];
  isLeaving: boolean;
}

interface Waiting {
  connection: Connection;
  /** `undefined`: the connection ended. */
  settle: (ack: Json | undefined) => void;
}

const readSubscriptions = (value: unknown): string[] | undefined => {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const wanted = value.map(recordOf);
  const isRight = wanted.every(({ type, topic }) => (type === 'CALLBACK' || type === 'EVENT') && isText(topic));
  return isRight ? wanted.flatMap(({ type, topic }) => (type === 'CALLBACK' ? [String(topic)] : [])) : undefined;
};

/** The gateway of Stream mode (protocol 8) in front of the simulated API. Written from the protocol notes alone. */
export async function createStreamGateway(options: StreamGatewayOptions): Promise<StreamGateway> {
  const { app, apiOrigin, clock = systemClock, pick = (count) => Math.floor(Math.random() * count) } = options;
  const tickets = new Map<string, { expiresAt: number; topics: readonly string[] }>();
  const connections = new Map<string, Connection>();
  const waiting = new Map<string, Waiting>();
  const attempts: StreamAttempt[] = [];
  const acks: StreamAck[] = [];
  const violations: string[] = [];
  let refusals = 0;
  let origin = '';

  const issueTicket = (subscribed: readonly string[] = Object.values(streamTopics)): string => {
    const ticket = randomUUID();
    tickets.set(ticket, { expiresAt: clock.now() + ticketLifeMs, topics: subscribed });
    return ticket;
  };

  /** POST /v1.0/gateway/connections/open */
  function open(body: Json | undefined): { status: number; body: Json } {
    const { clientId, clientSecret, subscriptions } = body ?? {};
    const subscribed = readSubscriptions(subscriptions);
    if (!isText(clientId) || !isText(clientSecret) || !subscribed) {
      violations.push('connections/open wants clientId, clientSecret and subscriptions');
      return { status: 400, body: { code: 'invalidParameter', message: 'the request is not complete' } };
    }
    if (clientId !== app.clientId || clientSecret !== app.clientSecret) {
      return { status: 401, body: { requestid: randomUUID(), code: 'authFailed', message: '鉴权失败' } };
    }
    const endpoint = `${origin.replace('http:', 'ws:')}/connect`;
    return { status: 200, body: { endpoint, ticket: issueTicket(subscribed) } };
  }

  function readAck(connection: Connection, text: string): void {
    const ack = parseJson(text);
    const headers = recordOf(recordOf(ack)['headers']);
    const messageId = headers['messageId'];
    const waiter = isText(messageId) ? waiting.get(messageId) : undefined;
    if (!isRecord(ack) || ack['code'] !== 200 || headers['contentType'] !== 'application/json') {
      violations.push('an acknowledgement has code 200 and says application/json');
    } else if (!waiter || waiter.connection !== connection) {
      violations.push('an acknowledgement names a frame of its own connection that waits for one');
    } else if (typeof ack['data'] !== 'string') {
      violations.push('the data of an acknowledgement is a string');
    } else {
      waiter.settle(ack);
    }
  }

  /** Sends a frame and waits for what comes back: null when it is late, `undefined` when the connection ended. */
  async function exchange(connection: Connection, type: string, topic: string, data: string, deadlineMs: number) {
    const messageId = randomUUID();
    const frame = {
      specVersion: '1.0',
      type,
      headers: {
        appId: 'app-1',
        connectionId: connection.id,
        contentType: 'application/json',
        messageId,
        time: String(clock.now()),
        topic,
      },
      data,
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), deadlineMs);
    });
    const acknowledged = new Promise<Json | undefined>((settle) => waiting.set(messageId, { connection, settle }));
    connection.socket.send(JSON.stringify(frame));
    const outcome = await Promise.race([acknowledged, late]);
    clearTimeout(timer);
    // Of a late frame the acknowledgement is still expected, but nobody waits for it.
    if (outcome === null) waiting.set(messageId, { connection, settle: () => undefined });
    else waiting.delete(messageId);
    return outcome;
  }

  /** A robot message or a tap, down one of the connections that asked for such. */
  async function push(body: Json): Promise<{ status: number; body: unknown }> {
    const topic = body['type'] === 'actionCallback' ? streamTopics.card : streamTopics.robot;
    const able = [...connections.values()].filter((each) => !each.isLeaving && each.topics.includes(topic));
    const connection = able[pick(able.length)];
    if (!connection) return { status: 502, body: { message: 'no connection' } };
    // protocol 4.8: fields that a tap has only in Stream mode.
    const more = { spaceType: 'IM_ROBOT', spaceId: 'space-1', userIdType: 1, extension: '{}' };
    const data = JSON.stringify(topic === streamTopics.card ? { ...body, ...more } : body);
    const startedAt = performance.now();
    const ack = await exchange(connection, 'CALLBACK', topic, data, ackDeadlineMs[topic]);
    if (!ack) {
      return { status: ack === null ? 504 : 502, body: { message: ack === null ? 'late' : 'the connection ended' } };
    }
    const answer = parseJson(String(ack['data']));
    if (!isRecord(answer) || !('response' in answer)) {
      violations.push('the data of an acknowledgement of a callback has a response');
      return { status: 502, body: { message: 'not an answer' } };
    }
    const { response } = answer;
    acks.push({ connectionId: connection.id, topic, response, ms: Math.round(performance.now() - startedAt) });
    return { status: 200, body: response };
  }

  async function handOn(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const names = ['content-type', 'x-acs-dingtalk-access-token'];
    const headers = names.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    const answer = await fetch(`${apiOrigin}${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers: Object.fromEntries(headers),
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const { pathname } = new URL(request.url ?? '/', origin);
    const say = ({ status, body: answer }: { status: number; body: unknown }) =>
      reply(response, status, 'application/json', JSON.stringify(answer));
    if (pathname === '/v1.0/gateway/connections/open') {
      const answer = open(parseObject(body));
      attempts.push({ step: 'ticket', status: answer.status });
      say(answer);
    } else if (pathname === '/simulated/callback') {
      say(await push(parseObject(body) ?? {}));
    } else {
      await handOn(request, body, response);
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true });

  server.on('upgrade', (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    const name = searchParams.get('ticket') ?? '';
    const ticket = tickets.get(name);
    tickets.delete(name);
    const isRefused = refusals > 0 || pathname !== '/connect' || !ticket || ticket.expiresAt <= clock.now();
    attempts.push({ step: 'handshake', status: isRefused ? 401 : 101 });
    if (isRefused) {
      refusals = Math.max(0, refusals - 1);
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const connection = { id: randomUUID(), socket: opened, topics: ticket.topics, isLeaving: false };
      connections.set(connection.id, connection);
      opened.on('message', (data: Buffer) => readAck(connection, data.toString('utf8')));
      opened.on('close', () => {
        connections.delete(connection.id);
        for (const waiter of waiting.values()) if (waiter.connection === connection) waiter.settle(undefined);
      });
    });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;

  return {
    origin,
    callbackUrl: `${origin}/simulated/callback`,
    connections: () => [...connections.values()].filter(({ isLeaving }) => !isLeaving).map(({ id }) => id),
    attempts,
    acks,
    violations,
    refuseTickets: (times) => {
      refusals = times;
    },
    issueTicket: () => issueTicket(),
    async ping(opaque) {
      const answers = await Promise.all(
        [...connections.values()].map((each) =>
          exchange(each, 'SYSTEM', 'ping', JSON.stringify({ opaque }), ackDeadlineMs[streamTopics.robot]),
        ),
      );
      return answers.map((answer) => String(recordOf(parseJson(String(answer?.['data'])))['opaque']));
    },
    disconnect(graceMs = disconnectGraceMs) {
      for (const connection of connections.values()) {
        connection.isLeaving = true;
        const headers = { contentType: 'application/json', messageId: randomUUID(), topic: 'disconnect' };
        const frame = {
          specVersion: '1.0',
          type: 'SYSTEM',
          headers,
          data: '{"reason":"persistent connection is timeout"}',
        };
        connection.socket.send(JSON.stringify(frame));
        setTimeout(() => connection.socket.close(), graceMs).unref();
      }
    },
    async close() {
      for (const { socket } of connections.values()) socket.terminate();
      sockets.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

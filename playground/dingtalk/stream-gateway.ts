import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { sleep, systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { parseObject, readBody, reply } from '../http/exchange.ts';
import { isRecord, isText, parseJson, recordOf, type Json } from '../http/shape.ts';
import { createStreamConnection, type Ack, type StreamConnection } from './stream-connection.ts';
import type { AppCredentials } from './types.ts';

/** protocol 8: a ticket lives 90 s and opens one connection. */
const ticketLifeMs = 90_000;
/** protocol 8: so long after `disconnect` the connection is cut. */
const disconnectGraceMs = 10_000;
/** Reported: a sign of life comes every 20 to 30 s. */
const keepAliveMs = 25_000;
/** Reported: a robot message that was not acknowledged comes again after 16 s; other reports say 60 s, and DingTalk's page never. */
const resendMs = 16_000;
const sends = 3;
/** By the wall clock: a press waits 2 s for its answer (protocol 4.8), everything else 3 s. */
const pressDeadlineMs = 2_000;
const ackDeadlineMs = 3_000;

export const streamTopics = { robot: '/v1.0/im/bot/messages/get', card: '/v1.0/card/instances/callback' } as const;

export interface StreamGatewayOptions {
  app: AppCredentials;
  clock?: Clock;
  /** Which of so many connections gets a frame. Default: one at random, as protocol 8 says. */
  pick?: (count: number) => number;
  /** Milliseconds of `clock` until a message that was not acknowledged is sent again. Default: 16 s. */
  resendMs?: number;
}

/** An attempt to open a connection: the call that asks for a ticket, or the handshake that uses it. */
export interface StreamAttempt {
  step: 'ticket' | 'handshake';
  status: number;
  at: number;
}

/** An acknowledgement as it came, with the connection that it came on. */
export interface StreamAck {
  connectionId: string;
  topic: string;
  code: number;
  /** `response` of its data. */
  response: unknown;
  /** Milliseconds from the frame to it. */
  ms: number;
}

export interface StreamGateway {
  /** The address of the gateway's own server. */
  readonly origin: string;
  /**
   * What is posted here goes down a connection as a frame, without its headers, and the acknowledgement's `response` is
   * the answer. So `deliver` and `tap` of the simulated DingTalk work through the stream: 502 when no client is
   * connected or the connection broke, 504 when the acknowledgement was late, else the acknowledgement's code. A robot
   * message without acknowledgement is sent again, to any of the connections.
   */
  readonly callbackUrl: string;
  /** The same without the request. */
  push(body: Json): Promise<{ status: number; body: unknown }>;
  /** `POST /v1.0/gateway/connections/open`. */
  open(body: Json | undefined): { status: number; body: Json };
  /** Ids of the connections that get frames. */
  connections(): string[];
  readonly attempts: readonly StreamAttempt[];
  readonly acks: readonly StreamAck[];
  /** What the real gateway would not have understood. */
  readonly violations: readonly string[];
  /** The next requests for a ticket are answered with this. */
  refuseOpen(times: number, status: number, code?: string): void;
  /** The next handshakes are answered 401, as with a ticket that is too old. */
  refuseTickets(times: number): void;
  /** The next acknowledgements do not arrive, and the connections they were sent on are cut. */
  loseAcks(times: number): void;
  /** A ticket as a client gets it. */
  issueTicket(): string;
  /** Sends the opaque `ping` on every connection; resolves with what came back. */
  ping(opaque: string): Promise<string[]>;
  /** Announces the end of all connections and cuts them `graceMs` later; they get nothing new meanwhile. */
  disconnect(graceMs?: number): void;
  /** Cuts the connections without a word. */
  cut(): void;
  /** Nothing comes from them any more, and nothing is read: a network that has lost the connection. */
  freeze(): void;
  /** They stay open and answer pings, but no frame comes: DingTalk has lost the connection. */
  forget(): void;
  close(): Promise<void>;
}

const readSubscriptions = (value: unknown): string[] | undefined => {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const wanted = value.map(recordOf);
  const isRight = wanted.every(({ type, topic }) => (type === 'CALLBACK' || type === 'EVENT') && isText(topic));
  return isRight ? wanted.flatMap(({ type, topic }) => (type === 'CALLBACK' ? [String(topic)] : [])) : undefined;
};

/** The gateway of Stream mode (protocol 8; second page, 6). Written from the protocol notes alone. */
export async function createStreamGateway(options: StreamGatewayOptions): Promise<StreamGateway> {
  const { app, clock = systemClock, pick = (count) => Math.floor(Math.random() * count) } = options;
  const tickets = new Map<string, { expiresAt: number; topics: readonly string[] }>();
  const connections = new Set<StreamConnection>();
  const attempts: StreamAttempt[] = [];
  const acks: StreamAck[] = [];
  const violations: string[] = [];
  const violate = (what: string) => void violations.push(what);
  let ticketRefusals = 0;
  let lostAcks = 0;
  let openRefusals: { status: number; code: string }[] = [];
  let origin = '';

  const issueTicket = (topics: readonly string[] = Object.values(streamTopics)): string => {
    const ticket = randomUUID();
    tickets.set(ticket, { expiresAt: clock.now() + ticketLifeMs, topics });
    return ticket;
  };

  function answerOpen(body: Json | undefined): { status: number; body: Json } {
    const { clientId, clientSecret, subscriptions } = body ?? {};
    const topics = readSubscriptions(subscriptions);
    if (!isText(clientId) || !isText(clientSecret) || !topics) {
      violate('connections/open wants clientId, clientSecret and subscriptions');
      return { status: 400, body: { code: 'invalidParameter', message: 'the request is not complete' } };
    }
    const refusal = openRefusals.shift();
    if (refusal) return { status: refusal.status, body: { code: refusal.code, message: 'refused' } };
    if (clientId !== app.clientId || clientSecret !== app.clientSecret) {
      return { status: 401, body: { requestid: randomUUID(), code: 'authFailed', message: '鉴权失败' } };
    }
    const endpoint = `${origin.replace('http:', 'ws:')}/connect`;
    return { status: 200, body: { endpoint, ticket: issueTicket(topics) } };
  }

  function open(body: Json | undefined): { status: number; body: Json } {
    const answer = answerOpen(body);
    attempts.push({ step: 'ticket', status: answer.status, at: clock.now() });
    return answer;
  }

  /** Sends a message or a press down one of the connections that asked for such. */
  async function sendOnce(body: Json): Promise<{ status: number; body: unknown }> {
    const isPress = body['type'] === 'actionCallback';
    const topic = isPress ? streamTopics.card : streamTopics.robot;
    const able = [...connections].filter((each) => !each.isLeaving && each.topics.includes(topic));
    const connection = able[pick(able.length)];
    if (!connection) return { status: 502, body: { message: 'no connection' } };
    // protocol 4.8: fields that a press has only in Stream mode.
    const more = { spaceType: 'IM_ROBOT', spaceId: 'space-1', userIdType: 1, extension: '{}' };
    const data = JSON.stringify(isPress ? { ...body, ...more } : body);
    const startedAt = performance.now();
    const outcome = await connection.exchange('CALLBACK', topic, data, isPress ? pressDeadlineMs : ackDeadlineMs);
    if (outcome.kind !== 'acknowledged') {
      if (outcome.kind === 'late' && !connection.isForgotten) violate(`no acknowledgement of ${topic} in time`);
      return { status: outcome.kind === 'late' ? 504 : 502, body: { message: outcome.kind } };
    }
    if (lostAcks > 0) {
      lostAcks -= 1;
      connection.socket.terminate();
      return { status: 502, body: { message: 'ended' } };
    }
    const response = responseOf(outcome.ack);
    const { code } = outcome.ack;
    acks.push({ connectionId: connection.id, topic, code, response, ms: performance.now() - startedAt });
    return { status: code, body: response };
  }

  function responseOf({ data }: Ack): unknown {
    const answer = parseJson(data);
    if (isRecord(answer) && 'response' in answer) return answer['response'];
    violate('the data of an acknowledgement of a callback has a response');
    return null;
  }

  async function push(body: Json): Promise<{ status: number; body: unknown }> {
    let answer = await sendOnce(body);
    for (let sent = 1; body['type'] !== 'actionCallback' && sent < sends && isUnacknowledged(answer); sent += 1) {
      await sleep(clock, options.resendMs ?? resendMs);
      answer = await sendOnce(body);
    }
    return answer;
  }

  /** While no client is connected at all, nothing was sent. */
  const isUnacknowledged = ({ status, body }: { status: number; body: unknown }) =>
    status > 500 && recordOf(body)['message'] !== 'no connection';

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = parseObject(await readBody(request));
    const { pathname } = new URL(request.url ?? '/', origin);
    const isOpen = pathname === '/v1.0/gateway/connections/open';
    const answer = isOpen ? open(body) : await push(body ?? {});
    reply(response, answer.status, 'application/json', JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    const name = searchParams.get('ticket') ?? '';
    const ticket = tickets.get(name);
    tickets.delete(name);
    const isRefused = ticketRefusals > 0 || pathname !== '/connect' || !ticket || ticket.expiresAt <= clock.now();
    attempts.push({ step: 'handshake', status: isRefused ? 401 : 101, at: clock.now() });
    if (isRefused) {
      ticketRefusals = Math.max(0, ticketRefusals - 1);
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const connection = createStreamConnection(opened, ticket.topics, { clock, violate });
      connections.add(connection);
      const cancel = keepAlive(connection);
      opened.on('error', () => opened.terminate());
      opened.on('message', (data: Buffer) => connection.onMessage(data.toString('utf8')));
      opened.on('close', () => {
        cancel();
        connections.delete(connection);
        connection.onEnd();
      });
      connection.tell('CONNECTED', {});
      connection.tell('REGISTERED', {});
    });
  });

  function keepAlive(connection: StreamConnection): () => void {
    let cancel = clock.schedule(keepAliveMs, beat);
    function beat(): void {
      void checkPing(connection, randomUUID());
      cancel = clock.schedule(keepAliveMs, beat);
    }
    return () => cancel();
  }

  async function checkPing(connection: StreamConnection, opaque: string): Promise<string> {
    const data = JSON.stringify({ opaque });
    const outcome = await connection.exchange('SYSTEM', 'ping', data, ackDeadlineMs);
    if (outcome.kind !== 'acknowledged') return '';
    const back = String(recordOf(parseJson(outcome.ack.data))['opaque']);
    if (back !== opaque) violate('a ping gets back what it brought');
    return back;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;

  return {
    origin,
    callbackUrl: `${origin}/simulated/callback`,
    push,
    open,
    connections: () =>
      [...connections].filter(({ isLeaving, isForgotten }) => !isLeaving && !isForgotten).map(({ id }) => id),
    attempts,
    acks,
    violations,
    refuseOpen(times, status, code = 'refused') {
      openRefusals = Array.from({ length: times }, () => ({ status, code }));
    },
    refuseTickets(times) {
      ticketRefusals = times;
    },
    loseAcks(times) {
      lostAcks = times;
    },
    issueTicket: () => issueTicket(),
    ping: (opaque) => Promise.all([...connections].map((each) => checkPing(each, opaque))),
    disconnect(graceMs = disconnectGraceMs) {
      for (const connection of connections) {
        if (connection.isLeaving) continue;
        connection.tell('disconnect', { reason: 'persistent connection is timeout' });
        connection.isLeaving = true;
        clock.schedule(graceMs, () => connection.socket.close());
      }
    },
    cut() {
      for (const { socket } of connections) socket.terminate();
    },
    freeze() {
      for (const connection of connections) {
        connection.isForgotten = true;
        // DingTalk watches its end too, and sends no more messages there.
        connection.isLeaving = true;
        connection.socket.pause();
      }
    },
    forget() {
      for (const connection of connections) connection.isForgotten = true;
    },
    async close() {
      for (const { socket } of connections) socket.terminate();
      sockets.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

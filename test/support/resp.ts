// A small client of Redis' own protocol (RESP 2, https://redis.io/docs/latest/develop/reference/protocol-spec/),
// enough to put a REST front over a real server.
import { connect, type Socket } from 'node:net';

/** A status is a string, a bulk string a Buffer; an `Error` is a value here, because it may sit inside a list. */
export type RespReply = string | Buffer | number | null | Error | RespReply[];

export interface RespClient {
  /** Sends all commands in one write, so that nothing else comes between them, and answers in their order. */
  send(commands: readonly (readonly string[])[]): Promise<RespReply[]>;
  close(): void;
}

interface Parsed {
  reply: RespReply;
  /** Where the next reply begins, in bytes. */
  end: number;
}

function encode(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length}\r\n${parts.join('')}`;
}

/** The reply that begins at `start`, or undefined while it has not all arrived. */
function parse(data: Buffer, start: number): Parsed | undefined {
  const lineEnd = data.indexOf('\r\n', start);
  if (lineEnd < 0) return undefined;
  const line = data.toString('utf8', start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(data[start] ?? 0)) {
    case '+':
      return { reply: line, end: next };
    case '-':
      return { reply: new Error(line), end: next };
    case ':':
      return { reply: Number(line), end: next };
    case '$':
      return parseBulk(data, next, Number(line));
    case '*':
      return parseList(data, next, Number(line));
    default:
      throw new Error(`not a RESP reply: ${line}`);
  }
}

function parseBulk(data: Buffer, start: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start };
  const end = start + length + 2;
  return data.length < end ? undefined : { reply: Buffer.from(data.subarray(start, end - 2)), end };
}

function parseList(data: Buffer, start: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start };
  const list: RespReply[] = [];
  let end = start;
  while (list.length < length) {
    const item = parse(data, end);
    if (!item) return undefined;
    list.push(item.reply);
    end = item.end;
  }
  return { reply: list, end };
}

interface Connection {
  socket: Socket;
  waiting: PromiseWithResolvers<RespReply>[];
}

function open(port: number): Connection {
  const connection: Connection = { socket: connect({ port, host: '127.0.0.1', noDelay: true }), waiting: [] };
  let buffered: Buffer = Buffer.alloc(0);
  let cause = new Error('the connection to redis-server was closed');
  connection.socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (let parsed = parse(buffered, 0); parsed; parsed = parse(buffered, 0)) {
      buffered = buffered.subarray(parsed.end);
      connection.waiting.shift()?.resolve(parsed.reply);
    }
  });
  connection.socket.on('error', (error) => {
    cause = error;
  });
  connection.socket.on('close', () => {
    for (const reply of connection.waiting.splice(0)) reply.reject(cause);
  });
  return connection;
}

/** Connects at the first command, and again after the connection was lost. */
export function createRespClient(port: number): RespClient {
  let connection: Connection | undefined;
  return {
    send(commands) {
      if (!connection || connection.socket.destroyed) connection = open(port);
      const replies = commands.map(() => Promise.withResolvers<RespReply>());
      connection.waiting.push(...replies);
      connection.socket.write(commands.map(encode).join(''));
      return Promise.all(replies.map((reply) => reply.promise));
    },
    close() {
      connection?.socket.destroy();
    },
  };
}

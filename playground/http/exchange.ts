import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { isRecord, parseJson, type Json } from './shape.ts';

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  await finished(request);
  return Buffer.concat(parts);
}

/** The body as an object, or `undefined` when it is not JSON or not an object. An empty body is `{}`. */
export function parseObject(body: Buffer): Json | undefined {
  if (body.length === 0) return {};
  const value = parseJson(body.toString('utf8'));
  return isRecord(value) ? value : undefined;
}

/** Sends a whole response and says how many bytes its body had. */
export function reply(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  headers: Record<string, string> = {},
): number {
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length, ...headers });
  response.end(bytes);
  return bytes.length;
}

/** Resolves when the client has gone away or the response is complete. */
export function closed(response: ServerResponse): Promise<void> {
  if (response.closed || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.once('close', () => resolve()));
}

/** A TCP reset: what the client sees is ECONNRESET, as when a proxy or the network drops the connection. */
export function resetConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

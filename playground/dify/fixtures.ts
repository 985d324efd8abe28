import { readFileSync } from 'node:fs';
import { isRecord, isText, parseJson, textMapOf } from '../http/shape.ts';

const folder = new URL('../../test/fixtures/dify/', import.meta.url);

export interface HttpBody {
  status: number;
  contentType: string;
  headers: Record<string, string>;
  body: string;
}

/** The bytes of a recorded stream; the name may leave out `.sse`. */
export function readFixture(name: string): Buffer {
  return readFileSync(new URL(name.endsWith('.sse') ? name : `${name}.sse`, folder));
}

/** A recorded answer that is not a stream. */
export function readHttpBody(name: string): HttpBody {
  const list = parseJson(readFileSync(new URL('http-bodies.json', folder), 'utf8'));
  const entry: unknown = Array.isArray(list) ? list.find((item) => isRecord(item) && item['name'] === name) : undefined;
  if (!isRecord(entry)) throw new Error(`http-bodies.json has no entry called ${name}`);
  const body = entry['body'];
  return {
    status: Number(entry['status']),
    contentType: isText(entry['contentType']) ? entry['contentType'] : 'application/json',
    headers: textMapOf(entry['headers']),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

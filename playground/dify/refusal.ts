import type { Json } from '../http/shape.ts';
import { readHttpBody, type HttpBody } from './fixtures.ts';

/** An answer that is not a stream. */
export type Refusal = HttpBody;

/** protocol 3.1: `{code, message, status}` with the HTTP status repeated. */
export function refuse(status: number, code: string, message: string): Refusal {
  return answerJson({ code, message, status }, status);
}

/** A recorded error, by its name in http-bodies.json. */
export function recorded(name: string): Refusal {
  return readHttpBody(name);
}

export function answerJson(body: Json, status = 200): HttpBody {
  return { status, contentType: 'application/json', headers: {}, body: JSON.stringify(body) };
}

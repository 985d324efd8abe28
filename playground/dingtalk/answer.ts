import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Json } from '../http/shape.ts';

/** What one API decided about one request. */
export interface Answer {
  status: number;
  /** `ok` or the error code. */
  code: string;
  body: Json;
  /** Set when a correct client would never have sent this: the rule it breaks. */
  violation?: string;
  /** False when the refusal does not use up one of the month's calls. */
  counted?: boolean;
  /** Sends something other than `body` and gives its number of bytes. */
  send?: (response: ServerResponse) => Promise<number>;
}

export function accept(body: Json): Answer {
  return { status: 200, code: 'ok', body };
}

/** A refusal that a correct client can run into: limits, permissions, configuration, content check. */
export function refuse(status: number, code: string, message: string, extra: Json = {}): Answer {
  return { status, code, body: { code, message, requestid: randomUUID().toUpperCase(), ...extra } };
}

/** A refusal that only a wrong client runs into. */
export function blame(status: number, code: string, message: string): Answer {
  return { ...refuse(status, code, message), violation: message };
}

/** Session replies answer HTTP 200 whatever happened (protocol 2). */
export function sessionAnswer(errcode: number, errmsg: string, violation?: string): Answer {
  return {
    status: 200,
    code: errcode === 0 ? 'ok' : String(errcode),
    body: { errcode, errmsg },
    ...(violation === undefined ? {} : { violation }),
  };
}

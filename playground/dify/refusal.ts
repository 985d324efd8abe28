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

/** What the framework says when a handler throws. */
export const unknownError: Refusal = answerJson(
  { message: 'Internal Server Error', code: 'unknown', status: 500 },
  500,
);

/** A path, or a malformed id in one, that no route knows. */
export const unknownPath: Refusal = {
  status: 404,
  contentType: 'text/html; charset=utf-8',
  headers: {},
  body: `<!doctype html>
<html lang=en>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>
`,
};

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/iu.test(text);
}

/** A mistake in a body or a query, in the words of Dify's validation: its own text inside a dump. */
function invalid(model: string, field: string, message: string, type: string, input: string): Refusal {
  return refuse(
    400,
    'invalid_param',
    `1 validation error for ${model}\n${field}\n  ${message} [type=${type}, ${input}]\n    For further information visit https://errors.pydantic.dev/2.12/v/${type}`,
  );
}

const pythonType = (value: unknown): string => {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'object') return 'dict';
  if (typeof value === 'number') return 'int';
  return typeof value === 'boolean' ? 'bool' : 'str';
};

/** Python's way to write a value of a body. */
export const pythonText = (value: unknown): string => {
  if (value === null) return 'None';
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
};

/** A field that is missing, or whose value is of the wrong kind. */
export function invalidField(model: string, field: string, value: unknown, wanted: 'string' | 'dictionary' | 'list') {
  const types = { string: 'string_type', dictionary: 'dict_type', list: 'list_type' };
  if (value === undefined)
    return invalid(model, field, 'Field required', 'missing', 'input_value={...}, input_type=dict');
  const input = `input_value=${pythonText(value)}, input_type=${pythonType(value)}`;
  return invalid(model, field, `Input should be a valid ${wanted}`, types[wanted], input);
}

/** A text that is not what the field wants. */
export function invalidText(model: string, field: string, message: string, value: unknown, type = 'value_error') {
  return invalid(model, field, message, type, `input_value=${pythonText(value)}, input_type=${pythonType(value)}`);
}

/** An unknown conversation, with the hint that Flask-RESTX puts behind it. */
export function unknownConversation(path: '/chat-messages' | '/messages'): Refusal {
  const others =
    path === '/messages'
      ? '/v1/messages or /v1/chat-messages or /api/messages'
      : '/v1/chat-messages or /api/chat-messages or /v1/chat-messages/<string:task_id>/stop';
  return refuse(
    404,
    'not_found',
    `Conversation Not Exists. You have requested this URI [/v1${path}] but did you mean ${others} ?`,
  );
}

/** Why a model did not answer: the closed list of causes that a story can ask for. */
export type ModelFailure =
  | 'rate-limit'
  | 'quota'
  | 'balance'
  | 'bad-key'
  | 'context-too-long'
  | 'content-refused'
  | 'unreachable'
  | 'server-error'
  | 'broken-off';

/** What a plugin reports. `rate-limit`, `server-error` and `broken-off` are as recorded; the others are the words of large providers. */
interface PluginError {
  type: 'InvokeError' | 'ChunkedEncodingError' | 'ConnectionError';
  message: string;
}

const refused = (status: number, message: string, type: string, code: string): PluginError => ({
  type: 'InvokeError',
  message: `[models] Error: API request failed with status code ${status}: ${JSON.stringify({
    error: { message, type, param: null, code },
  })}`,
});

const errors: Record<ModelFailure, PluginError> = {
  'rate-limit': refused(429, '请求太多，请稍后再试 (rate limit)', 'rate_limit_error', 'rate_limit_exceeded'),
  quota: refused(
    429,
    'You exceeded your current quota, please check your plan and billing details.',
    'insufficient_quota',
    'insufficient_quota',
  ),
  balance: refused(402, 'Insufficient Balance', 'unknown_error', 'invalid_request_error'),
  'bad-key': refused(401, 'Incorrect API key provided: sk-…4711.', 'invalid_request_error', 'invalid_api_key'),
  'context-too-long': refused(
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9041 tokens.",
    'invalid_request_error',
    'context_length_exceeded',
  ),
  'content-refused': refused(
    400,
    'The response was filtered due to the prompt triggering the content management policy.',
    'invalid_request_error',
    'content_filter',
  ),
  unreachable: {
    type: 'ConnectionError',
    message:
      "HTTPSConnectionPool(host='models.example', port=443): Max retries exceeded with url: /v1/chat/completions (Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))",
  },
  'server-error': refused(500, '桩模型故意返回的错误 500', 'server_error', 'stub_error'),
  'broken-off': {
    type: 'ChunkedEncodingError',
    message:
      "(\"Connection broken: ConnectionResetError(104, 'Connection reset by peer')\", ConnectionResetError(104, 'Connection reset by peer'))",
  },
};

export const modelFailures = Object.keys(errors) as readonly ModelFailure[];

/** Up to 0.15 the provider's words. */
export function plainFailure(cause: ModelFailure): string {
  return errors[cause].message;
}

/** Since plugins exist: their error as a JSON text. */
export function pluginFailure(cause: ModelFailure): string {
  const { type, message } = errors[cause];
  const args = type === 'InvokeError' ? { description: message } : {};
  return JSON.stringify({ args, error_type: type, message });
}

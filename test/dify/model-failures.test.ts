// Why a model failed, by the words of Dify, its plugins and large providers.
import { describe, expect, test } from 'vitest';
import { readModelFailure, readRunFailure } from '../../lib/dify/model-failures.ts';

/** What Dify hands on since models are plugins. */
const plugin = (type: string, message: string) =>
  JSON.stringify({ args: { description: message }, error_type: type, message });
const refused = (status: number, error: object) =>
  plugin('InvokeError', `[models] Error: API request failed with status code ${status}: ${JSON.stringify({ error })}`);

const WORDS = [
  ['busy', 'dify_model_busy', refused(429, { message: 'rate limit', code: 'rate_limit_exceeded' })],
  ['busy', 'dify_model_busy', "[openai] Rate Limit Error, Error code: 429 - {'error': {'message': 'Rate limit'}}"],
  ['busy', 'dify_model_busy', refused(529, { type: 'overloaded_error', message: 'Overloaded' })],
  ['busy', 'dify_model_busy', refused(503, { message: 'The engine is currently overloaded' })],
  ['busy', 'dify_model_busy', plugin('InvokeRateLimitError', '')],
  ['busy', 'dify_model_busy', '[zhipuai] Error: 该模型当前访问量过大，请您稍后再试'],
  ['busy', 'dify_model_busy', plugin('HTTPError', '429 Client Error: for url: https://models.example/v1')],
  // The free plan of Gemini speaks of billing, but the limit is that of the minute.
  [
    'busy',
    'dify_model_busy',
    refused(429, {
      message: 'You exceeded your current quota, please check your plan and billing details. Please retry in 31.2s.',
    }),
  ],
  [
    'balance',
    'dify_model_account',
    refused(429, { message: 'You exceeded your current quota, please check your plan and billing details.' }),
  ],
  ['balance', 'dify_model_account', refused(402, { message: 'Insufficient Balance' })],
  ['balance', 'dify_model_account', refused(400, { message: 'Your credit balance is too low to access the API.' })],
  ['balance', 'dify_model_account', refused(400, { code: 'Arrearage', message: 'Access denied, …' })],
  ['balance', 'dify_model_account', '[zhipuai] Error: 您的账户已欠费，请充值后重试'],
  ['key', 'dify_model_account', refused(401, { message: 'Incorrect API key provided: sk-…4711.' })],
  ['key', 'dify_model_account', '[openai] Incorrect model credentials provided, please check and try again. '],
  ['key', 'dify_model_account', plugin('InvokeAuthorizationError', 'x')],
  ['key', 'dify_model_account', refused(403, { message: 'Country, region, or territory not supported' })],
  [
    'too-long',
    'dify_context_too_long',
    refused(400, { message: "This model's maximum context length is 8192 tokens.", code: 'context_length_exceeded' }),
  ],
  [
    'too-long',
    'dify_context_too_long',
    refused(400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
  ],
  ['too-long', 'dify_context_too_long', refused(400, { message: 'Range of input length should be [1, 30720]' })],
  ['too-long', 'dify_context_too_long', refused(413, { message: 'too large' })],
  [
    'too-long',
    'dify_context_too_long',
    'Query or prefix prompt is too long, you can reduce the prefix prompt, or shrink the max token',
  ],
  ['content-refused', 'dify_content_refused', refused(400, { code: 'content_filter', message: 'filtered' })],
  ['content-refused', 'dify_content_refused', refused(400, { code: 'data_inspection_failed' })],
  ['content-refused', 'dify_content_refused', refused(400, { message: 'Content Exists Risk' })],
  [
    'content-refused',
    'dify_content_refused',
    "[azure_openai] Bad Request Error, The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
  ],
  ['not-set-up', 'dify_model_not_ready', refused(404, { message: 'The model `gpt-9` does not exist' })],
  ['not-set-up', 'dify_model_not_ready', refused(400, { message: 'Model Not Exist' })],
  ['not-set-up', 'dify_model_not_ready', 'model is required'],
  ['not-set-up', 'dify_model_not_ready', 'Model gpt-4 credentials is not initialized.'],
  ['not-set-up', 'dify_model_not_ready', 'Provider langgenius/openai/openai does not exist.'],
  ['quota', 'dify_quota', 'Model provider langgenius/openai/openai quota exceeded.'],
  [
    'broken-off',
    'dify_model_cut',
    plugin('ChunkedEncodingError', "Connection broken: ConnectionResetError(104, 'Connection reset by peer')"),
  ],
  [undefined, 'dify_model_failed', refused(500, { message: 'internal', type: 'server_error' })],
  [undefined, 'dify_model_failed', '[openai] Connection Error, Connection error.'],
  [undefined, 'dify_model_failed', plugin('ValueError', 'no words of ours')],
  // JSON that is cut off is read as it is.
  ['busy', 'dify_model_busy', refused(429, { message: 'slow down' }).slice(0, -3)],
] as const;

describe('the words of an error', () => {
  test.each(WORDS)('%s is %s: %s', (reason, code, words) => {
    expect(readModelFailure(words)).toMatchObject({ code, facts: reason === undefined ? {} : { reason } });
  });

  test('say the same behind the end of a run', () => {
    for (const [, code, words] of WORDS.filter(([, , text]) => text.startsWith('{'))) {
      expect(readRunFailure(`req_id: f7fe0822f7 PluginInvokeError: ${words}`)).toMatchObject({ code });
      expect(readModelFailure(`Run failed: req_id: f7fe0822f7 PluginInvokeError: ${words}`)).toMatchObject({ code });
    }
  });

  test('leave numbers and words of our own only', () => {
    for (const [, , words] of WORDS) {
      for (const value of Object.values(readModelFailure(words)?.facts ?? {})) {
        expect(typeof value === 'number' || /^[a-z-]{3,15}$/.test(String(value))).toBe(true);
      }
    }
    expect(readModelFailure(refused(429, { message: 'x' }))?.facts).toEqual({ reason: 'busy', modelStatus: 429 });
  });

  test('that say nothing are no reason', () => {
    expect(readModelFailure('Internal Server Error, please contact support.')).toBeNull();
    expect(readModelFailure('')).toBeNull();
    expect(readModelFailure('{"a":1}')).toBeNull();
    expect(readModelFailure('null')).toBeNull();
  });
});

describe('a run that failed', () => {
  test.each([
    'Request failed with status code 429',
    'Request failed with status code 404',
    'Reached maximum retries (3) for URL https://internal.example/api',
    'division by zero',
    'HTTP node: rate limit of the shop, insufficient balance',
    '',
  ])('without a model is no failure of one: %s', (error) => {
    expect(readRunFailure(error)).toBeNull();
    expect(readModelFailure(`Run failed: ${error}`)).toEqual({ code: 'dify_run_failed', facts: {} });
  });

  test.each([
    ['Model gpt-4 not exist.', 'dify_model_not_ready'],
    ['[openai] Rate Limit Error, Error code: 429', 'dify_model_busy'],
    ['[openai_api_compatible] Error: API request failed with status code 500: {"error":{}}', 'dify_model_failed'],
  ])('for its model tells why: %s', (error, code) => {
    expect(readRunFailure(error)).toMatchObject({ code });
  });
});

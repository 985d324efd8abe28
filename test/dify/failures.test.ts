import { describe, expect, test } from 'vitest';
import { readEvent } from '../../lib/dify/events.ts';
import { classifyStreamError, readRefusal } from '../../lib/dify/failures.ts';

test('the rate limit of a model passes, the quota of a plan does not', () => {
  expect(classifyStreamError('rate_limit_error', 429)).toBe('dify_model_busy');
  expect(readRefusal(429, { code: 'rate_limit_error', message: 'x' })).toMatchObject({ error: { code: 'dify_quota' } });
});

describe('a refusal without a body of Dify', () => {
  test.each([202, 301, 308, 404, 405])('and status %i comes from elsewhere: the address is wrong', (status) => {
    expect(readRefusal(status, undefined)).toMatchObject({ kind: 'failure', error: { code: 'dify_not_a_stream' } });
  });

  test.each([
    [401, 'dify_unauthorized'],
    [413, 'dify_rejected'],
    [429, 'dify_busy'],
    [500, 'dify_server_error'],
    [502, 'dify_unreachable'],
    [503, 'dify_unreachable'],
    [524, 'dify_timeout'],
  ])('and status %i is what the status says', (status, code) => {
    expect(readRefusal(status, undefined)).toMatchObject({ kind: 'failure', error: { code } });
  });

  test("is told from Dify's own 404", () => {
    const json = { code: 'not_found', message: 'Workflow not found', status: 404 };
    expect(readRefusal(404, json)).toMatchObject({ kind: 'failure', error: { code: 'dify_rejected' } });
  });
});

test('an error of a stream without words of a reason is what its code says', () => {
  expect(classifyStreamError('invalid_param', 400)).toBe('dify_model_failed');
  expect(classifyStreamError('completion_request_error', 400)).toBe('dify_model_failed');
  expect(classifyStreamError('internal_server_error', 500)).toBe('dify_server_error');
  expect(classifyStreamError(null, 500)).toBe('dify_server_error');
});

describe('the words of a refusal', () => {
  const cases = [
    ['city is required in input form', 'dify_input_missing'],
    ['Too many requests. Please try again later.', 'dify_busy'],
    ['model is required', 'dify_model_not_ready'],
    ['query in input form must be less than 256 characters', 'dify_rejected'],
    ['Invalid upload file', 'file_upload_failed'],
    ['File validation failed for file: a.xyz', 'file_not_accepted'],
    ['Number of image files exceeds the maximum limit 3', 'file_not_accepted'],
    ['Detected file type does not match the specified type. Please verify the file.', 'file_not_accepted'],
  ] as const;

  test.each(cases)('%s', (message, code) => {
    expect(readRefusal(400, { code: 'invalid_param', message, status: 400 })).toMatchObject({ error: { code } });
    // A run that could not begin tells it in a frame without a code.
    const frame = readEvent(JSON.stringify({ event: 'error', message, status: 500 }));
    expect(frame).toMatchObject({ kind: 'failed', upstreamCode: null, reason: { code } });
  });

  test('that say nothing leave it to the status', () => {
    const frame = readEvent(JSON.stringify({ event: 'error', message: 'list index out of range', status: 500 }));
    expect(frame).toMatchObject({ kind: 'failed', status: 500, reason: null });
    expect(
      readRefusal(500, { code: 'internal_server_error', message: 'model is required', status: 500 }),
    ).toMatchObject({ error: { code: 'dify_server_error' } });
  });
});

describe('the end of a run', () => {
  const ended = (status: string, error: string | null, outputs: object = {}) =>
    readEvent(JSON.stringify({ event: 'workflow_finished', workflow_run_id: 'r', data: { status, error, outputs } }));

  test.each([
    ['stopped', 'Stopped by user.', 'stopped'],
    // The engine noticed the stop before Dify's flag was read.
    ['failed', 'Aborted: User requested stop', 'stopped'],
    ['stopped', 'Stopped by output moderation.', 'succeeded'],
    ['failed', 'Aborted: Maximum execution time exceeded: 1200.4s > 1200s', 'failed'],
    ['partial-succeeded', null, 'succeeded'],
  ])('%s with “%s” is %s', (status, error, expected) => {
    expect(ended(status, error)).toMatchObject({ kind: 'run-finished', status: expected, reason: null });
  });

  test('that a model caused tells its reason', () => {
    const error = 'req_id: f94 PluginInvokeError: {"error_type":"InvokeError","message":"status code 402"}';
    expect(ended('failed', error)).toMatchObject({ status: 'failed', reason: { code: 'dify_model_account' } });
  });
});

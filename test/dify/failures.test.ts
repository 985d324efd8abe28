import { describe, expect, test } from 'vitest';
import { classifyStreamError, readRefusal } from '../../lib/dify/failures.ts';

test('the rate limit of a model passes, the quota of a plan does not', () => {
  expect(classifyStreamError('rate_limit_error', 429)).toBe('dify_busy');
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
    [502, 'dify_server_error'],
    [524, 'dify_timeout'],
  ])('and status %i is what the status says', (status, code) => {
    expect(readRefusal(status, undefined)).toMatchObject({ kind: 'failure', error: { code } });
  });

  test("is told from Dify's own 404", () => {
    const json = { code: 'not_found', message: 'Workflow not found', status: 404 };
    expect(readRefusal(404, json)).toMatchObject({ kind: 'failure', error: { code: 'dify_rejected' } });
  });
});

import type { DifyConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import { callJson, isTimeout, type Fetch, type HttpAnswer } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';

export interface DifyCall {
  method: 'GET' | 'POST';
  /** Below the API's address, with its query. */
  path: string;
  body?: object;
  timeoutMs: number;
  signal?: AbortSignal;
}

export function authorizationOf({ apiKey }: DifyConfig): { authorization: string } {
  return { authorization: `Bearer ${apiKey}` };
}

/**
 * One JSON call. Whatever was answered is returned, refusals too.
 *
 * @throws BridgeError `dify_timeout` or `dify_unreachable` when nothing was answered, and after an abort of the signal.
 */
export async function callDify(config: DifyConfig, fetch: Fetch, clock: Clock, call: DifyCall): Promise<HttpAnswer> {
  try {
    const { path, ...request } = call;
    return await callJson(fetch, clock, {
      ...request,
      url: `${config.apiUrl}${path}`,
      headers: authorizationOf(config),
    });
  } catch (error) {
    throw noAnswer(error);
  }
}

/** Our error for a call that got no answer. */
export function noAnswer(error: unknown): BridgeError {
  return isTimeout(error)
    ? new BridgeError('dify_timeout', 'Dify did not answer in time', {}, error)
    : new BridgeError('dify_unreachable', 'no connection to Dify', {}, error);
}

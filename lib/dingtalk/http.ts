import { BridgeError } from '../errors.ts';
import { callJson, isTimeout, type Fetch, type HttpAnswer, type HttpRequest } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';

/** Calls DingTalk. @throws BridgeError `dingtalk_timeout` or `dingtalk_unreachable` when there is no answer. */
export async function send(fetch: Fetch, clock: Clock, api: string, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await callJson(fetch, clock, request);
  } catch (error) {
    throw noAnswer(api, error, error);
  }
}

/** The failure of a call that ended with `error` instead of an answer. */
export const noAnswer = (api: string, error: unknown, cause?: unknown): BridgeError =>
  isTimeout(error)
    ? new BridgeError('dingtalk_timeout', `no answer to ${api} in time`, { api }, cause)
    : new BridgeError('dingtalk_unreachable', `no connection for ${api}`, { api }, cause);

import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError, hasCode, isUnsent, type DeliveryErrorCode } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { isOfGateway, refusal } from './failures.ts';
import { send } from './http.ts';
import { createMediaUpload, type MediaFile } from './media.ts';
import { createTokenSource, type TokenStore } from './token.ts';

/** Calls to DingTalk as one app. */
export interface DingTalkClient {
  /**
   * One call with the app's access token.
   *
   * @param api the call's short name, for logs.
   * @throws BridgeError with a `dingtalk_…` code.
   */
  call(api: string, request: ApiRequest): Promise<unknown>;
  /**
   * Uploads a file with the app's access token and gives its media id. Unlike `call` it is not repeated with a new
   * token, because bytes that were read cannot be sent again. After `dingtalk_token_invalid` the next upload has a new
   * token.
   *
   * @throws BridgeError with a `dingtalk_…` code; what the file's bytes throw.
   */
  upload(file: MediaFile): Promise<string>;
}

export interface ApiRequest {
  method: 'POST' | 'PUT';
  path: string;
  body: unknown;
  /** Milliseconds. Card updates have been seen to take 3 to 10 s. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 8_000;

/** @param store where the instances share the token; without one each asks for its own. */
export function createDingTalkClient(
  config: DingTalkConfig,
  fetch: Fetch,
  clock: Clock,
  store: TokenStore | null = null,
): DingTalkClient {
  const tokens = createTokenSource({ config, fetch, clock, store });
  const uploadMedia = createMediaUpload(config, fetch, clock);
  const isTokenRefused = (error: unknown) => hasCode(error, 'dingtalk_token_invalid');

  async function attempt(api: string, request: ApiRequest, accessToken: string): Promise<unknown> {
    const answer = await send(fetch, clock, api, {
      method: request.method,
      url: `${config.apiUrl}${request.path}`,
      headers: { 'x-acs-dingtalk-access-token': accessToken },
      body: request.body,
      timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    // A gateway that blocks an address answers with a page or with its own JSON, under any status (rate limit page).
    if (answer.status !== 200 || isOfGateway(answer.json)) throw refusal(api, answer.status, answer.json);
    return answer.json;
  }

  return {
    async call(api, request) {
      const used = await tokens.get();
      try {
        return await attempt(api, request, used);
      } catch (error) {
        if (!isTokenRefused(error)) throw error;
        // The token was renewed elsewhere or revoked. DingTalk refused the call before it did anything, so one repeat
        // is safe.
        tokens.invalidate(used);
        return attempt(api, request, await tokens.get());
      }
    },
    async upload(file) {
      const used = await tokens.get();
      try {
        return await uploadMedia(file, used);
      } catch (error) {
        if (isTokenRefused(error)) tokens.invalidate(used);
        throw error;
      }
    },
  };
}

/** Calls that DingTalk does not count for the month: its limits or the network stopped them (billing model page). */
const NOT_COUNTED: ReadonlySet<string> = new Set<DeliveryErrorCode>([
  'dingtalk_qps',
  'dingtalk_month_used_up',
  'dingtalk_unreachable',
]);

/** The client, calling `onCall` with each call that counts for the organisation's month. */
export function countCalls(client: DingTalkClient, onCall: () => void): DingTalkClient {
  async function counted<T>(work: Promise<T>): Promise<T> {
    let isCounted = true;
    try {
      return await work;
    } catch (error) {
      isCounted = !isUnsent(error) && !(error instanceof BridgeError && NOT_COUNTED.has(error.code));
      throw error;
    } finally {
      if (isCounted) onCall();
    }
  }
  return {
    call: (api, request) => counted(client.call(api, request)),
    upload: (file) => counted(client.upload(file)),
  };
}

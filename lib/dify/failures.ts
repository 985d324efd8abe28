import * as z from 'zod';
import { BridgeError, safeUpstreamCode, type TurnErrorCode } from '../errors.ts';

/** Dify's error body; old versions leave out `status`, proxies send no JSON at all. */
const errorBody = z.object({ code: z.string().nullish(), message: z.string().nullish() });

const KNOWN_CODES: Readonly<Record<string, TurnErrorCode>> = {
  unauthorized: 'dify_unauthorized',
  forbidden: 'dify_forbidden',
  too_many_requests: 'dify_busy',
  rate_limit_error: 'dify_quota',
  provider_quota_exceeded: 'dify_quota',
  provider_not_initialize: 'dify_model_not_ready',
  model_currently_not_support: 'dify_model_not_ready',
  completion_request_error: 'dify_model_failed',
  app_unavailable: 'dify_app_unavailable',
  agent_not_published: 'dify_app_unavailable',
  internal_server_error: 'dify_server_error',
};

/**
 * Our code for an error event. There `rate_limit_error` means that the model provider limits calls at the moment; before
 * the stream it means that the plan is used up.
 */
export function classifyStreamError(code: string | null, status: number | null): TurnErrorCode {
  return code === 'rate_limit_error' ? 'dify_busy' : classifyDifyError(code, status);
}

/** Our code for a refusal before the stream. `status` is that of HTTP. */
function classifyDifyError(code: string | null, status: number | null): TurnErrorCode {
  const known = code !== null && Object.hasOwn(KNOWN_CODES, code) ? KNOWN_CODES[code] : undefined;
  if (known) return known;
  switch (status) {
    case 401:
      return 'dify_unauthorized';
    case 403:
      return 'dify_forbidden';
    case 429:
      return 'dify_busy';
    case 504:
    case 524:
      return 'dify_timeout';
    default:
      return status !== null && status < 500 ? 'dify_rejected' : 'dify_server_error';
  }
}

/**
 * Whether a refusal without Dify's JSON comes from a web page or a proxy: then the configured address is not that of Dify's
 * API.
 */
function isElsewhere(status: number): boolean {
  return status < 400 || status === 404 || status === 405;
}

/** What to do after a refusal: ask without the conversation, ask as another type, or give up. */
export type RefusalKind = 'stale-conversation' | 'wrong-app-type' | 'failure';

export interface Refusal {
  kind: RefusalKind;
  error: BridgeError;
}

/** The mode of the app does not fit the path. Dify ran nothing, so the question may be asked on another path. */
const MODE_MISMATCH: ReadonlySet<string> = new Set(['not_chat_app', 'not_workflow_app', 'not_completion_app']);

export function readRefusal(status: number, json: unknown): Refusal {
  const { code = null, message = null } = errorBody.safeParse(json).data ?? {};
  const upstreamCode = safeUpstreamCode(code);
  // Only the beginning is compared: newer versions of Dify append hints to the messages of 404.
  if (status === 404 && message?.startsWith('Conversation Not Exists')) {
    return { kind: 'stale-conversation', error: failure('dify_rejected', status, upstreamCode) };
  }
  if (status === 400 && upstreamCode !== null && MODE_MISMATCH.has(upstreamCode)) {
    return { kind: 'wrong-app-type', error: failure('dify_rejected', status, upstreamCode) };
  }
  // Dify documents 429 for this, but the order of its handlers can make it a 400.
  if (message?.startsWith('Too many requests')) {
    return { kind: 'failure', error: failure('dify_busy', status, upstreamCode) };
  }
  if (status === 400 && message !== null && message.endsWith(' is required in input form')) {
    return { kind: 'failure', error: failure('dify_input_missing', status, upstreamCode) };
  }
  if (code === null && message === null && isElsewhere(status)) {
    return { kind: 'failure', error: failure('dify_not_a_stream', status, null) };
  }
  return { kind: 'failure', error: failure(classifyDifyError(upstreamCode, status), status, upstreamCode) };
}

function failure(code: TurnErrorCode, status: number, upstreamCode: string | null): BridgeError {
  return new BridgeError(code, 'Dify refused the request', { status, upstreamCode });
}

import * as z from 'zod';
import type { FailureReason, RunStatus } from '../answer/event.ts';
import { BridgeError, safeUpstreamCode, type TurnErrorCode } from '../errors.ts';
import { readModelFailure, readRunFailure } from './model-failures.ts';

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

/** Codes that mean something else in a stream than in a refusal before it. */
const STREAM_CODES: Readonly<Record<string, TurnErrorCode>> = {
  // The model provider limits calls at the moment; before the stream the plan is used up.
  rate_limit_error: 'dify_model_busy',
  // A question that Dify does not take is refused before the stream. In it this is the code of any failed model.
  invalid_param: 'dify_model_failed',
};

/** Our code for an error event whose words do not tell the reason. */
export function classifyStreamError(code: string | null, status: number | null): TurnErrorCode {
  const known = code !== null && Object.hasOwn(STREAM_CODES, code) ? STREAM_CODES[code] : undefined;
  return known ?? classifyDifyError(code, status);
}

/** Why an error event came, by its words; null where they do not tell. An event without a code tells why no run began. */
export function readErrorReason(code: string | null, message: string): FailureReason | null {
  if (code !== null) return readModelFailure(message);
  const refused = reasonOfRefusal(message);
  return refused && { code: refused, facts: {} };
}

/** How a run ended. */
export function runEnd(status: string | null, error: string): { status: RunStatus; reason: FailureReason | null } {
  switch (status) {
    case 'failed':
      // The engine of the run noticed a stop before Dify did. Its own limits are other words behind `Aborted: `.
      return error.startsWith('Aborted: User requested')
        ? { status: 'stopped', reason: null }
        : { status: 'failed', reason: readRunFailure(error) };
    case 'stopped':
      // Moderation ended the run, and the text that takes the place of the answer came before. Nobody stopped it.
      return { status: error.startsWith('Stopped by output moderation') ? 'succeeded' : 'stopped', reason: null };
    default:
      // `partial-succeeded` means that a node failed into its error branch. To the reader that is a success.
      return { status: 'succeeded', reason: null };
  }
}

/** The words of a refusal that tell more than its code, which is `invalid_param` for all of them. */
const REFUSALS: readonly (readonly [words: RegExp, code: TurnErrorCode])[] = [
  // Dify documents 429 for this, but the order of its handlers can make it a 400.
  [/^Too many requests/, 'dify_busy'],
  [/ is required in input form$/, 'dify_input_missing'],
  [/ in input form must be /, 'dify_rejected'],
  [/^(?:model|LLM mode) is required/i, 'dify_model_not_ready'],
  [/^Invalid upload file/, 'file_upload_failed'],
  [/^(?:File validation failed|Detected file type|Number of \w+ files exceeds)/, 'file_not_accepted'],
];

const reasonOfRefusal = (message: string): TurnErrorCode | null =>
  REFUSALS.find(([words]) => words.test(message))?.[1] ?? null;

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
  const refusal = (kind: RefusalKind, ours: TurnErrorCode): Refusal => ({
    kind,
    error: new BridgeError(ours, 'Dify refused the request', { status, upstreamCode }),
  });
  // Only the beginning is compared: newer versions of Dify append hints to the messages of 404.
  if (status === 404 && message?.startsWith('Conversation Not Exists')) {
    return refusal('stale-conversation', 'dify_rejected');
  }
  if (status === 400 && upstreamCode !== null && MODE_MISMATCH.has(upstreamCode)) {
    return refusal('wrong-app-type', 'dify_rejected');
  }
  const told = status === 400 || status === 429 ? reasonOfRefusal(message ?? '') : null;
  if (told) return refusal('failure', told);
  const isOfDify = code !== null || message !== null;
  // A proxy in front of Dify answers so while Dify restarts.
  if (!isOfDify && (status === 502 || status === 503)) return refusal('failure', 'dify_unreachable');
  if (!isOfDify && isElsewhere(status)) return refusal('failure', 'dify_not_a_stream');
  return refusal('failure', classifyDifyError(upstreamCode, status));
}

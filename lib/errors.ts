/**
 * Why a request is refused before any call is made, with the HTTP status that the caller gets (the contract's table of
 * routes). The caller is DingTalk, its console, or a stranger who tries the address.
 */
export const REQUEST_ERROR_STATUS = {
  not_configured: 503,
  method_not_allowed: 405,
  robot_unknown: 404,
  route_closed: 401,
  signature_missing: 401,
  signature_wrong: 401,
  signature_expired: 401,
  body_too_large: 413,
  body_invalid: 400,
} as const;

/**
 * What can go wrong while a question is answered; each has a sentence for the user in `texts/`. Behind each stands whether
 * the same question, asked once more, may be answered: `again` perhaps at once, `mended` only after an administrator has
 * mended something, `never` as it stands.
 */
const REPEAT = {
  dify_unreachable: 'again',
  dify_timeout: 'again',
  dify_unauthorized: 'mended',
  dify_forbidden: 'mended',
  dify_busy: 'again',
  dify_quota: 'mended',
  dify_model_not_ready: 'mended',
  dify_model_failed: 'again',
  dify_model_busy: 'again',
  dify_model_account: 'mended',
  dify_model_cut: 'again',
  dify_context_too_long: 'never',
  dify_content_refused: 'never',
  dify_rejected: 'never',
  dify_input_missing: 'mended',
  dify_input_invalid: 'mended',
  dify_app_unavailable: 'mended',
  dify_server_error: 'again',
  dify_run_failed: 'again',
  dify_not_a_stream: 'mended',
  dify_not_started: 'again',
  dify_stalled: 'again',
  dify_cut: 'again',
  out_of_time: 'never',
  interrupted: 'again',
  answer_lost: 'again',
  file_not_accepted: 'never',
  file_too_large: 'never',
  file_wrong_type: 'never',
  file_unavailable: 'never',
  file_expired: 'never',
  file_address_refused: 'never',
  file_upload_failed: 'again',
  speech_unclear: 'never',
  form_closed: 'never',
  form_expired: 'never',
  form_invalid: 'never',
  store_unavailable: 'again',
  internal: 'again',
} as const satisfies Record<string, 'again' | 'mended' | 'never'>;

export const TURN_ERROR_CODES = Object.keys(REPEAT) as TurnErrorCode[];

/** The section of the documents on a code: what it means and what to do. A test holds the page to the codes. */
export const sectionOf = (code: string, page = 'docs/operations.md'): string => `${page}#${code}`;

/** Failures that only an administrator can mend: those of the list `ADMIN_USERS` are told of them. */
export const ADMIN_ERROR_CODES = ['dify_quota', 'dify_model_not_ready', 'dify_model_account'] as const;

/** What can go wrong while an answer is shown. Users see it in another way, operators get a log line. */
export const DELIVERY_ERROR_CODES = [
  'dingtalk_unreachable',
  'dingtalk_timeout',
  'dingtalk_credentials',
  'dingtalk_token_invalid',
  'dingtalk_permission_missing',
  'dingtalk_ip_refused',
  'dingtalk_template_missing',
  'dingtalk_template_unpublished',
  'dingtalk_card_variable',
  'dingtalk_card_exists',
  'dingtalk_card_undelivered',
  'dingtalk_card_no_target',
  'dingtalk_card_too_long',
  'dingtalk_content_unsafe',
  'dingtalk_qps',
  'dingtalk_month_used_up',
  'dingtalk_refused',
  'dingtalk_server_error',
  'dingtalk_session_missing',
  'dingtalk_session_expired',
  'dingtalk_session_untrusted',
  'dingtalk_callback_unregistered',
  'dingtalk_stream_refused',
  'dingtalk_stream_handshake',
] as const;

/** Codes of log lines for an operator that no failure causes. */
export const NOTICE_CODES = ['dingtalk_inbound_quota', 'robot_code_mismatch', 'store_in_process'] as const;

export type RequestErrorCode = keyof typeof REQUEST_ERROR_STATUS;

export type TurnErrorCode = keyof typeof REPEAT;

export type AdminErrorCode = (typeof ADMIN_ERROR_CODES)[number];

export type DeliveryErrorCode = (typeof DELIVERY_ERROR_CODES)[number];

export type ErrorCode = RequestErrorCode | TurnErrorCode | DeliveryErrorCode;

/** What a failure means for a repeat of the same call. With none of these the repeat would fail the same way. */
interface Nature {
  /** A moment later the call may succeed. */
  passing?: true;
  /** No answer came, so the call may have been carried out. */
  unanswered?: true;
  /** DingTalk refused the call for speed: too many calls in too short a time. */
  limited?: true;
  /** DingTalk's content check refused the text, so it must not be sent by any other way. */
  unsafe?: true;
  /** A model had no room for the call. After a pause it may have, and nothing was answered. */
  busy?: true;
}

const NATURE: Readonly<Partial<Record<ErrorCode, Nature>>> = {
  dingtalk_unreachable: { passing: true, unanswered: true },
  dingtalk_timeout: { passing: true, unanswered: true },
  dingtalk_qps: { passing: true, limited: true },
  dingtalk_server_error: { passing: true },
  // This 500 also comes at random when calls for one card overlap, so it is no proof of a wrong variable.
  dingtalk_card_variable: { passing: true },
  dingtalk_content_unsafe: { unsafe: true },
  dify_unreachable: { unanswered: true },
  dify_timeout: { unanswered: true },
  dify_model_busy: { busy: true },
};

const has = (error: unknown, nature: keyof Nature): boolean =>
  error instanceof BridgeError && NATURE[error.code]?.[nature] === true;

export const isPassing = (error: unknown): boolean => has(error, 'passing');
/** What the call stood on had failed before, so that the call itself was not sent. */
export const isUnsent = (error: unknown): boolean => error instanceof BridgeError && error.facts['unsent'] === true;

export const isUnanswered = (error: unknown): boolean => has(error, 'unanswered') && !isUnsent(error);
export const isLimited = (error: unknown): boolean => has(error, 'limited');
export const isUnsafe = (error: unknown): boolean => has(error, 'unsafe');
export const isModelBusy = (error: unknown): boolean => has(error, 'busy');

/** An answer to a form that is not taken. Asking the same once more would lead to the same. */
export const isAboutForm = ({ code }: BridgeError): boolean =>
  code === 'form_invalid' || code === 'form_closed' || code === 'form_expired';

/** Whether the question may be asked once more. */
export function repeatOf(failure: BridgeError): 'again' | 'mended' | 'never' {
  const { code, facts, named } = failure;
  // The question itself is too long for the input, or lacks the file that the app requires.
  const isOfQuestion = typeof facts['maxChars'] === 'number' || named.missingFiles !== undefined;
  if ((code === 'dify_input_invalid' || code === 'dify_input_missing') && isOfQuestion) return 'never';
  return REPEAT[turnErrorCode(failure)];
}

/** Refused, and perhaps not a moment later. */
export const isRefusedForNow = (error: unknown): boolean => isPassing(error) && !isUnanswered(error);

/**
 * The call may have been carried out: no answer came, or the service failed in the middle of it. A refusal for speed
 * comes before anything is done.
 */
export const mayBeDone = (error: unknown): boolean => isPassing(error) && !isLimited(error) && !isUnsent(error);

/** Facts for the log: numbers and short codes, never upstream text. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>;

/** What a sentence for the asker names of the app, in the words of the app's author: no log has them. */
export interface Named {
  /** The inputs, or the fields of a form, that lack a value. */
  missing?: readonly string[];
  /** Those that lack a file. */
  missingFiles?: readonly string[];
  /** The input or field that does not take what it was given. */
  label?: string;
  /** What it takes. */
  options?: readonly string[];
  extensions?: readonly string[];
}

/**
 * The one error of this project. `message` is our own wording and safe to log, and so are the facts. The words of an upstream
 * service are not kept, because they may hold keys, addresses or text of users.
 */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  readonly named: Named;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, cause?: unknown, named: Named = {}) {
    super(message, { cause });
    this.code = code;
    this.facts = facts;
    this.named = named;
  }
}

/** Whether an error is one of ours with one of these codes. */
export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is BridgeError =>
  error instanceof BridgeError && codes.includes(error.code);

/** The code whose sentence the asker reads. An unexpected failure is `internal`. */
export function turnErrorCode(error: unknown): TurnErrorCode {
  return error instanceof BridgeError && Object.hasOwn(REPEAT, error.code) ? (error.code as TurnErrorCode) : 'internal';
}

/** The code of a failure that administrators are told of; null for any other failure. */
export function adminErrorCode({ code }: BridgeError): AdminErrorCode | null {
  return ADMIN_ERROR_CODES.find((known) => known === code) ?? null;
}

/** A short upstream code such as `param.templateUnpublished`; null for a value that could be text. */
export function safeUpstreamCode(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.:-]{1,80}$/.test(value) ? value : null;
}

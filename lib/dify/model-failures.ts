import type { FailureReason } from '../answer/event.ts';
import type { TurnErrorCode } from '../errors.ts';
import { parseJson } from '../runtime/json.ts';

/** Longest part of a text that is read. The facts stand at its beginning; what follows may be a whole web page. */
const MAX_CHARS = 20_000;

/**
 * What a text is known by, most telling first: the words of Dify, of its plugins and of large providers. A provider says
 * "your balance is used up" with the status of a rate limit, so words come before the status.
 */
const SIGNS: readonly (readonly [cause: string, code: TurnErrorCode, words: RegExp])[] = [
  [
    'not-set-up',
    'dify_model_not_ready',
    /\b(?:model|LLM mode) is required|provider_not_initialize|credentials? (?:is|are) not initialized|no valid model credentials|\bprovider \S+ does not exist|\bmodel \S+ (?:does not|not) exist|model[_ ]not[_ ](?:found|exist)/i,
  ],
  ['quota', 'dify_quota', /\bmodel provider \S+ quota exceeded|provider_quota_exceeded/i],
  [
    'too-long',
    'dify_context_too_long',
    /context_length_exceeded|maximum context length|maximum model length|context window|exceeds? (?:the )?(?:context|maximum number of tokens|max message tokens)|exceeded model token limit|prompt is too long|prompt tokens? too long|input is too long|range of input length|max input characters|too many tokens|request too large for|input tokens exceed|string_above_max_length|prompt ?超长|超(?:过|出).{0,20}(?:上下文|最大长度)/i,
  ],
  [
    'content-refused',
    'dify_content_refused',
    /content[_ ]?filter|content[_ ](?:management[_ ])?policy|ResponsibleAIPolicyViolation|data_?inspection_?failed|inappropriate content|content exists risk|considered high risk|SensitiveContentDetected|new_sensitive|PROHIBITED_CONTENT|safety (?:system|settings)|不安全或敏感/i,
  ],
  ['busy', 'dify_model_busy', /per[ _-]?minute|retry in \d/i],
  [
    'balance',
    'dify_model_account',
    /insufficient[_ ](?:user[_ ])?(?:quota|balance|credits?|funds)|balance is (?:insufficient|too low|not enough)|plan and billing|billing_(?:error|hard_limit|not_active)|exceeded_current_quota|arrearage|account[_ ]?overdue|in good standing|FreeTierOnly|欠费|余额不足/i,
  ],
  [
    'key',
    'dify_model_account',
    /InvokeAuthorizationError|CredentialsValidateFailed|incorrect model credentials|(?:incorrect|invalid|wrong) (?:x-)?api[-_ ]?key|invalid_api_key|API_KEY_INVALID|api key not valid|authentication_error|AuthenticationError|authentication fails|invalid authentication|permission_?denied|身份验证失败|令牌已过期|密钥无效/i,
  ],
  [
    'busy',
    'dify_model_busy',
    /InvokeRateLimitError|rate[-_ ]?limit|too many requests|overloaded|throttl|RESOURCE_EXHAUSTED|server is busy|too busy|请求过于频繁|访问量过大|速率限制|并发/i,
  ],
  [
    'broken-off',
    'dify_model_cut',
    /ChunkedEncodingError|IncompleteRead|RemoteProtocolError|connection broken|connection reset|peer closed connection/i,
  ],
];

/** Where no words tell: the status that the provider answered with. Every other one means that the call failed. */
const STATUS: Readonly<Record<number, readonly [cause: string, code: TurnErrorCode]>> = {
  401: ['key', 'dify_model_account'],
  402: ['balance', 'dify_model_account'],
  403: ['key', 'dify_model_account'],
  404: ['not-set-up', 'dify_model_not_ready'],
  413: ['too-long', 'dify_context_too_long'],
  429: ['busy', 'dify_model_busy'],
  529: ['busy', 'dify_model_busy'],
};

const STATUS_WORDS =
  /\b(?:status[ _]?code|error code|HTTP(?:\/[\d.]+)?)\W{0,3}(\d{3})\b|\b(\d{3}) (?:Client|Server) Error\b/i;

/** What only a failed call of a model has: Dify's name for it, or the words of a plugin before those of its provider. */
const OF_A_MODEL =
  /PluginInvokeError|\bInvoke\w*Error|"error_type"|API request failed|\[[^\]\n]{1,100}\] (?:Error|Connection Error|Server Unavailable Error|Rate Limit Error|Bad Request Error|Incorrect model credentials)/;

/** What Dify says of a model that it does not even call. */
const OF_THE_APP: ReadonlySet<TurnErrorCode> = new Set(['dify_model_not_ready', 'dify_quota']);

/** What stands before the words of a run that failed, in the `error` event of old versions. */
const RUN_FAILED = 'Run failed: ';

/**
 * Why a model gave no answer, read from the text of an `error` event; null where the text does not tell.
 *
 * The text is the provider's. Nothing of it is kept but the status.
 */
export function readModelFailure(message: string): FailureReason | null {
  if (message.startsWith(RUN_FAILED)) {
    return readRunFailure(message.slice(RUN_FAILED.length)) ?? { code: 'dify_run_failed', facts: {} };
  }
  const text = unwrapped(message);
  return signIn(text) ?? statusIn(text) ?? (isOfModel(message) ? { code: 'dify_model_failed', facts: {} } : null);
}

/**
 * Why a run failed, where one of its models is the reason; null for every other failure: an HTTP node, too, says
 * "status code 429".
 */
export function readRunFailure(error: string): FailureReason | null {
  if (isOfModel(error)) return readModelFailure(error);
  const sign = signIn(error.slice(0, MAX_CHARS));
  return sign && OF_THE_APP.has(sign.code) ? sign : null;
}

const isOfModel = (text: string) => OF_A_MODEL.test(text.slice(0, MAX_CHARS));

function signIn(text: string): FailureReason | null {
  const [reason, code] = SIGNS.find(([, , words]) => words.test(text)) ?? [];
  return code === undefined ? null : { code, facts: { reason: reason ?? null, ...statusFact(text) } };
}

function statusIn(text: string): FailureReason | null {
  const { modelStatus } = statusFact(text);
  if (modelStatus === undefined) return null;
  const [reason, code] = STATUS[modelStatus] ?? [];
  return { code: code ?? 'dify_model_failed', facts: { ...(reason === undefined ? {} : { reason }), modelStatus } };
}

function statusFact(text: string): { modelStatus?: number } {
  const [, after, before] = STATUS_WORDS.exec(text) ?? [];
  const status = after ?? before;
  return status === undefined ? {} : { modelStatus: Number(status) };
}

/**
 * The words in the JSON of a plugin: `{"args": …, "error_type": …, "message": …}`, by itself or behind
 * `PluginInvokeError: `. Any other text is taken as it is.
 */
function unwrapped(text: string): string {
  const begin = text.startsWith('{') ? 0 : text.indexOf('PluginInvokeError: {');
  const json = begin < 0 ? undefined : parseJson(text.slice(text.indexOf('{', begin)));
  if (typeof json !== 'object' || json === null) return text.slice(0, MAX_CHARS);
  const { error_type: type, message, args } = json as Record<string, unknown>;
  const described = typeof args === 'object' && args !== null && 'description' in args ? args.description : '';
  return [type, message, described]
    .filter((part) => typeof part === 'string')
    .join('\n')
    .slice(0, MAX_CHARS);
}

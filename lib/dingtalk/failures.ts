import * as z from 'zod';
import type { CardSink } from '../delivery/sink.ts';
import { BridgeError, hasCode, safeUpstreamCode, type DeliveryErrorCode } from '../errors.ts';

const codeText = z.union([z.string(), z.number().transform(String)]).nullish();

const errorBody = z.object({ code: codeText, Code: codeText });

/**
 * DingTalk's codes in lower case (pages of the single calls, global error code page). A code that is not here is
 * classified by its HTTP status.
 */
const KNOWN_CODES: Readonly<Record<string, DeliveryErrorCode>> = {
  invalidclientidorsecret: 'dingtalk_credentials',
  invalidauthentication: 'dingtalk_token_invalid',
  'forbidden.accessdenied.accesstokenpermissiondenied': 'dingtalk_permission_missing',
  'forbidden.accessdenied.ipnotinwhitelist': 'dingtalk_ip_refused',
  'forbidden.accessdenied.apicountlimitfororg': 'dingtalk_month_used_up',
  'param.templatenotexist': 'dingtalk_template_missing',
  'param.templateunpublished': 'dingtalk_template_unpublished',
  'param.cardalreadyexist': 'dingtalk_card_exists',
  'param.contentunsafe': 'dingtalk_content_unsafe',
  'contain.notallowed.text': 'dingtalk_content_unsafe',
  'contain.notallowed.picture': 'dingtalk_content_unsafe',
  'contain.notallowed.content': 'dingtalk_content_unsafe',
  'contain.unsafe.url': 'dingtalk_content_unsafe',
  'param.stream.content': 'dingtalk_card_too_long',
  200092: 'dingtalk_card_too_long',
};

/** What an operator does about a failure. Failures without an entry need nothing. */
const REMEDIES: Readonly<Partial<Record<DeliveryErrorCode, string>>> = {
  dingtalk_credentials: 'check DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET against the app in the developer console',
  dingtalk_permission_missing:
    'grant the app Card.Instance.Write, Card.Streaming.Write and qyapi_robot_sendmsg in the developer console',
  dingtalk_ip_refused: 'empty the list of egress addresses of the app in the developer console',
  dingtalk_template_missing: 'check DINGTALK_CARD_TEMPLATE_ID: the template belongs to this app and ends in .schema',
  dingtalk_template_unpublished: 'publish the card template in the card platform',
  dingtalk_card_variable: 'check DINGTALK_CARD_CONTENT_KEY: the template has no streaming variable of this name',
  dingtalk_card_too_long: 'lower DINGTALK_CARD_MAX_CHARS: DingTalk takes no card text of this length',
  dingtalk_card_undelivered: 'check that the robot is in the group, and DINGTALK_ROBOT_CODE',
  dingtalk_month_used_up: 'the organisation has used up its monthly calls; set DINGTALK_MONTHLY_CALLS to end softly',
};

/** The answer to an address that called too often: the gateway blocks it for some minutes. */
const blocked = z.object({ punish: z.string() });

/** Whether the gateway answered and not the interface: with a page, or with the JSON of a blocked address. */
export function isOfGateway(body: unknown): boolean {
  return body === undefined || blocked.safeParse(body).success;
}

/**
 * Whether a gateway answered in the place of the interface, because it had waited for 3 s (504) or lost the connection
 * (502). The interface may have carried the call out, so this counts as no answer.
 */
export const isUnheard = (status: number): boolean => status === 502 || status === 504;

/** Turns a refusal of api.dingtalk.com into our error; the facts hold the HTTP status and DingTalk's code only. */
export function refusal(api: string, status: number, body: unknown): BridgeError {
  const parsed = errorBody.safeParse(body).data;
  const upstreamCode = safeUpstreamCode(parsed?.code ?? parsed?.Code);
  const code = blocked.safeParse(body).success ? 'dingtalk_qps' : classify(status, upstreamCode);
  return new BridgeError(code, remedyFor(code) ?? `DingTalk refused ${api}`, { api, status, upstreamCode });
}

export function remedyFor(code: DeliveryErrorCode): string | null {
  return REMEDIES[code] ?? null;
}

function classify(status: number, upstreamCode: string | null): DeliveryErrorCode {
  const code = upstreamCode?.toLowerCase() ?? '';
  const known = Object.hasOwn(KNOWN_CODES, code) ? KNOWN_CODES[code] : undefined;
  if (known) return known;
  // A limit comes as 403 with a Qps or Qpm code (seen in the field) or as 429 (DingTalk's staff).
  if (status === 429 || /\.qp[sm]limit/.test(code)) return 'dingtalk_qps';
  if (isUnheard(status)) return 'dingtalk_unreachable';
  if (status === 401) return 'dingtalk_token_invalid';
  // With this code a 500 nearly always means that the template has no variable of that name.
  if (status === 500 && code === 'unknownerror') return 'dingtalk_card_variable';
  // `system.error` and `system.busy` come with 400 as well as with 500.
  if (code.startsWith('system.')) return 'dingtalk_server_error';
  // A 200 gets here only when its body is not one of the interface.
  return status >= 500 || status === 200 ? 'dingtalk_server_error' : 'dingtalk_refused';
}

const MISSING: ReadonlySet<unknown> = new Set(['param.stream.outTrackId', 'param.cardNotExist']);

/** Codes of a frame that is wrong in itself, whatever the state of its card (page of the call). */
const OF_THE_FRAME = /^param\.(stream\.(key|content|guid)Empty|stream\.isFull|invalid)$|too\.?(large|long)/i;

/**
 * Whether the refusal of a new card can be about one of its fields. `dingtalk_card_variable` is a 500 with
 * `unknownError`: unknown variables are refused so.
 */
export const mayBeOfExtras = (error: unknown): error is BridgeError =>
  hasCode(error, 'dingtalk_card_variable', 'dingtalk_card_undelivered', 'dingtalk_content_unsafe') ||
  (hasCode(error, 'dingtalk_refused') && (error.facts['status'] ?? 400) === 400);

/** What the refusal of a frame means for its card. */
export const cardRefusals: Pick<CardSink, 'saysEnded' | 'saysMissing' | 'refusesState'> = {
  // DingTalk's page does not say how it refuses a frame for a card that has ended, so that is any code without a meaning
  // of its own. A card that does not exist has not ended: the asker has seen no answer.
  saysEnded: (error) =>
    hasCode(error, 'dingtalk_refused') &&
    (error.facts['status'] ?? 400) === 400 &&
    !cardRefusals.saysMissing(error) &&
    !OF_THE_FRAME.test(String(error.facts['upstreamCode'])),
  saysMissing: (error) => hasCode(error, 'dingtalk_refused') && MISSING.has(error.facts['upstreamCode']),
  refusesState: (error) => hasCode(error, 'dingtalk_card_variable', 'dingtalk_refused'),
};

import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { equalInConstantTime } from '../runtime/compare.ts';

/** Somebody pressed a button of a card. */
export interface CardAction {
  /** The card's `outTrackId`. */
  cardId: string;
  /** Who pressed it: a staff id, or a union id where the card was addressed to one. */
  userId: string;
  /** What the template calls the button; a builder may have appended digits. */
  actionIds: readonly string[];
  params: Readonly<Record<string, unknown>>;
}

/** What the one who pressed sees change, by variable of the template. Nobody else does. */
export type CardUpdate = Readonly<Record<string, string>>;

/** The same limit as for messages: how old a card's signature may be is nowhere said. */
const MAX_SKEW_MS = 3_600_000;
/** Timestamps up to here are seconds: which unit DingTalk sends is not certain. */
const MAX_SECONDS = 100_000_000_000;

/** The secret that DingTalk signs card callbacks with: derived, so that the client secret is not given away again. */
export function cardCallbackSecret(clientSecret: string): string {
  return createHmac('sha256', clientSecret).update('card-callback').digest('hex');
}

/** `x-ddpaas-signature`: Base64(HMAC-SHA256(secret, timestamp)). The body is not covered (card callback page). */
export function cardSignature(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(timestamp).digest('base64');
}

/** Whether a request comes from a card; whether it may is another question. */
export const isCardCallback = (headers: Headers) => headers.has('x-ddpaas-signature');

/**
 * Accepts the headers of a card callback or throws.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyCardSignature(headers: Headers, clientSecrets: readonly string[], nowMs: number): void {
  const timestamp = headers.get('x-ddpaas-signature-timestamp')?.trim();
  const given = headers.get('x-ddpaas-signature')?.trim();
  if (!timestamp || !given) throw new BridgeError('signature_missing', 'both signature headers are required');
  const isRight = (secret: string) =>
    secret !== '' && equalInConstantTime(cardSignature(timestamp, cardCallbackSecret(secret)), given);
  if (!clientSecrets.some(isRight)) throw new BridgeError('signature_wrong', 'the signature is wrong');
  const signedAt = /^\d{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  const signedAtMs = signedAt <= MAX_SECONDS ? signedAt * 1_000 : signedAt;
  if (!(Math.abs(nowMs - signedAtMs) <= MAX_SKEW_MS)) {
    throw new BridgeError('signature_expired', 'the timestamp is more than an hour off');
  }
}

const id = z.string().min(1).max(512);
// One official page has the text under `content`, another under `value`.
const envelope = z.object({
  type: z.literal('actionCallback').nullish(),
  outTrackId: id,
  userId: id,
  content: z.string().nullish(),
  value: z.string().nullish(),
});
const params = z.record(z.string(), z.unknown()).nullish();
// A sample of one page has `params` beside `cardPrivateData`.
const pressed = z.object({
  cardPrivateData: z.object({ actionIds: z.array(z.string()).nullish(), params }),
  params,
});

/**
 * Reads the body of a card callback.
 *
 * @throws BridgeError `body_invalid` with a one-line reason that names fields, never values.
 */
export function readCardAction(body: string): CardAction {
  const parsed = envelope.safeParse(parse(body));
  if (!parsed.success) throw new BridgeError('body_invalid', 'not a card callback: outTrackId and userId are required');
  const { outTrackId, userId, content, value } = parsed.data;
  const inner = pressed.safeParse(parse(content ?? value ?? ''));
  if (!inner.success) throw new BridgeError('body_invalid', 'not a card callback: content has no cardPrivateData');
  const { actionIds, params: own } = inner.data.cardPrivateData;
  return { cardId: outTrackId, userId, actionIds: actionIds ?? [], params: { ...inner.data.params, ...own } };
}

/** The response to a card callback. What it puts into `cardData` would reach only the one who pressed, too. */
export function cardUpdateBody(update: CardUpdate): object {
  return {
    cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    userPrivateData: { cardParamMap: update },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

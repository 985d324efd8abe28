import { createHmac } from 'node:crypto';
import { BridgeError } from '../errors.ts';
import { equalInConstantTime } from '../runtime/secrets.ts';

/** The limit for messages, used for cards too: DingTalk's pages do not say how old a card's signature may be. */
const MAX_CARD_SKEW_MS = 3_600_000;

/** A timestamp up to this is in seconds, a larger one in milliseconds: the pages do not say which DingTalk sends. */
const MAX_SECONDS = 100_000_000_000;

/**
 * The secret that DingTalk signs card callbacks with. It is derived, so that the client secret is not registered
 * anywhere.
 */
export function cardCallbackSecret(clientSecret: string): string {
  return createHmac('sha256', clientSecret).update('card-callback').digest('hex');
}

/** `x-ddpaas-signature`: Base64(HMAC-SHA256(secret, timestamp)). The body is not covered (card callback page). */
export function cardSignature(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(timestamp).digest('base64');
}

/** Whether a request says that it comes from a card. Its signature is not checked here. */
export const isCardCallback = (headers: Headers) => headers.has('x-ddpaas-signature');

/**
 * Accepts the headers of a card callback or throws. Returns when it was signed, in milliseconds.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyCardSignature(headers: Headers, clientSecrets: readonly string[], nowMs: number): number {
  const timestamp = headers.get('x-ddpaas-signature-timestamp')?.trim();
  const given = headers.get('x-ddpaas-signature')?.trim();
  if (!timestamp || !given) throw new BridgeError('signature_missing', 'both signature headers are required');
  const isRight = (secret: string) =>
    secret !== '' && equalInConstantTime(cardSignature(timestamp, cardCallbackSecret(secret)), given);
  if (!clientSecrets.some(isRight)) throw new BridgeError('signature_wrong', 'the signature is wrong');
  const signedAt = /^\d{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  const signedAtMs = signedAt <= MAX_SECONDS ? signedAt * 1_000 : signedAt;
  if (!(Math.abs(nowMs - signedAtMs) <= MAX_CARD_SKEW_MS)) {
    throw new BridgeError('signature_expired', 'the timestamp is more than an hour off');
  }
  return signedAtMs;
}

/** DingTalk's rule: refuse a timestamp that is more than an hour off, either way (robot message types page). */
const MAX_SKEW_MS = 3_600_000;

/** `sign` of a robot callback: Base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). The body is not covered. */
export function robotSignature(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64');
}

/**
 * Accepts the headers of a robot callback or throws. Returns when it was signed, in milliseconds. Several secrets may be
 * valid while one is being rotated.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyRobotSignature(headers: Headers, secrets: readonly string[], nowMs: number): number {
  const timestamp = headers.get('timestamp')?.trim();
  const sign = headers.get('sign')?.trim();
  if (!timestamp || !sign) throw new BridgeError('signature_missing', 'the headers timestamp and sign are required');
  // The signature is compared before the time, so that a caller without the secret learns nothing about the time.
  if (!secrets.some((secret) => secret !== '' && equalInConstantTime(robotSignature(timestamp, secret), sign))) {
    throw new BridgeError('signature_wrong', 'the signature is wrong');
  }
  const signedAtMs = /^\d{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  if (!(Math.abs(nowMs - signedAtMs) <= MAX_SKEW_MS)) {
    throw new BridgeError('signature_expired', 'the timestamp is more than an hour off');
  }
  return signedAtMs;
}

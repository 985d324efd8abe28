import { createHmac } from 'node:crypto';
import { BridgeError } from '../errors.ts';
import { equalInConstantTime } from '../runtime/secrets.ts';

/**
 * DingTalk's rule for messages: refuse a timestamp that is more than an hour off, either way (robot message types page).
 * Used for cards too: DingTalk's pages do not say how old a card's signature may be.
 */
const MAX_SKEW_MS = 3_600_000;

/** A card's timestamp up to this is in seconds, a larger one in milliseconds: the pages do not say which DingTalk sends. */
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

/** `sign` of a robot callback: Base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). The body is not covered. */
export function robotSignature(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64');
}

/** How one kind of callback is signed. */
interface Scheme {
  timestampHeader: string;
  signatureHeader: string;
  sign(timestamp: string, clientSecret: string): string;
  toMs(timestamp: number): number;
}

const CARD: Scheme = {
  timestampHeader: 'x-ddpaas-signature-timestamp',
  signatureHeader: 'x-ddpaas-signature',
  sign: (timestamp, clientSecret) => cardSignature(timestamp, cardCallbackSecret(clientSecret)),
  toMs: (timestamp) => (timestamp <= MAX_SECONDS ? timestamp * 1_000 : timestamp),
};

const ROBOT: Scheme = {
  timestampHeader: 'timestamp',
  signatureHeader: 'sign',
  sign: robotSignature,
  toMs: (timestamp) => timestamp,
};

/** Whether a request says that it comes from a card. Its signature is not checked here. */
export const isCardCallback = (headers: Headers) => headers.has(CARD.signatureHeader);

/**
 * Accepts the headers of a card callback or throws. Returns when it was signed, in milliseconds.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyCardSignature(headers: Headers, clientSecrets: readonly string[], nowMs: number): number {
  return verify(CARD, headers, clientSecrets, nowMs);
}

/**
 * Accepts the headers of a robot callback or throws. Returns when it was signed, in milliseconds. Several secrets may be
 * valid while one is being rotated.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyRobotSignature(headers: Headers, secrets: readonly string[], nowMs: number): number {
  return verify(ROBOT, headers, secrets, nowMs);
}

function verify(scheme: Scheme, headers: Headers, secrets: readonly string[], nowMs: number): number {
  const { timestampHeader, signatureHeader } = scheme;
  const timestamp = headers.get(timestampHeader)?.trim();
  const given = headers.get(signatureHeader)?.trim();
  if (!timestamp || !given) {
    throw new BridgeError('signature_missing', `the headers ${timestampHeader} and ${signatureHeader} are required`);
  }
  // The signature is compared before the time, so that a caller without the secret learns nothing about the time.
  if (!secrets.some((secret) => secret !== '' && equalInConstantTime(scheme.sign(timestamp, secret), given))) {
    throw new BridgeError('signature_wrong', 'the signature is wrong');
  }
  const signedAtMs = /^\d{1,15}$/.test(timestamp) ? scheme.toMs(Number(timestamp)) : Number.NaN;
  if (!(Math.abs(nowMs - signedAtMs) <= MAX_SKEW_MS)) {
    throw new BridgeError('signature_expired', 'the timestamp is more than an hour off');
  }
  return signedAtMs;
}

import { createHmac } from 'node:crypto';
import { BridgeError } from '../errors.ts';
import { equalInConstantTime } from '../runtime/compare.ts';

/** DingTalk's rule: refuse what is more than one hour off, either way (robot message types page). */
const MAX_SKEW_MS = 3_600_000;

/** `sign` of a robot callback: Base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). The body is not covered. */
export function robotSignature(timestamp: string, secret: string): string {
  return createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64');
}

/**
 * Accepts the headers of a robot callback or throws. Several secrets may be valid while one is being rotated.
 *
 * @throws BridgeError `signature_missing`, `signature_wrong` or `signature_expired`.
 */
export function verifyRobotSignature(headers: Headers, secrets: readonly string[], nowMs: number): void {
  const timestamp = headers.get('timestamp')?.trim();
  const sign = headers.get('sign')?.trim();
  if (!timestamp || !sign) throw new BridgeError('signature_missing', 'the headers timestamp and sign are required');
  // The comparison comes first, so that the answer tells nothing to who does not hold the secret.
  if (!secrets.some((secret) => secret !== '' && equalInConstantTime(robotSignature(timestamp, secret), sign))) {
    throw new BridgeError('signature_wrong', 'the signature is wrong');
  }
  const signedAtMs = /^\d{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  if (!(Math.abs(nowMs - signedAtMs) <= MAX_SKEW_MS)) {
    throw new BridgeError('signature_expired', 'the timestamp is more than an hour off');
  }
}

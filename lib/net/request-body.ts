import { BridgeError } from '../errors.ts';
import { readLimited } from './http.ts';

/** Counted while the body is read: the header that names a length may be wrong. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Reads no more than the first bytes. */
export async function isEmpty({ body }: Request): Promise<boolean> {
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of body ?? []) if (chunk.byteLength > 0) return false;
  return true;
}

/** The body as text. @throws BridgeError `body_too_large`, or `body_invalid` where the connection broke. */
export async function readBody({ body }: Request): Promise<string> {
  try {
    return body ? new TextDecoder().decode(await readLimited(body, MAX_BODY_BYTES)) : '';
  } catch (error) {
    if (error instanceof RangeError) throw bodyTooLarge();
    throw new BridgeError('body_invalid', 'the body could not be read', {}, error);
  }
}

export const bodyTooLarge = () => new BridgeError('body_too_large', 'the body is larger than 1 MiB');

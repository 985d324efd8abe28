import { isIP } from 'node:net';
import { isPublicAddress } from '../../lib/net/addresses.ts';

/** Whether DingTalk could call this host at all: not this machine, nor a name or number of a private network. */
export function isPublicHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return isPublicAddress(bare);
  return bare.includes('.') && !/(?:^|\.)(?:localhost|local|internal|lan|home|intranet)$/i.test(bare);
}

/** An id, so that it can be told from another but not be used. */
export function shortened(id: string): string {
  return id.length <= 8 ? `${id.slice(0, 2)}…` : `${id.slice(0, 6)}…`;
}

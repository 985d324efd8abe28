import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

/** The part of IPv6 that is assigned to the public net (RFC 4291, 2.4). The rest is special or not in use. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an IP address belongs to the public net. An answer or a message may name any address, so the function must
 * not call others: hosts of a private network, the machine itself, or the platform's interface that gives out keys
 * (169.254.169.254). IPv6 forms that contain an IPv4 address (mapped, 6to4, NAT64, Teredo) count as not public.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // `ipaddr.js` calls unknown ranges unicast, for example the old IPv4-compatible `::127.0.0.1`.
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6);
}

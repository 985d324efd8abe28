import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

/** The part of IPv6 that is handed out for the public net (RFC 4291, 2.4); the rest is special or not in use. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an IP address is one of the public net. Everything else, such as a neighbour in a private network, the
 * machine itself or the platform's own interface for keys (169.254.169.254), must not be called for an address that
 * somebody else chose. Forms that carry an IPv4 address inside (mapped, 6to4, NAT64, Teredo) are refused as a whole.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // Unknown ranges count as unicast there, for example the old IPv4-compatible `::127.0.0.1`.
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6);
}

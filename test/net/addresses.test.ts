import { describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../lib/net/addresses.ts';

describe('a public address', () => {
  test.each(['8.8.8.8', '47.96.1.1', '172.32.0.1', '2400:3200::1', '2606:4700:4700::1111'])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('no public address', () => {
  test.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1', 'fec0::1'],
    ['link-local, with the keys of the platform', '169.254.169.254', 'fe80::1', 'fe80::1%eth0'],
    ['behind a carrier, with those of another', '100.64.0.1', '100.100.100.200'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['multicast and broadcast', '224.0.0.1', '255.255.255.255', 'ff02::1'],
    ['reserved and for documents', '192.0.2.1', '198.18.0.1', '203.0.113.9', '240.0.0.1', '2001:db8::1', '3fff::1'],
    ['an IPv4 address mapped into IPv6', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:0a00:0001'],
    ['an IPv4 address in the old way', '::127.0.0.1', '::8.8.8.8'],
    ['6to4, NAT64 and Teredo', '2002:7f00:1::1', '64:ff9b::7f00:1', '64:ff9b:1::1', '2001:0:4136:e378::1'],
    ['not handed out', '4000::1', '5f00::1', '100::1'],
    [
      'no address at all',
      '',
      'localhost',
      '2130706433',
      '0x7f.1',
      '127.1',
      '8.8.8.8:80',
      '134744072',
      '0x8.8.8.8',
      '8.8',
      '[2400:3200::1]',
    ],
  ])('%s', (_what, ...addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });
});

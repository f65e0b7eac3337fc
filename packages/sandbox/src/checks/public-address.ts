import { BlockList, isIP } from 'node:net'

/**
 * Whether an address is public: not of this machine, of a private network, or for a special use. In IPv6, only addresses
 * that are assigned count (2000::/3), so no address that contains an IPv4 address in another form.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !SPECIAL.check(address, 'ipv4')
  // An address with a zone is valid on one link only.
  return (
    family === 6 &&
    !address.includes('%') &&
    GIVEN_OUT.check(address, 'ipv6') &&
    !SPECIAL.check(address, 'ipv6')
  )
}

const GIVEN_OUT = new BlockList()
GIVEN_OUT.addSubnet('2000::', 3, 'ipv6')

const SPECIAL = new BlockList()
for (const subnet of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'],
  ...['192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
  // Teredo and the like, documentation, 6to4, which leads to an address of IPv4.
  ...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'],
]) {
  const [address = '', prefix] = subnet.split('/')
  SPECIAL.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
}

import { BlockList, isIP } from 'node:net'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { isObject } from './read-value.js'

/** The addresses that requests must come from. A second factor: it never replaces a secret. */
export interface AddressRule {
  /** IP addresses and networks. @example ['3.134.147.250', '10.0.0.0/8'] @see https://postmarkapp.com/support/article/800-ips-for-firewalls */
  readonly allow: readonly string[]
  /**
   * The number of your own proxies in front of the application. Each one appends the address that called it to
   * X-Forwarded-For; everything to the left of these was written by the client. Default 0: the header is not read.
   */
  readonly trustProxies?: number | undefined
}

/** Where a request came from, and whether that is allowed. */
export interface AddressCheck {
  readonly allowed: boolean
  /** The address, for a message. The client may have written something that is not an address. */
  readonly address: string
}

/**
 * Returns the function that checks an address.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createAddressCheck(
  rule: AddressRule | undefined,
): (headers: Headers, remoteAddress: string | undefined) => AddressCheck {
  if (rule === undefined) return () => ({ allowed: true, address: '' })
  if (!isObject(rule)) throw optionError('auth.ips', rule, 'an object such as { allow: ["3.134.147.250"] }')
  refuseUnknown(rule, ['allow', 'trustProxies'])
  const allowed = toBlockList(rule.allow)
  const { trustProxies = 0 } = rule
  if (!Number.isInteger(trustProxies) || trustProxies < 0)
    throw optionError('auth.ips.trustProxies', trustProxies, 'the number of your own proxies')
  return (headers, remoteAddress = '') => {
    const chain = [...(headers.get('x-forwarded-for') ?? '').split(','), remoteAddress]
    const address = chain.at(-1 - trustProxies)?.trim() ?? ''
    const version = isIP(address)
    return {
      allowed: version !== 0 && allowed.check(address, version === 4 ? 'ipv4' : 'ipv6'),
      address: version === 0 ? describeOther(address) : address,
    }
  }
}

/** The longest address that is written with a zone has fewer characters. */
const MOST_SHOWN = 60

function describeOther(text: string): string {
  return text === '' ? 'an unknown address' : JSON.stringify(text.slice(0, MOST_SHOWN))
}

function toBlockList(allow: unknown): BlockList {
  if (!Array.isArray(allow) || allow.length === 0)
    throw optionError('auth.ips.allow', allow, 'a list of addresses')
  const list = new BlockList()
  for (const entry of allow) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(String(entry)) ?? []
    const version = isIP(address)
    const size = version === 4 ? 32 : 128
    if (version === 0 || Number(bits ?? size) > size)
      throw optionError(
        'auth.ips.allow',
        entry,
        'addresses such as "3.134.147.250", or networks such as "10.0.0.0/8"',
      )
    list.addSubnet(address, Number(bits ?? size), version === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

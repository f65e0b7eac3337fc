import type { Redactor } from '@postmark-smtp/core/internal'

const ADDRESS = /[^\s@<>"',:;()[\]\\]+@[\w.-]+/g
const UUID = /[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}/gi
const IP = /\b\d{1,3}(\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b/gi
/** The relays of an email, which name the machine it came from. */
const TRACE = /^Received:.*(\r?\n[ \t].*)*/gim
/** The IDs of the account and of what it contains. */
const NUMBERED = /^(Server|Message|Bounce)?ID$/
const MOST_CHARACTERS = 4_000

/**
 * A JSON value without what belongs to the account: tokens, addresses and their domain, IDs and IP addresses. Postmark’s
 * test addresses are removed as well, although they reveal nothing.
 */
export function redactReport(value: unknown, redactor: Redactor, from: string): unknown {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const clean = (text: string) =>
    redactor
      .text(text)
      .replaceAll(TRACE, 'Received: [trace]')
      .replaceAll(ADDRESS, '[address]')
      .replaceAll(new RegExp(domain.replaceAll(/[^\w]/g, '\\$&'), 'gi'), '[domain]')
      .replaceAll(UUID, '[uuid]')
      .replaceAll(IP, '[ip]')
      .slice(0, MOST_CHARACTERS)
  const walk = (each: unknown): unknown => {
    if (typeof each === 'string') return clean(each)
    if (Array.isArray(each)) return each.map(walk)
    if (typeof each !== 'object' || each === null) return each
    return Object.fromEntries(
      Object.entries(each).map(([key, inner]) => [clean(key), NUMBERED.test(key) ? '[id]' : walk(inner)]),
    )
  }
  return walk(value)
}

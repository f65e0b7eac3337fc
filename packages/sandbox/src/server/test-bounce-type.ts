import { BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'

const DOMAIN = '@bounce-testing.postmarkapp.com'
const TYPES = new Map(
  (Object.keys(BOUNCE_TYPES) as BounceTypeName[]).map((name) => [name.toLowerCase(), name]),
)

/** Whether Postmark fakes a bounce of mail to this address. */
export function isBounceTest(address: string): boolean {
  return address.toLowerCase().endsWith(DOMAIN)
}

/**
 * The bounce that Postmark fakes for this recipient: the one that the header names, else the one that the
 * address names, else a hard bounce; undefined for a real recipient.
 * @see https://postmarkapp.com/developer/api/bounce-api
 */
export function testBounceType(
  recipient: string,
  header: string | null | undefined,
): BounceTypeName | undefined {
  if (!isBounceTest(recipient)) return undefined
  const mailbox = recipient.slice(0, -DOMAIN.length).toLowerCase()
  return TYPES.get(header?.toLowerCase() ?? '') ?? TYPES.get(mailbox) ?? 'HardBounce'
}

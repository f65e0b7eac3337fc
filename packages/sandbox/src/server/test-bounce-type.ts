import type { BounceTypeName } from '@postmark-smtp/core'
import { toBounceTypeName } from '@postmark-smtp/core/internal'

const DOMAIN = '@bounce-testing.postmarkapp.com'

/** Whether Postmark fakes a bounce for mail to this address. */
export function isBounceTest(address: string): boolean {
  return address.toLowerCase().endsWith(DOMAIN)
}

/**
 * The type of bounce that Postmark fakes for this recipient: the one that the header names, else the one that the
 * address names, else a hard bounce; undefined for a real recipient. Case and underscores are ignored. A spam complaint
 * is the only type that cannot be faked.
 * @see https://postmarkapp.com/developer/user-guide/sandbox-mode/generate-fake-bounces
 */
export function testBounceType(
  recipient: string,
  header: string | null | undefined,
): BounceTypeName | undefined {
  if (!isBounceTest(recipient)) return undefined
  const mailbox = recipient.slice(0, -DOMAIN.length)
  return fakeable(header ?? '') ?? fakeable(mailbox) ?? 'HardBounce'
}

function fakeable(name: string): BounceTypeName | undefined {
  const type = toBounceTypeName(name)
  return type === 'SpamComplaint' ? undefined : type
}

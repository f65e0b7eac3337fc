import { toAddressKey } from '@postmark-smtp/core'
import { type MailAddress, readAddresses } from './addresses.js'
import type { MailHeader } from './header-block.js'

/** The senders and recipients in the header of an email, with their names. */
export interface MailAddresses {
  /** @example [{ address: 'shop@example.com', name: 'Shop' }] */
  readonly from: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  /** Those of a Bcc line, and the recipients of the envelope that no other line names. */
  readonly bcc: readonly MailAddress[]
}

/** Reads the address fields of a header that is not yet decoded. */
export function readMailAddresses(
  fields: readonly MailHeader[],
  recipients: readonly string[],
): MailAddresses {
  const [to, cc, bcc] = ['to', 'cc', 'bcc'].map((name) => readAddresses(fields, name)) as [
    MailAddress[],
    MailAddress[],
    MailAddress[],
  ]
  const named = new Set([...to, ...cc, ...bcc].map(({ address }) => toAddressKey(address)))
  for (const address of recipients) {
    if (named.has(toAddressKey(address))) continue
    named.add(toAddressKey(address))
    bcc.push({ address, name: '' })
  }
  return { from: readAddresses(fields, 'from'), replyTo: readAddresses(fields, 'reply-to'), to, cc, bcc }
}

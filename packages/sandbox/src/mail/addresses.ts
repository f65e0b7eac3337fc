import { addressParser } from 'postal-mime'
import { mapEncodedWords } from './encoded-words.js'
import { headerValue, type MailHeader } from './header-block.js'

/** One mailbox of a header field. */
export interface MailAddress {
  readonly address: string
  /** The decoded name, empty if there is none. */
  readonly name: string
}

/**
 * Reads the mailboxes of a field that is not yet decoded. A comma or a `<` inside an encoded word is part of a name and
 * separates nothing.
 */
export function readAddresses(fields: readonly MailHeader[], name: string): MailAddress[] {
  const value = headerValue(fields, name)
  if (value === undefined) return []
  const plain = PLAIN_MAILBOX.exec(value)
  if (plain) return [{ address: plain[2] ?? plain[3]!, name: plain[1] ?? '' }]
  // The parser knows fewer charsets than the sandbox.
  const inUtf8 = mapEncodedWords(value, (text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`)
  return addressParser(inUtf8, { flatten: true }).flatMap(({ address, name: display }) =>
    address ? { address, name: display } : [],
  )
}

/** One mailbox that every parser reads in the same way. Most emails have no other, so they need no parser. */
const PLAIN_MAILBOX = /^(?:(?:([\w.-]+(?: [\w.-]+)*) )?<([\w.+-]+@[\w.-]+)>|([\w.+-]+@[\w.-]+))$/

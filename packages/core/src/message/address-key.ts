import { domainToASCII } from 'node:url'

// Characters at which the URL parser of domainToASCII would cut the domain, or which it would decode. None of them is
// legal in a domain.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are among what it cuts at
const UNSAFE_DOMAIN = /[/\\?#%\u0000-\u0020\u007f]/

/** The two halves of an address: the mailbox name without quotation marks, and the domain in ASCII and lower case. */
export function splitAddress(address: string): { mailbox: string; domain: string } {
  const trimmed = address.trim()
  const at = trimmed.lastIndexOf('@')
  const domain = trimmed.slice(at + 1).toLowerCase()
  const mailbox = at < 0 ? '' : trimmed.slice(0, at)
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/s.exec(mailbox) ?? []
  return {
    mailbox: quoted === undefined ? mailbox : quoted.replace(/\\(.)/gs, '$1'),
    domain: (/[^ -~]/.test(domain) && !UNSAFE_DOMAIN.test(domain) && domainToASCII(domain)) || domain,
  }
}

/**
 * Normalizes an address, so that different spellings of a mailbox compare as equal: lower case, the domain in ASCII,
 * the mailbox name in quotation marks only if it needs them.
 * @example toAddressKey('"Ann"@Bücher.example') // 'ann@xn--bcher-kva.example'
 */
export function toAddressKey(address: string): string {
  const { mailbox, domain } = splitAddress(address)
  const name = mailbox.toLowerCase()
  if (mailbox === '') return domain
  return /^[^\s"(),:;<>@[\\\]]+$/.test(name)
    ? `${name}@${domain}`
    : `"${name.replace(/["\\]/g, '\\$&')}"@${domain}`
}

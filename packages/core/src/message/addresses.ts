import { isRecord } from '../problems/describe.js'
import { splitAddress } from './address-key.js'
import { type ParsedAddress, parseAddresses } from './nodemailer.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * Lists the addresses of a message as Nodemailer reads them, each once: strings, objects, arrays and groups in To, Cc
 * and Bcc, or in `envelope` if the message has one.
 * @example listRecipients({ to: 'Team: a@example.com, b@example.com;' }) // ['a@example.com', 'b@example.com']
 */
export function listRecipients(message: object): readonly string[] {
  const { envelope } = message as { envelope?: unknown }
  const found = new Map<string, string>()
  for (const field of ['to', 'cc', 'bcc']) {
    const value = isRecord(envelope) ? envelope[field] : addressField(message as Fields, field)
    for (const address of readAddresses(value)) {
      // As Nodemailer counts them: domains are normalized, mailbox names are not.
      const { mailbox, domain } = splitAddress(address)
      const key = `${mailbox}@${domain}`
      if (!found.has(key)) found.set(key, address)
    }
  }
  return [...found.values()]
}

/** The value of an address field. A property of the message replaces a header of the same name. */
export function addressField(message: Fields, field: string): unknown {
  return message[field] || headerValues(message.headers, field)
}

function headerValues(headers: unknown, name: string): readonly unknown[] {
  const pairs: readonly (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.filter(isRecord).map((pair) => [String(pair.key), pair.value] as const)
    : isRecord(headers)
      ? typeof headers.key === 'string' && 'value' in headers
        ? [[headers.key, headers.value]]
        : Object.entries(headers)
      : []
  return pairs.filter(([key]) => key.trim().toLowerCase() === name).map(([, value]) => value)
}

/** The addresses in a value of any shape, in order: a string, an object with `address`, or an array of these. */
export function readAddresses(value: unknown): string[] {
  const found: string[] = []
  collect(value, found, new Set())
  return found
}

/** One mailbox that is simple enough to be read without the parser. */
const PLAIN_MAILBOX = /^(?:(?:[\w.-]+(?: [\w.-]+)* )?<([\w.+-]+@[\w.-]+)>|([\w.+-]+@[\w.-]+))$/

function collect(value: unknown, found: string[], seen: Set<unknown>): void {
  if (typeof value === 'string') {
    const plain = PLAIN_MAILBOX.exec(value)
    if (plain) found.push(plain[1] ?? plain[2]!)
    else for (const entry of parseAddresses(value)) collectParsed(entry, found)
  } else if (Array.isArray(value)) {
    // An array that contains itself has no end.
    if (seen.has(value)) return
    seen.add(value)
    for (const each of value) collect(each, found, seen)
  } else if (isRecord(value) && value.address) found.push(String(value.address))
}

function collectParsed(entry: ParsedAddress, found: string[]): void {
  if (entry.address) found.push(entry.address)
  else if (Array.isArray(entry.group)) for (const member of entry.group) collectParsed(member, found)
}

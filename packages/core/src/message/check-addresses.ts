import { describe, isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST, NO_PROBLEMS } from '../problems/problem.js'
import { REST_ANSWERS, refusedByRest } from '../vocabulary/api-errors.js'
import { MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { toAddressKey } from './address-key.js'
import { addressField, listRecipients, readAddresses } from './addresses.js'
import { type HeaderLine, lineValue } from './file-name.js'

type Message = Readonly<Record<string, unknown>>

/**
 * Checks From, the recipients and the envelope of a message.
 * @param raw the header lines of a message given as `raw`, whose From and recipients are the ones Postmark reads
 */
export function checkAddresses(
  message: Message,
  raw: readonly HeaderLine[] | undefined,
): readonly PostmarkProblem[] {
  const field = (name: string) => (raw ? lineValue(raw, name) : addressField(message, name))
  const from = field('from')
  return [
    ...checkFrom(from, raw ? 'raw.From' : 'from'),
    ...checkRecipients(message),
    ...(RECIPIENTS.some((name) => holdsAddress(field(name))) ? NO_PROBLEMS : [NO_RECIPIENT]),
    ...checkEnvelope(message.envelope, from),
  ]
}

const RECIPIENTS = ['to', 'cc', 'bcc'] as const

function checkFrom(from: unknown, path: string): readonly PostmarkProblem[] {
  const { fromLength } = MESSAGE_LIMITS
  const length = lengthOfFrom(from)
  if (length <= fromLength && isPlainMailbox(from)) return NO_PROBLEMS
  const problems: PostmarkProblem[] = []
  const refuse = (found: string, limit: string, cure: string) =>
    problems.push({ path, found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST })
  if (length > fromLength)
    refuse(`has ${length} characters`, `at most ${fromLength} characters`, 'Shorten the name.')
  if (isPlainMailbox(from)) return problems
  const [address] = readAddresses(from)
  const limit = 'an address with a sender signature, or on a verified domain'
  if (isAbsent(from))
    refuse('is missing', limit, 'Set `from` on the message or in the defaults of the transporter.')
  else if (!address || !hasDomain(address))
    refuse(
      typeof from === 'string' ? `is ${describe(from)}, which contains no address` : 'contains no address',
      limit,
      'Use the form "Shop <shop@example.com>".',
    )
  else if (!isAscii(address.slice(0, address.lastIndexOf('@'))))
    refuse(
      'has non-ASCII characters before the @',
      'only ASCII before the @',
      'Postmark does not support SMTPUTF8. Send from another address.',
    )
  return problems
}

/** Length of From as Postmark counts it: only the address, or `"Name" <address>`. */
function lengthOfFrom(from: unknown): number {
  const first: unknown = Array.isArray(from) ? from[0] : from
  if (typeof first === 'string') return first.length
  if (!isRecord(first)) return 0
  const { name, address } = first as { name?: unknown; address?: unknown }
  const addressLength = typeof address === 'string' ? address.length : 0
  return typeof name === 'string' && name !== ''
    ? name.length + addressLength + '"" <>'.length
    : addressLength
}

/** Whether a string is clearly one address, with or without a name, so that it need not be parsed. */
function isPlainMailbox(value: unknown): boolean {
  return typeof value === 'string' && /^([\w .-]+<[\w.+-]+@[\w.-]+>|[\w.+-]+@[\w.-]+)$/.test(value)
}

function isAbsent(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0)
}

function hasDomain(address: string): boolean {
  const at = address.lastIndexOf('@')
  return at > 0 && at < address.length - 1
}

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text)
}

const NO_RECIPIENT: PostmarkProblem = {
  path: 'to',
  found: 'is missing, and so are cc and bcc',
  limit: 'at least one recipient',
  cure: `Add a recipient to one of them. ${refusedByRest(REST_ANSWERS.noRecipients)}`,
  severity: 'warning',
}

function holdsAddress(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.includes('@')
  if (Array.isArray(value)) return depth < 20 && value.some((each) => holdsAddress(each, depth + 1))
  return isRecord(value) && Boolean(value.address)
}

function checkRecipients(message: Message): readonly PostmarkProblem[] {
  if (!maybeOverLimit(message)) return NO_PROBLEMS
  const problems: PostmarkProblem[] = []
  const refuse = (found: string, limit: string, cure: string) =>
    problems.push({ path: 'to', found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST })
  const recipients = listRecipients(message)
  const { length } = recipients
  if (length > MESSAGE_LIMITS.recipients)
    refuse(
      `has ${length} recipients including cc and bcc`,
      `at most ${MESSAGE_LIMITS.recipients}`,
      'Send several emails.',
    )
  if (recipients.some((address) => !isAscii(address.slice(0, address.lastIndexOf('@')))))
    refuse(
      'has non-ASCII characters before the @',
      'only ASCII before the @',
      'Postmark does not support SMTPUTF8. Ask for another address.',
    )
  return problems
}

/**
 * Whether a message may have too many recipients or a non-ASCII mailbox name. Reading addresses is a large part of the
 * cost of preflight, so it is skipped for emails that are clearly within the limits.
 */
function maybeOverLimit(mail: Message): boolean {
  let most = 0
  const doubtful = (value: unknown, depth = 0): boolean => {
    if (isAbsent(value)) return false
    if (typeof value === 'string') {
      if (!isAscii(value)) return true
      for (let at = 0; at < value.length; at++) {
        const unit = value.charCodeAt(at)
        if (unit === 44 || unit === 59 || unit === 58) most++
      }
      most++
      return most > MESSAGE_LIMITS.recipients
    }
    if (Array.isArray(value))
      // An array that contains itself has no end. The full reading stops at what it has already seen.
      return (
        value.length > MESSAGE_LIMITS.recipients ||
        depth > 20 ||
        value.some((each) => doubtful(each, depth + 1))
      )
    if (isRecord(value) && typeof value.address === 'string') return doubtful(value.address)
    return true
  }
  if (mail.envelope) return true
  return RECIPIENTS.some((field) => doubtful(addressField(mail, field)))
}

/** An envelope with the same mailbox as the message is not meant to choose a Return-Path. */
function checkEnvelope(envelope: unknown, from: unknown): readonly PostmarkProblem[] {
  if (!isRecord(envelope) || !envelope.from) return NO_PROBLEMS
  const [sender, author] = [envelope.from, from].map((value) => readAddresses(value)[0])
  if (sender !== undefined && author !== undefined && toAddressKey(sender) === toAddressKey(author))
    return NO_PROBLEMS
  return [
    {
      path: 'envelope.from',
      found: 'chooses a Return-Path',
      limit: 'the address of From',
      cure: 'The recipient does not see it: Postmark sets its own Return-Path.',
      severity: 'warning',
    },
  ]
}

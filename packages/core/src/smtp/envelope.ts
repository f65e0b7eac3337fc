import { smtpError } from '../problems/smtp-failure.js'

/** Sender and recipients of an email, for MAIL and RCPT (RFC 5321 §4.1.1). */
export interface Envelope {
  /** Empty for the null sender. */
  readonly from: string
  readonly to: readonly string[]
  /** Which delivery status notifications the sender wants (RFC 3461). */
  readonly dsn?: Dsn | undefined
}

/** RFC 3461 parameters, ready to be written. */
interface Dsn {
  readonly ret: string | undefined
  readonly envid: string | undefined
  readonly notify: string | undefined
  readonly orcpt: string | undefined
}

/**
 * Checks an envelope from Nodemailer: nothing in it may end its command or start another one.
 * @throws SmtpError EENVELOPE
 */
export function readEnvelope(given: { from: unknown; to: unknown }, dsn: unknown): Envelope {
  const from = given.from === false || given.from === undefined ? '' : String(given.from).trim()
  const to = toAddresses(given.to)
  if (to.length === 0) throw envelopeError('The email has no recipient')
  if (!isWritable(from)) throw envelopeError(`The sender ${JSON.stringify(from)} is not an address`)
  for (const address of to)
    if (address === '' || !isWritable(address))
      throw envelopeError(`The recipient ${JSON.stringify(address)} is not an address`)
  return { from, to, dsn: dsn === undefined || dsn === null ? undefined : readDsn(dsn) }
}

/**
 * The recipients. Returns the given array itself if nothing in it has to change, as usual, because thousands may wait.
 */
function toAddresses(given: unknown): readonly string[] {
  if (!Array.isArray(given)) return []
  const isTrimmed = (each: unknown) => typeof each === 'string' && each === each.trim()
  return given.every(isTrimmed) ? given : given.map((each) => String(each ?? '').trim())
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
const UNSAFE = /[\u0000-\u001f\u007f<>]/

function isWritable(address: string): boolean {
  return !UNSAFE.test(address)
}

function envelopeError(message: string) {
  return smtpError(message, { code: 'EENVELOPE', command: 'API', phase: 'queue', outcome: 'not-sent' })
}

const NOTIFY = ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY']

/** Reads `dsn` of a message, with Nodemailer's values. @throws SmtpError EENVELOPE */
function readDsn(given: unknown): Dsn {
  const {
    ret,
    return: returned,
    envid,
    id,
    notify,
    recipient,
    orcpt,
  } = given as Readonly<Record<string, unknown>>
  const text = (value: unknown) =>
    value === undefined || value === null || value === '' ? undefined : String(value)
  const wanted = text(ret ?? returned)?.toUpperCase()
  const part = wanted === 'HEADERS' ? 'HDRS' : wanted === 'BODY' ? 'FULL' : wanted
  if (part !== undefined && part !== 'HDRS' && part !== 'FULL')
    throw envelopeError(`dsn.ret is ${JSON.stringify(part)}; it must be "HDRS" or "FULL"`)
  const events = (Array.isArray(notify) ? notify : (text(notify)?.split(',') ?? [])).map((each) =>
    String(each).trim().toUpperCase(),
  )
  if (events.some((each) => !NOTIFY.includes(each)) || (events.length > 1 && events.includes('NEVER')))
    throw envelopeError('dsn.notify must be "NEVER", or one or more of "SUCCESS", "FAILURE" and "DELAY"')
  const original = text(recipient ?? orcpt)
  return {
    ret: part,
    envid: text(envid ?? id),
    notify: events.length > 0 ? events.join(',') : undefined,
    orcpt: original && !original.includes(';') ? `rfc822;${original}` : original,
  }
}

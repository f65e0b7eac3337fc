import { PostmarkError } from '@postmark-smtp/core'
import { optionError } from '@postmark-smtp/core/internal'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import { describeMail, listMails, show } from './mail-list.js'
import { type Demand, type MailMatch, toDemands, toPredicate } from './mail-match.js'
import { type Outbox, readTimeout, type WaitOptions } from './outbox.js'

/** What an email is compared with: a match, or a function that takes the email. */
export type SentMatch = MailMatch | ((mail: SandboxMail) => boolean)

/** Options of `toHaveSent` and `assertSent`. */
export interface SentOptions extends WaitOptions {
  /** How many emails must match exactly (default: one or more). */
  readonly count?: number
}

/** What was found, and what an error says about it. */
export interface SentResult {
  readonly pass: boolean
  /** The emails that match. */
  readonly mails: readonly SandboxMail[]
  /** Why it did not pass, or, with `not`, why it should not have. */
  describe(): SentFault
}

/** Why no email was sent as expected. */
export interface SentFault {
  /** Goes before the two sides of a difference, if there are any. */
  readonly text: string
  readonly sides?: { readonly expected: object; readonly found: object }
  /** Goes after them. */
  readonly rest: string
}

/** The part of a sandbox that is read. */
interface SentMails {
  readonly outbox: readonly SandboxMail[]
  readonly waitFor: Outbox['waitFor']
  readonly host?: string
  readonly port?: number
}

/**
 * Waits for the emails that are wanted; with `isNot`, looks immediately.
 * @param caller the function that an error names
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export async function findSent(
  caller: string,
  received: unknown,
  wanted: SentMatch = {},
  options: SentOptions = {},
  isNot = false,
): Promise<SentResult> {
  const sandbox = toSentMails(caller, received)
  const { outbox, waitFor } = sandbox
  const matches = toPredicate(wanted)
  const { count, ...waitOptions } = typeof options === 'number' ? { timeoutMs: options } : options
  const timeoutMs = readTimeout(typeof options === 'number' ? options : waitOptions, 1000)
  if (count !== undefined && !(Number.isInteger(count) && count >= 0))
    throw optionError('count', count, 'a whole number')
  const counts = (mail: SandboxMail) => matches(mail) && (isNot || mail.verdict.outcome === 'sent')
  const isEnough = (mail: SandboxMail) =>
    counts(mail) && (count === undefined || outbox.filter(counts).length >= count)
  if (!isNot && count !== 0) await waitFor(isEnough, { timeoutMs }).catch(() => undefined)
  const mails = outbox.filter(counts)
  return {
    pass: count === undefined ? mails.length > 0 : mails.length === count,
    mails,
    describe() {
      if (isNot)
        return {
          text: `No email was expected to match, but ${mails.length} did${listMails(mails)}`,
          rest: '',
        }
      const refused = outbox.find(matches)
      const within = `within ${timeoutMs} ms`
      if (count !== undefined && mails.length > 0) return describeCount(mails, count, within)
      if (refused) return { text: describeRefusal(refused), rest: '' }
      return describeMiss(sandbox, wanted, within)
    },
  }
}

function toSentMails(caller: string, received: unknown): SentMails {
  const { outbox, waitFor, host, port } = (received ?? {}) as Partial<SentMails>
  if (outbox && waitFor)
    return { outbox, waitFor, ...(host !== undefined && port !== undefined && { host, port }) }
  throw new PostmarkError('ERR_POSTMARK_OPTIONS', `${caller}() takes a sandbox, not ${show(received)}.`, {
    hint: `Pass ${caller === 'toHaveSent' ? 'expect()' : 'it'} the sandbox from startSandbox().`,
  })
}

function describeCount(mails: readonly SandboxMail[], count: number, within: string): SentFault {
  const found = `${mails.length} ${mails.length === 1 ? 'email' : 'emails'} matched ${within}`
  return { text: `${found}, but ${count} must match${listMails(mails)}`, rest: '' }
}

function describeRefusal(mail: SandboxMail): string {
  const reasons = mail.verdict.problems.map(
    ({ errorCode, message, cure }) => `\n    ${errorCode}: ${message} ${cure}`,
  )
  return `An email matched, but Postmark would refuse it${listMails([mail])}${reasons.join('')}`
}

function describeMiss(
  { outbox: mails, host, port }: SentMails,
  wanted: SentMatch,
  within: string,
): SentFault {
  const isOpen = typeof wanted === 'function' || Object.keys(wanted).length === 0
  if (mails.length === 0) {
    const where = port === undefined ? '' : ` Does the application send to ${host}:${port}?`
    const text = `No email was sent ${within}. Nothing arrived at all.${where}`
    return isOpen ? { text, rest: '' } : { text, sides: { expected: wanted, found: {} }, rest: '' }
  }
  if (typeof wanted === 'function')
    return { text: `No email matched ${within}. These were sent${listMails(mails)}`, rest: '' }
  const closest = toClosest(wanted, mails)
  const others = mails.filter((mail) => mail !== closest.mail)
  const rest = others.length > 0 ? `The others${listMails(others)}` : ''
  const text = `No email matched ${within}. The closest of ${mails.length} is ${describeMail(closest.mail)}:`
  return { text, sides: toSides(closest.demands), rest }
}

/** The email that fails the fewest demands; the last one if there are several. */
function toClosest(
  wanted: MailMatch,
  mails: readonly SandboxMail[],
): { mail: SandboxMail; demands: Demand[] } {
  const unmet = (demands: Demand[]) => demands.filter(({ met }) => !met).length
  return mails
    .map((mail) => ({ mail, demands: toDemands(wanted, mail) }))
    .reduce((best, next) => (unmet(next.demands) <= unmet(best.demands) ? next : best))
}

/** The two sides of a diff. A demand that is met is the same on both, so the diff shows only what differs. */
function toSides(demands: readonly Demand[]): { expected: object; found: object } {
  const expected = {}
  const found = {}
  for (const { path, wanted, met, ...demand } of demands) {
    // In an email, a number in the metadata is a string.
    const side = typeof demand.found === 'string' ? toText(wanted) : wanted
    put(expected, path, side)
    put(found, path, met ? side : shorten(demand.found))
  }
  return { expected, found }
}

const LONGEST_SHOWN = 500

/** A whole newsletter would hide what differs. */
function shorten(found: unknown): unknown {
  return typeof found === 'string' && found.length > LONGEST_SHOWN
    ? `${found.slice(0, LONGEST_SHOWN)}… (${found.length} characters)`
    : found
}

function toText(wanted: unknown): unknown {
  return typeof wanted === 'number' || typeof wanted === 'boolean' ? String(wanted) : wanted
}

function put(target: object, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  const there: unknown = Object.getOwnPropertyDescriptor(target, name)?.value
  const next = rest.length === 0 ? value : (there ?? {})
  Object.defineProperty(target, name, { value: next, enumerable: true, configurable: true, writable: true })
  if (rest.length > 0) put(next as object, rest, value)
}

import { API_ERRORS, toAddressKey } from '@postmark-smtp/core'
import { optionError, REST_ANSWERS, refuseUnknown } from '@postmark-smtp/core/internal'
import { headerValue } from '../mail/header-block.js'
import type { ReadMail } from '../mail/sandbox-mail.js'
import type { VerdictProblem } from '../mail/verdict.js'

/** A verified domain or address, for `startSandbox({ senders })`. */
export interface SenderSetting {
  /** A domain or an address. @example 'example.com' */
  readonly address: string
  /** Whether its owner followed Postmark's link (default true). */
  readonly confirmed?: boolean
}

/** Whether the account may send: `pending` sends only to the domain of From, `blocked` not at all. */
export type AccountState = 'approved' | 'pending' | 'blocked'

/** Who may send, and to whom. */
export interface SenderRules {
  readonly account: AccountState
  /** Whether each domain or address, as `toAddressKey` writes it, is confirmed; undefined if anyone may send. */
  readonly senders: Map<string, boolean> | undefined
}

/** Reads the options. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toSenderRules(
  account: AccountState = 'approved',
  senders?: readonly (string | SenderSetting)[],
): SenderRules {
  if (!['approved', 'pending', 'blocked'].includes(account))
    throw optionError('account', account, '"approved", "pending" or "blocked"')
  return { account, senders: toSenders(senders) }
}

/** Reads the option, or the list of the control API. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toSenders(senders?: readonly (string | SenderSetting)[]): SenderRules['senders'] {
  if (senders !== undefined && !Array.isArray(senders))
    throw optionError('senders', senders, 'a list of domains and addresses')
  return senders && new Map(senders.map(toSender))
}

function toSender(setting: string | SenderSetting): [string, boolean] {
  const sender = typeof setting === 'string' ? { address: setting } : setting
  refuseUnknown(sender, ['address', 'confirmed'])
  const { address, confirmed = true } = sender
  if (typeof address !== 'string' || !/^([^\s@]+@)?[^\s@]+\.[^\s@]+$/.test(address))
    throw optionError('senders', address, 'a domain or an address')
  if (typeof confirmed !== 'boolean') throw optionError('senders.confirmed', confirmed, 'a boolean')
  return [toAddressKey(address), confirmed]
}

/** The usual cure for code 300 is preflight, which this email may already have passed. */
const FROM_CURE = 'Give the email a From with an address: `Shop <shop@example.com>`.'

/** Whether the account may send this email. */
export function judgeSender(mail: ReadMail, { account, senders }: SenderRules): VerdictProblem[] {
  const problems: VerdictProblem[] = []
  const refuse = (errorCode: number, path: string, message: string, cure = API_ERRORS[errorCode]!.cure) =>
    problems.push({ errorCode, message, path, cure })
  const { from } = mail
  if (account === 'blocked') refuse(413, 'from', 'This account is not approved to send email.')
  if (from === '') refuse(300, 'from', invalidFrom(headerValue(mail.headers, 'from')), FROM_CURE)
  else if (senders) {
    const confirmed = senders.get(toAddressKey(from)) ?? senders.get(domainOf(from))
    const supplied = `The 'From' address you supplied (${from}) is not`
    const then = "in order to be able to use it in the 'From' field of your messages."
    if (confirmed === undefined)
      refuse(
        400,
        'from',
        `${supplied} a Sender Signature on your account. Please add and confirm this address ${then}`,
      )
    else if (!confirmed) refuse(401, 'from', `${supplied} confirmed. Please confirm this address ${then}`)
  }
  if (account === 'pending') {
    const others = new Set(mail.envelope.to.map(domainOf).filter((domain) => domain !== domainOf(from)))
    if (others.size > 0)
      refuse(
        412,
        'to',
        'While your account is pending approval, all recipient addresses must share the same domain as the ' +
          `'From' address. The domain of the 'From' address is '${domainOf(from)}', but you are attempting to ` +
          `send email to the following domain(s): '${[...others].join("', '")}'.`,
      )
  }
  return problems
}

function domainOf(address: string): string {
  const key = toAddressKey(address)
  return key.slice(key.lastIndexOf('@') + 1)
}

/** What REST answers to an email without a From line, and to one whose From holds no address. */
function invalidFrom(line: string | undefined): string {
  return line ? REST_ANSWERS.badFrom(line) : REST_ANSWERS.noFrom
}

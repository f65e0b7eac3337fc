import { PostmarkError, toAddressKey } from '@postmark-smtp/core'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { Suppressions } from './suppressions.js'

/** Each recipient that Postmark sends to, once; two spellings of one mailbox are one address. */
export function activeRecipients(
  { envelope, stream }: SandboxMail,
  suppressions: Suppressions,
): readonly string[] {
  const active = new Map<string, string>()
  for (const address of envelope.to) {
    const key = toAddressKey(address)
    if (!active.has(key) && !suppressions.has(stream, address)) active.set(key, address)
  }
  return [...active.values()]
}

/**
 * Finds the recipient that an action is for, by default the first.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if nobody received the email, or this recipient did not
 */
export function findRecipient({ envelope, verdict }: SandboxMail, recipient?: string): string {
  if (verdict.outcome === 'refused')
    throw misuse(`The email was refused (${verdict.problems[0]?.message}), so nobody received it.`)
  if (recipient === undefined) return envelope.to[0]!
  const found = envelope.to.find((address) => toAddressKey(address) === toAddressKey(recipient))
  if (found === undefined)
    throw misuse(`The email did not go to ${recipient}. It went to ${envelope.to.join(', ')}.`)
  return found
}

/** The error for a call that makes no sense. */
export function misuse(message: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message)
}

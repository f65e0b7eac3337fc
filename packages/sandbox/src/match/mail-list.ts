import { inspect } from 'node:util'
import type { SandboxMail } from '../mail/sandbox-mail.js'

const SHOWN = 10

/**
 * Lists the last emails, one per line, for an error that says what arrived instead.
 * @example " (the last 10 of 12):\n  - to ann@example.com, subject 'Hi', postmark { tag: 'welcome' }"
 */
export function listMails(mails: readonly SandboxMail[]): string {
  const lines = mails.slice(-SHOWN).map((mail) => {
    const refused = mail.verdict.problems.map(({ errorCode }) => `, refused: ${errorCode}`).join('')
    return `\n  - ${describeMail(mail)}, postmark ${show(mail.postmark)}${refused}`
  })
  return `${mails.length > SHOWN ? ` (the last ${SHOWN} of ${mails.length})` : ''}:${lines.join('')}`
}

/** Describes an email for people. @example "to ann@example.com, subject 'Hi'" */
export function describeMail({ envelope, subject }: SandboxMail): string {
  return `to ${envelope.to.join(', ')}, subject ${show(subject)}`
}

/** A value on one line. */
export function show(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY })
}

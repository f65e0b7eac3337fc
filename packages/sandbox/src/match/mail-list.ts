import { inspect } from 'node:util'
import type { SandboxMail } from '../mail/sandbox-mail.js'

const SHOWN = 10

/**
 * The last mails as lines, for an error that says what came instead.
 * @example " (the last 10 of 12):\n  - to ann@example.com, subject 'Hi', postmark { tag: 'welcome' }"
 */
export function listMails(mails: readonly SandboxMail[]): string {
  const lines = mails.slice(-SHOWN).map(({ envelope, subject, postmark, verdict }) => {
    const refused = verdict.problems.map(({ errorCode }) => `, refused: ${errorCode}`).join('')
    return `\n  - to ${envelope.to.join(', ')}, subject ${show(subject)}, postmark ${show(postmark)}${refused}`
  })
  return `${mails.length > SHOWN ? ` (the last ${SHOWN} of ${mails.length})` : ''}:${lines.join('')}`
}

/** A value on one line. */
export function show(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY })
}

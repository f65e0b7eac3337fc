import type { SandboxMail } from '../mail/sandbox-mail.js'
import { toStreamLabel } from '../mail/stream-label.js'

/** Colours a text, or returns it as it is. */
export type Paint = (style: 'bold' | 'dim' | 'green' | 'red', text: string) => string

/**
 * An email as one line for a terminal; two more say why Postmark would refuse it, and what to do.
 * @example '16:20:31  sent         outbound  welcome  ann@example.com +1  Welcome'
 */
export function toMailLine(mail: SandboxMail, paint: Paint): string {
  const { receivedAt, postmark, envelope, subject, verdict } = mail
  const [problem] = verdict.problems
  const outcome = (problem ? `refused ${problem.errorCode}` : 'sent').padEnd(12)
  const [first = '', ...others] = envelope.to
  const columns = [
    paint('dim', toTime(receivedAt)),
    paint(problem ? 'red' : 'green', outcome),
    toText(toStreamLabel(mail)),
    toText(postmark.tag ?? '-'),
    toText(others.length > 0 ? `${first} +${others.length}` : first),
    toText(subject),
  ]
  const reasons = problem ? [problem.message, problem.cure] : []
  const lines = reasons.map((text) => `\n${' '.repeat(10)}${toText(text, 400)}`)
  return `${columns.join('  ')}${lines.join('')}\n`
}

function toTime(date: Date): string {
  return date.toTimeString().slice(0, 8)
}

/** An email must not control the terminal: removes control characters and changes of the writing direction. */
function toText(text: string, maxLength = 80): string {
  const harmless = text.replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '\ufffd')
  return harmless.length > maxLength ? `${harmless.slice(0, maxLength - 1)}…` : harmless
}

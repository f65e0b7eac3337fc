import type { SendingMail, SentCallback } from '../message/nodemailer-types.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import { type HandedTransport, makeTransport } from './as-transport.js'

/**
 * Makes createTransport throw if it gets a transporter from attachPostmark or a copy of one. Nodemailer would treat it
 * as options without a host, and connect to localhost without plugins, login or our headers.
 */
export function refuseRemaking(transporter: object): void {
  if (typeof (transporter as { send?: unknown }).send === 'function') return
  makeTransport(transporter, new RefusingTransport())
  hideMailer((transporter as { transporter?: unknown }).transporter)
}

/** A copy of the transporter has `send` but not the setter. */
class RefusingTransport implements HandedTransport {
  readonly name = 'attachPostmark'
  readonly version = '1'
  send(_mail: SendingMail, done: SentCallback): void {
    done(remakingError())
  }
  get mailer(): undefined {
    return undefined
  }
  /** Nodemailer sets this on the object a new transporter is created from. */
  set mailer(_mailer: object) {
    throw remakingError()
  }
}

/** Nodemailer's transport refers to its transporter, so a deep merge would recurse between the two until it fails. */
function hideMailer(transport: unknown): void {
  if (!isRecord(transport)) return
  const own = Object.getOwnPropertyDescriptor(transport, 'mailer')
  if (own?.configurable) Object.defineProperty(transport, 'mailer', { enumerable: false })
}

function remakingError(): PostmarkError {
  const hint =
    'Pass createPostmarkTransport(…) instead: createTransport turns it into a transporter that sends in the same way.'
  return new PostmarkError(
    'ERR_POSTMARK_TRANSPORT',
    `createTransport was given a transporter from attachPostmark, or a copy of one. It would create a new one without its server, login and plugins. ${hint}`,
    { hint },
  )
}

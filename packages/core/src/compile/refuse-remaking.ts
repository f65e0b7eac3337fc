import { JSON_COPY } from '../message/json-copy.js'
import type { SendingMail, SentCallback } from '../message/nodemailer-types.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'

/**
 * Makes createTransport refuse a transporter that attachPostmark has returned, and each copy of it. Nodemailer would take
 * it for options without a host, and connect to localhost without plugins, login or our headers.
 */
export function refuseRemaking(transporter: object): void {
  if (typeof (transporter as { send?: unknown }).send === 'function') return
  const shared = { enumerable: true, writable: true, configurable: true }
  Object.defineProperties(transporter, {
    name: { ...shared, value: 'attachPostmark' },
    version: { ...shared, value: '1' },
    // A copy has this, and not the setter below.
    send: { ...shared, value: (_mail: SendingMail, done: SentCallback) => done(remakingError()) },
    // Nodemailer sets this on what a new transporter is made of.
    mailer: {
      configurable: true,
      set: () => {
        throw remakingError()
      },
    },
    toJSON: { configurable: true, value: () => JSON_COPY },
  })
  hideMailer((transporter as { transporter?: unknown }).transporter)
}

/** Nodemailer's transport names its transporter, so that a deep merge would follow the two in a circle until it fails. */
function hideMailer(transport: unknown): void {
  if (!isRecord(transport)) return
  const own = Object.getOwnPropertyDescriptor(transport, 'mailer')
  if (own?.configurable) Object.defineProperty(transport, 'mailer', { enumerable: false })
}

function remakingError(): PostmarkError {
  const hint =
    'Give the library createPostmarkTransport(…), of which createTransport makes a transporter that sends as before.'
  return new PostmarkError(
    'ERR_POSTMARK_TRANSPORT',
    `createTransport was given the transporter that attachPostmark returned, or a copy of it; it would make a new one without its server, login and plugins. ${hint}`,
    { hint },
  )
}

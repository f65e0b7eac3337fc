import { describe, isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'

const ATTACH = 'attachPostmark(createTransport(options))'

/**
 * Throws if the value is not a transporter.
 * @throws PostmarkError ERR_POSTMARK_TRANSPORT
 */
export function refuseForeign(given: unknown): void {
  if (isRecord(given) && typeof given.use === 'function' && typeof given.sendMail === 'function') return
  const [what, hint] = recognise(given)
  throw new PostmarkError(
    'ERR_POSTMARK_TRANSPORT',
    `attachPostmark needs a Nodemailer transporter, but was given ${what}. ${hint}`,
    { hint },
  )
}

/** Describes what was given, without its values, which may contain a token, and what to do. */
function recognise(given: unknown): readonly [string, string] {
  if (given === undefined || given === null)
    return [String(given), `Pass it the return value of createTransport: ${ATTACH}.`]
  if (typeof given === 'function') return ['a function', `Call it first: ${ATTACH}.`]
  if (typeof given === 'string') return ['a string', `Pass a URL to createTransport first: ${ATTACH}.`]
  if (!isRecord(given)) return [describe(given), `Pass it the return value of createTransport: ${ATTACH}.`]
  if (typeof given.then === 'function') return ['a promise', 'Await it first.']
  if (typeof given.sendEmail === 'function') {
    return [
      'a REST API client',
      'Postmark headers only work over SMTP: use createPostmarkTransport, which logs in with the same token.',
    ]
  }
  if (typeof given.sendMail === 'function')
    return ['an object without `use`', 'Attach to the transporter that it uses to send.']
  return ['options', `Pass them to createTransport first: ${ATTACH}. Or use createPostmarkTransport.`]
}

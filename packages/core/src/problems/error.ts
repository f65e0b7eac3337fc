import type { PostmarkProblem } from './problem.js'
import { toSentence } from './problem.js'

/** Every error code, with its meaning and cure. docs/errors.md is generated from this table. */
export const ERROR_CODES = {
  ERR_POSTMARK_PREFLIGHT: {
    meaning:
      'The message breaks one of Postmark\u2019s limits. Postmark would have accepted it with 250 and bounced it later.',
    cure: 'Fix everything listed in `error.problems`. With `preflight: "fit"`, fields that are too long are shortened instead.',
  },
  ERR_POSTMARK_FIELDS: {
    meaning: 'Fields given as defaults or passed to a pure function are invalid.',
    cure: 'Fix everything listed in `error.problems`.',
  },
  ERR_POSTMARK_OPTIONS: {
    meaning: 'An option is unknown or missing, or has an invalid value.',
    cure: 'The message names the option and says what it must be.',
  },
  ERR_POSTMARK_URL: {
    meaning: 'The connection URL is invalid.',
    cure: 'Use the form postmark+smtp://TOKEN@default?stream=outbound. Percent-encode special characters in the token.',
  },
  ERR_POSTMARK_CREDENTIALS: {
    meaning:
      'The credentials cannot be valid: they contain white space or a placeholder, or the two halves do not match.',
    cure: 'Copy the Server API token, or both halves of an SMTP token, from Postmark again.',
  },
  ERR_POSTMARK_TLS: {
    meaning:
      'The connection would not be secure, or the TLS options ask for something Postmark does not offer.',
    cure: 'Remove `secure`: Postmark uses STARTTLS on ports 587, 2525 and 25. Plaintext is only allowed for a loopback host.',
  },
  ERR_POSTMARK_TRANSPORT: {
    meaning:
      'The value is not a Nodemailer transporter, or the transporter does not send over SMTP, so Postmark headers would have no effect. Or createTransport was given a transporter from attachPostmark or a copy of a Postmark transporter, and would have connected to localhost.',
    cure: 'Use an SMTP transporter, or createPostmarkTransport. If a library calls createTransport itself, pass it createPostmarkTransport(…): see docs/works-with.md.',
  },
  ERR_POSTMARK_SUPPRESSED: {
    meaning:
      'Every recipient of the email is suppressed on its stream. Postmark would have accepted it with 250 and bounced it later.',
    cure: 'Do not send it again. `error.problems` names each recipient. If a recipient subscribes again, remove the address from the store. If suppressed recipients are not an error for you, as in a job that loops over users, set `suppressed: "skip"`.',
  },
  ERR_POSTMARK_SCOPE: {
    meaning:
      'The option `requireScope` is set. The email was sent outside any scope, in a scope that lacks the required metadata key, or in a scope whose value for that key differs from the message. The email was not sent.',
    cure: 'Open a scope where the work begins, with the middleware or module for your framework or with runWithPostmark. If a callback runs without a scope or in another request\u2019s scope, keep the scope with capturePostmark; docs/context.md lists where this happens. For mail that belongs to no request, open a scope explicitly: runWithPostmark({ metadata: { tenant: "system" } }, send).',
  },
  ERR_POSTMARK_CLOSED: {
    meaning: 'The transporter was closed before the email was sent.',
    cure: 'Send before you call close(), or create a new transporter.',
  },
  ERR_POSTMARK_QUEUE_FULL: {
    meaning: 'The queue is full: `pool.maxQueued` emails are already waiting for a connection.',
    cure: 'The email was not sent. Send more slowly: wait for `idle`, or for earlier sendMail calls to settle.',
  },
  ERR_POSTMARK_ONCE_HELD: {
    meaning:
      'Another sendMail call holds this idempotency key. It is still sending the email, or its process has just died. This call sent nothing.',
    cure: 'Retry later with the same key. The other claim expires after `error.forMs` milliseconds unless it is renewed.',
  },
  ERR_POSTMARK_ONCE_UNKNOWN: {
    meaning:
      'An earlier sendMail call with this idempotency key may or may not have sent the email: its process died, or the server\u2019s reply was lost. This call sent nothing.',
    cure: 'Do not send the email with another key. Run resolveUnknown from @postmark-smtp/webhooks, which asks Postmark, then send again with the same key. See docs/send-once.md.',
  },
  ERR_POSTMARK_ONCE_CONFLICT: {
    meaning:
      'The idempotency key was already used for an email to other recipients or on another stream. This call sent nothing.',
    cure: 'Use a different key for each email.',
  },
  ERR_POSTMARK_ONCE_STORE: {
    meaning:
      'The send-once store failed, is full, or did not answer in time. The email was not sent because it might have been a duplicate.',
    cure: 'Check the store; `error.cause` is the error it threw. Then send again with the same key.',
  },
  ERR_POSTMARK_BATCH: {
    meaning:
      'sendBatch stopped early because every remaining mail would have failed as well: the login was refused, the stream is unknown or not allowed, or no connection could be opened.',
    cure: 'Fix the problem in `error.cause`. Then run the same list again: with `sendOnce`, only the missing emails are sent.',
  },
  ERR_POSTMARK_JOB: {
    meaning:
      'The message cannot be queued as a job: it contains values that JSON cannot represent, or it is too large.',
    cure: 'Fix everything listed in `error.problems`.',
  },
  ERR_POSTMARK_BOUNCES: {
    meaning: 'A server\u2019s sent email, bounces or settings could not be read from Postmark\u2019s API.',
    cure: 'The message says why. `error.cause` is the error the client threw. Continue from `run.cursor`.',
  },
  ERR_POSTMARK_WEBHOOK: {
    meaning: 'The body of a webhook is not a JSON object, or a webhook was not handled correctly.',
    cure: 'The message says which. Make sure that only Postmark can post to this path. See docs/webhooks.md.',
  },
} as const

/** An error code; docs/errors.md explains each. @example 'ERR_POSTMARK_PREFLIGHT' */
export type PostmarkErrorCode = keyof typeof ERROR_CODES

/** The usual reason for a missing value. */
export const UNSET_VARIABLE = 'If it comes from an environment variable, check that the variable is set.'

/** The same for a connection URL, with the variable that our examples use. */
export const UNSET_URL =
  'If it comes from an environment variable such as POSTMARK_URL, check that the variable is set.'

const BRAND = Symbol.for('@postmark-smtp/error')

/** Details of a {@link PostmarkError}. */
export interface PostmarkErrorDetails {
  readonly problems?: readonly PostmarkProblem[]
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * The error class of this project: `code` names the kind, `problems` lists what was wrong, `hint` says what to do.
 * @see docs/errors.md, which has a section for each code
 */
export class PostmarkError extends Error {
  /** Kind of the error. @example 'ERR_POSTMARK_PREFLIGHT' */
  readonly code: PostmarkErrorCode
  /** Everything that was wrong, each with its path, limit and cure. Empty if the code has no such list. */
  readonly problems: readonly PostmarkProblem[]
  /** What to do. */
  readonly hint: string

  constructor(code: PostmarkErrorCode, message: string, details: PostmarkErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'PostmarkError'
    this.code = code
    this.problems = details.problems ?? []
    this.hint = details.hint ?? ERROR_CODES[code].cure
    Object.defineProperty(this, BRAND, { value: true })
  }
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** For console.log: everything that the message does not already say. Loggers that write JSON get everything. */
function print(
  this: PostmarkError,
  _depth: number,
  options: object,
  inspect: (value: unknown, options: object) => string,
): string {
  const { code, message, stack, hint, problems } = this
  const shown = Object.assign(new PostmarkError(code, message, this), this)
  const hide = (name: PropertyKey, value?: unknown) =>
    Object.defineProperty(shown, name, { value, enumerable: false })
  hide(INSPECT)
  hide('stack', stack)
  if (message.includes(hint)) hide('hint')
  if (problems.every(({ cure }) => message.includes(cure))) hide('problems')
  return inspect(shown, options)
}
Object.defineProperty(PostmarkError.prototype, INSPECT, { value: print })

/** Whether a value is a {@link PostmarkError}, even one from another installed copy of this package. */
export function isPostmarkError(value: unknown): value is PostmarkError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** Adds a sentence to the message of an error and to its stack, which is what logs show. */
export function addToMessage(error: Error, sentence: string): Error {
  const { message, stack } = error
  error.message = `${message.replace(/[\s:.]+$/, '')}. ${sentence}`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  return error
}

/** The error that lists all problems. */
export function problemsError(code: PostmarkErrorCode, problems: readonly PostmarkProblem[]): PostmarkError {
  const count = problems.length === 1 ? '' : ` (${problems.length} problems)`
  const lines = problems.map((problem) => `\n  - ${toSentence(problem)}`).join('')
  const what = code === 'ERR_POSTMARK_FIELDS' ? 'The Postmark fields are invalid' : 'The email was not sent'
  return new PostmarkError(code, `${what}${count}:${lines}`, { problems })
}

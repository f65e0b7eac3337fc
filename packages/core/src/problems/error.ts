import type { PostmarkProblem } from './problem.js'
import { toSentence } from './problem.js'

/** Every error code, with what it means and what to do: docs/errors.md is made from this table. */
export const ERROR_CODES = {
  ERR_POSTMARK_PREFLIGHT: {
    meaning: 'The message breaks a limit of Postmark. Postmark would have answered 250 and bounced it later.',
    cure: 'Correct what `error.problems` names; it lists everything at once. `preflight: "fit"` shortens fields instead.',
  },
  ERR_POSTMARK_FIELDS: {
    meaning: 'Fields given as defaults, or to a pure function, are not valid.',
    cure: 'Correct what `error.problems` names.',
  },
  ERR_POSTMARK_OPTIONS: {
    meaning: 'An option is unknown, missing or has a wrong value.',
    cure: 'The message names the option and what it must be.',
  },
  ERR_POSTMARK_URL: {
    meaning: 'A connection URL cannot be read.',
    cure: 'Use postmark+smtp://TOKEN@default?stream=outbound. Percent-encode special characters in the token.',
  },
  ERR_POSTMARK_CREDENTIALS: {
    meaning:
      'The credentials cannot be right: white space, a placeholder, or halves that do not belong together.',
    cure: 'Copy the Server API token, or both halves of an SMTP token, from Postmark.',
  },
  ERR_POSTMARK_TLS: {
    meaning: 'The connection would not be safe, or TLS is asked for in a way that Postmark does not offer.',
    cure: 'Use STARTTLS on port 587, 2525 or 25: leave out `secure`. Plaintext is only for a loopback host.',
  },
  ERR_POSTMARK_TRANSPORT: {
    meaning:
      'What was given is no transporter of Nodemailer, or one that does not send by SMTP, so Postmark headers would do nothing. Or a transporter of attachPostmark, or a copy of one of ours, was given to createTransport, which would connect to localhost.',
    cure: 'Use an SMTP transporter, or createPostmarkTransport. Libraries that call createTransport take the latter: see docs/works-with.md.',
  },
  ERR_POSTMARK_SUPPRESSED: {
    meaning:
      'Every recipient of the mail is suppressed on its stream. Postmark would have answered 250 and bounced it later.',
    cure: 'Do not send again. `error.problems` names each recipient; one who subscribes again must be removed from the store. Where this is no error, as in a job that loops over users, give the option `suppressed: "skip"`.',
  },
  ERR_POSTMARK_SCOPE: {
    meaning:
      'The option `requireScope` is set, and the mail was sent outside of any scope, in a scope without the metadata key that the option names, or in a scope whose value differs from that of the message. The mail was not sent.',
    cure: 'Open a scope where the work begins: with the middleware or module of your framework, or with runWithPostmark. Where a callback runs in no scope, or in that of another request, keep the scope with capturePostmark: docs/context.md lists where this happens. For a mail of the system itself, open a scope on purpose, such as runWithPostmark({ metadata: { tenant: "system" } }, send).',
  },
  ERR_POSTMARK_CLOSED: {
    meaning: 'The transporter was closed before the mail was sent.',
    cure: 'Send before close(), or create a new transporter.',
  },
  ERR_POSTMARK_QUEUE_FULL: {
    meaning: 'As many mails as `pool.maxQueued` allows wait for a connection already.',
    cure: 'Send more slowly: wait for `idle`, or for the mails that were sent before. The mail was not sent.',
  },
  ERR_POSTMARK_ONCE_HELD: {
    meaning:
      'Another call of sendMail has the idempotency key of the mail and is sending it, or its process has just died. This call sent nothing.',
    cure: 'Ask again later under the same key: `error.forMs` says for how long the claim of the other call holds unless it is renewed.',
  },
  ERR_POSTMARK_ONCE_UNKNOWN: {
    meaning:
      'It is not known whether an earlier call of sendMail sent the mail of this idempotency key: its process died, or the reply was lost. This call sent nothing.',
    cure: 'Do not send the mail under another key. Run resolveUnknown of @postmark-smtp/webhooks, which asks Postmark, then send again under the same key. See docs/send-once.md.',
  },
  ERR_POSTMARK_ONCE_CONFLICT: {
    meaning:
      'The idempotency key belongs to a mail to other recipients, or on another stream. This call sent nothing.',
    cure: 'Use a key of its own for each mail.',
  },
  ERR_POSTMARK_ONCE_STORE: {
    meaning:
      'The send-once store failed, is full, or gave no answer in time. The mail was not sent, since it might have been a second one.',
    cure: 'Look after the store; `error.cause` is what it threw. Then send again under the same key.',
  },
  ERR_POSTMARK_BATCH: {
    meaning:
      'sendBatch has ended before its source did, since all further mails would have failed as well: the login is refused, the stream is not known or not allowed, or no connection comes about.',
    cure: 'See to `error.cause`. Then run the same list again: with `sendOnce`, only the mails that are missing are sent.',
  },
  ERR_POSTMARK_JOB: {
    meaning: 'A message cannot become a job of a queue: it holds what JSON cannot, or it is too large.',
    cure: 'Change what `error.problems` names; it lists everything at once.',
  },
  ERR_POSTMARK_BOUNCES: {
    meaning: 'Sent mails, bounces or settings of a server cannot be read from Postmark\u2019s API.',
    cure: 'The message says why. `error.cause` is what the client threw; `run.cursor` is where to go on.',
  },
  ERR_POSTMARK_WEBHOOK: {
    meaning: 'The body of a webhook is not a JSON object, or a webhook was not handled as it should be.',
    cure: 'The message says which. Let only Postmark post to this path, and see docs/webhooks.md.',
  },
} as const

/** One of the codes of docs/errors.md. @example 'ERR_POSTMARK_PREFLIGHT' */
export type PostmarkErrorCode = keyof typeof ERROR_CODES

/** What is most often wrong where a value is missing. */
export const UNSET_VARIABLE = 'If it comes from an environment variable, that variable is not set.'

/** The same for a connection URL, with the name that our examples use. */
export const UNSET_URL =
  'If it comes from an environment variable such as POSTMARK_URL, that variable is not set.'

const BRAND = Symbol.for('@postmark-smtp/error')

/** Details of a {@link PostmarkError}. */
export interface PostmarkErrorDetails {
  readonly problems?: readonly PostmarkProblem[]
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * The one error class: `code` names the kind, `problems` lists what was wrong, `hint` says what to do.
 * @see docs/errors.md, which has an anchor for each code
 */
export class PostmarkError extends Error {
  /** Kind of the error. @example 'ERR_POSTMARK_PREFLIGHT' */
  readonly code: PostmarkErrorCode
  /** Everything that was wrong, each with its place, limit and cure; empty where it does not apply. */
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

/** For console.log and its like: all but what the message says already. Loggers that write JSON get everything. */
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

/** Whether a value is a {@link PostmarkError}, also one of another installed copy of this package. */
export function isPostmarkError(value: unknown): value is PostmarkError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** Adds a sentence to the message of an error, and to its stack, which is what a log shows. */
export function addToMessage(error: Error, sentence: string): Error {
  const { message, stack } = error
  error.message = `${message.replace(/[\s:.]+$/, '')}. ${sentence}`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  return error
}

/** The error that lists all problems at once. */
export function problemsError(code: PostmarkErrorCode, problems: readonly PostmarkProblem[]): PostmarkError {
  const count = problems.length === 1 ? '' : ` (${problems.length} problems)`
  const lines = problems.map((problem) => `\n  - ${toSentence(problem)}`).join('')
  const what = code === 'ERR_POSTMARK_FIELDS' ? 'The Postmark fields are not valid' : 'The mail was not sent'
  return new PostmarkError(code, `${what}${count}:${lines}`, { problems })
}

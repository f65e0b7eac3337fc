import type { PostmarkError } from '../problems/error.js'
import { problemsError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { toFailure } from './failure.js'
import type { MailRecord } from './mail-record.js'
import { addSentInfo } from './sent-info.js'
import { toSkippedMail } from './skipped-mail.js'

/**
 * Reports what became of an email: the result with `postmark`, or an error, with the outcome `not-sent` if the email never
 * reached the transport.
 */
export function answerMail(
  record: MailRecord,
  error: unknown,
  given: unknown,
  callback: (error: Error | null, info?: unknown) => void,
): void {
  const { skipped, handedOver, brokenOff } = record
  // A skipped mail has an error only to keep it from reaching the transport.
  const info = skipped ? toSkippedMail(skipped) : given
  if (error && !skipped) {
    const failure = brokenOff ? Object.assign(toBreak(brokenOff), attemptsOf(error)) : (error as Error)
    callback(handedOver && !brokenOff ? failure : toFailure(failure), info)
    return
  }
  addSentInfo(info, record)
  callback(null, info)
}

/** The error that the message's stream ended with, which transports replace or modify. */
function toBreak(problem: PostmarkProblem): PostmarkError {
  return problemsError('ERR_POSTMARK_PREFLIGHT', [problem])
}

function attemptsOf(error: unknown): object {
  const { attempts, phase } = Object(error) as { attempts?: unknown; phase?: unknown }
  return attempts === undefined ? {} : { attempts, phase }
}

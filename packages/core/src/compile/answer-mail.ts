import { toFailure } from './failure.js'
import type { MailRecord } from './mail-record.js'
import { addSentInfo } from './sent-info.js'
import { toSkippedMail } from './skipped-mail.js'

/** Reports what became of a mail: the result with `postmark`, or an error that says where it belongs what was not sent. */
export function answerMail(
  record: MailRecord,
  error: unknown,
  given: unknown,
  callback: (error: Error | null, info?: unknown) => void,
): void {
  const { skipped, handedOver } = record
  // Of a skipped mail, the error only kept it from the transport.
  const info = skipped ? toSkippedMail(skipped) : given
  if (error && !skipped) {
    callback(handedOver ? (error as Error) : toFailure(error), info)
    return
  }
  addSentInfo(info, record)
  callback(null, info)
}

import { accessError } from '../message/access-error.js'
import { mayHoldDefaults, splitHeaders } from '../message/header-shapes.js'
import type { SentCallback } from '../message/nodemailer-types.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { answerMail } from './answer-mail.js'
import { toCompileStep } from './compile-step.js'
import { carryRecord, MailRecord, type MailRegistry } from './mail-record.js'
import type { LateStep } from './seal-mail.js'
import type { CompileSettings } from './settings.js'
import type { MailOptions } from './take-mail.js'

/** For an email that was not sent through our sendMail, if ours would have done more than write headers. */
const LOST: PostmarkProblem = {
  path: 'transporter',
  found: 'was used through a copy of it or through another transport',
  limit: 'a call to its own sendMail, or createTransport(transporter)',
  cure: 'Its default fields and plugins do not apply to this email. Set them where the email is sent.',
  severity: 'warning',
}

/**
 * Compiles an email that reaches our transport without having been compiled: a library created its own transporter and
 * calls our `send` from its own transport. The scope is the one that is open at that time.
 */
export function createLateStep(
  settings: CompileSettings,
  registry: MailRegistry,
  { message, disableFileAccess, disableUrlAccess }: MailOptions,
  plugins: readonly unknown[],
): LateStep {
  const step = toCompileStep(settings, true)
  return (mail, done, handOver) => {
    const { data } = mail
    const record = new MailRecord(
      data.postmark,
      splitHeaders(data.headers).postmark,
      mayHoldDefaults(data.headers),
    )
    carryRecord(data, record)
    record.report = (error, info) => {
      registry.leave(record)
      answerMail(record, error, info, done as Parameters<typeof answerMail>[3])
    }
    const finish: SentCallback = (error, info) => record.settle(error, info)
    if (disableFileAccess) data.disableFileAccess = true
    if (disableUrlAccess) data.disableUrlAccess = true
    if (message || plugins.length > 0) settings.warn(LOST)
    const refused = registry.enter(record) ?? accessError(data)
    if (refused) finish(refused)
    else step(mail, (error) => (error ? finish(error) : handOver(mail, finish)))
  }
}

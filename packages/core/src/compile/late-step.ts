import { mayHoldDefaults, splitHeaders } from '../message/header-shapes.js'
import type { SentCallback } from '../message/nodemailer-types.js'
import { answerMail } from './answer-mail.js'
import { toCompileStep } from './compile-step.js'
import { carryRecord, MailRecord, type MailRegistry } from './mail-record.js'
import type { LateStep } from './seal-mail.js'
import type { CompileSettings } from './settings.js'

/**
 * Compiles a mail that reaches a transport of ours without having been compiled: a library made its own transporter, and
 * calls our `send` from a transport of its own. The scope is the one that is open then.
 */
export function createLateStep(settings: CompileSettings, registry: MailRegistry): LateStep {
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
    const refused = registry.enter(record)
    if (refused) finish(refused)
    else step(mail, (error) => (error ? finish(error) : handOver(mail, finish)))
  }
}

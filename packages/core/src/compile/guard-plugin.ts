import type { CompilePlugin, MailLike } from '../message/nodemailer-types.js'
import { recordOf } from './mail-record.js'

type Done = (error?: Error | null) => void

/**
 * Makes a plugin report what it throws, and what Nodemailer throws when it continues. On Nodemailer 7 to 9, a message
 * that cannot be composed throws out of the last plugin; if that happens in a promise or a timer, it ends the process.
 */
export function guardPlugin(plugin: CompilePlugin): CompilePlugin {
  if (typeof plugin !== 'function') return plugin
  return (mail, done) => {
    const fail = (error: unknown) => failMail(mail, done, error)
    runGuarded(() => plugin(mail, (error) => runGuarded(() => done(error), fail)), fail)
  }
}

/** Calls `done`, and calls it again with what it throws, unless the email has been sent or settled by then. */
export function continueMail(mail: MailLike, done: Done, error?: Error | null): void {
  try {
    done(error)
  } catch (thrown) {
    failMail(mail, done, thrown)
  }
}

function runGuarded(step: () => unknown, fail: (error: unknown) => void): void {
  try {
    const result = step()
    // A plugin may be an async function, even though Nodemailer does not wait for it.
    if (result instanceof Promise) result.catch(fail)
  } catch (error) {
    fail(error)
  }
}

function failMail(mail: MailLike, done: Done, error: unknown): void {
  const record = recordOf(mail)
  // The email has already ended, so what was thrown is an error of the plugin or of the caller's callback.
  if (!record || record.settled || record.handedOver) throw error
  done(error as Error)
}

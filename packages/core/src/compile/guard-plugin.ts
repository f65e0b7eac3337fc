import type { CompilePlugin, MailLike } from '../message/nodemailer-types.js'
import { recordOf } from './mail-record.js'

type Done = (error?: Error | null) => void

/**
 * Makes a plugin report what it throws, and what Nodemailer throws when it goes on: on Nodemailer 7 to 9 a message that
 * cannot be composed throws out of the last plugin, and out of its promise or timer it ends the process.
 */
export function guardPlugin(plugin: CompilePlugin): CompilePlugin {
  if (typeof plugin !== 'function') return plugin
  return (mail, done) => {
    const fail = (error: unknown) => failMail(mail, done, error)
    runGuarded(() => plugin(mail, (error) => runGuarded(() => done(error), fail)), fail)
  }
}

/** Calls `done`, and calls it again with what it throws, unless the mail is sent or answered by then. */
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
    // A plugin may be an async function, although Nodemailer does not wait for it.
    if (result instanceof Promise) result.catch(fail)
  } catch (error) {
    fail(error)
  }
}

function failMail(mail: MailLike, done: Done, error: unknown): void {
  const record = recordOf(mail)
  // Then the mail has an end of its own: what was thrown is a fault of the plugin, or of the caller's callback.
  if (!record || record.settled || record.handedOver) throw error
  done(error as Error)
}

import type { HeaderEntry } from './header-entries.js'
import type { CompilingMail, MailLike } from './nodemailer-types.js'
import { isPlainLine } from './raw-message.js'

/**
 * Nodemailer folds a header line of 76 characters and more, and a value without a space then leaves an
 * empty first line. Nobody documents that Postmark unfolds: so a plain line of ours is put together again.
 */
const FOLD_AT = 76

const unfolding = new WeakMap<object, readonly string[]>()
const prepared = new WeakSet<object>()

/** Remembers the lines of a mail that Nodemailer would fold and that may be long. */
export function unfoldLater(mail: CompilingMail, entries: readonly HeaderEntry[]): void {
  const long = entries.filter(
    ({ key, value }) => key.length + 2 + value.length >= FOLD_AT && isPlainLine(key, value),
  )
  const { mailer } = mail
  if (long.length === 0 || !mailer) return
  unfolding.set(
    mail,
    long.map(({ key }) => key),
  )
  if (prepared.has(mailer)) return
  prepared.add(mailer)
  mailer.use('stream', unfoldStep)
}

/** Nodemailer's `stream` step comes when the message object exists; its header block is text there. */
function unfoldStep(mail: MailLike, done: (error?: Error | null) => void): void {
  const names = unfolding.get(mail)
  const message = (mail as CompilingMail).message as { buildHeaders?: () => string } | undefined
  const build = message?.buildHeaders
  if (names && message && typeof build === 'function') {
    message.buildHeaders = () => unfold(build.call(message), names)
  }
  done()
}

function unfold(block: string, names: readonly string[]): string {
  const wanted = new Set(names)
  const lines = block.split('\r\n')
  const result: string[] = []
  let joining = false
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      if (joining) result[result.length - 1] += line
      else result.push(line)
    } else {
      joining = wanted.has(line.slice(0, line.indexOf(':')))
      result.push(line)
    }
  }
  return result.join('\r\n')
}

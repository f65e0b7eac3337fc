import type { HeaderEntry } from '../fields/header-entries.js'
import type { CompilingMail, MailLike } from './nodemailer-types.js'
import { isPlainLine } from './raw-message.js'

/** Nodemailer folds a line of so many characters; a value without a space then leaves an empty first line. */
const FOLD_AT = 76

const exactLines = new WeakMap<object, ReadonlyMap<string, string>>()
const prepared = new WeakSet<object>()

/**
 * Remembers the lines of a mail that Nodemailer would fold, or encode for a quotation mark, although they are
 * printable ASCII and short enough. Nobody documents that Postmark unfolds or decodes, so they go out as they are.
 */
export function keepExact(mail: CompilingMail, entries: readonly HeaderEntry[]): void {
  const changed = entries.filter(
    ({ key, value }) =>
      (key.length + 2 + value.length >= FOLD_AT || /"|=\?/.test(value)) && isPlainLine(key, value),
  )
  const { mailer } = mail
  if (changed.length === 0 || !mailer) return
  exactLines.set(mail, new Map(changed.map(({ key, value }) => [key, `${key}: ${value}`])))
  if (prepared.has(mailer)) return
  prepared.add(mailer)
  mailer.use('stream', exactStep)
}

/** Nodemailer's `stream` step comes when the message object exists; its header block is text there. */
function exactStep(mail: MailLike, done: (error?: Error | null) => void): void {
  const lines = exactLines.get(mail)
  const message = (mail as CompilingMail).message as { buildHeaders?: () => string } | undefined
  const build = message?.buildHeaders
  if (lines && message && typeof build === 'function') {
    message.buildHeaders = () => putBack(build.call(message), lines)
  }
  done()
}

function putBack(block: string, exact: ReadonlyMap<string, string>): string {
  const result: string[] = []
  let replaced = false
  for (const line of block.split('\r\n')) {
    if (/^[ \t]/.test(line)) {
      if (!replaced) result.push(line)
      continue
    }
    const ours = exact.get(line.slice(0, line.indexOf(':')))
    replaced = ours !== undefined
    result.push(ours ?? line)
  }
  return result.join('\r\n')
}

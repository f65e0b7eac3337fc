import { isRecord } from '../problems/describe.js'
import type { Redactor } from '../problems/redact.js'

type LogMethod = (entry: object, message: string, ...values: unknown[]) => unknown

/** Where a session logs what it sends and receives, like Nodemailer's `logger`. */
export interface SmtpLog {
  /** A command, or a note if it contains a secret. */
  client(text: string): void
  /** A reply, with secrets already removed. */
  server(text: string): void
  info(text: string): void
  /** Removes secrets from text. */
  redact(text: string): string
}

let sessions = 0

/**
 * Creates the log of one session from the option `logger`: an object with Nodemailer's methods, or true for the
 * console. It never receives a secret: responses to AUTH are logged as notes. Errors that a logger throws are ignored,
 * because an email must not depend on it.
 */
export function createSmtpLog(logger: object | boolean, redactor: Redactor): SmtpLog {
  const { text: redact } = redactor
  if (logger === false) return { client: () => {}, server: () => {}, info: () => {}, redact }
  const target = logger === true ? consoleLogger : (logger as Readonly<Record<string, LogMethod | undefined>>)
  const sid = `postmark-${++sessions}`
  const write = (level: 'debug' | 'info', entry: object, text: string) => {
    try {
      const result: unknown = target[level]?.(
        { component: 'postmark-smtp', sid, ...entry },
        redactor.text(text),
      )
      if (isRecord(result) && typeof result.catch === 'function') result.catch(() => {})
    } catch {
      // See above: the email continues.
    }
  }
  return {
    client: (text) => write('debug', { tnx: 'client' }, text),
    server: (text) => write('debug', { tnx: 'server' }, text),
    info: (text) => write('info', { tnx: 'smtp' }, text),
    redact,
  }
}

const line = (level: string) => (entry: object, text: string) => {
  const { sid, tnx } = entry as { sid?: string; tnx?: string }
  process.stdout.write(
    `[${new Date().toISOString()}] ${level} [${sid}] ${tnx === 'client' ? 'C: ' : tnx === 'server' ? 'S: ' : ''}${text}\n`,
  )
}

/** The meaning of `logger: true`, as in Nodemailer: one line on standard output per entry. */
const consoleLogger: Readonly<Record<string, LogMethod>> = { debug: line('DEBUG'), info: line('INFO ') }

import { isRecord } from './describe.js'

/** Takes secrets out of texts, errors and log entries. */
export interface Redactor {
  /** Remembers a secret; what was remembered stays so, since an old token may still be echoed. */
  add(secret: string): void
  text(text: string): string
  /** Cleans an error in place, with all texts that it carries, and returns it. */
  error<E>(error: E): E
}

const MARK = '[redacted]'

/** A run of base64 that is long enough to hold a token. */
const BASE64 = /[A-Za-z0-9+/]{8,}={0,2}/g

/** Makes a redactor without secrets. */
export function createRedactor(): Redactor {
  const secrets = new Set<string>()
  const holds = (text: string) => {
    for (const secret of secrets) if (text.includes(secret)) return true
    return false
  }
  const text = (dirty: string) => {
    let clean = dirty
    for (const secret of secrets) clean = clean.replaceAll(secret, MARK)
    // AUTH sends the login in base64, alone or joined with other parts: whatever decodes to a secret goes.
    return clean.replace(BASE64, (run) => (holds(Buffer.from(run, 'base64').toString('latin1')) ? MARK : run))
  }
  const walk = (value: unknown, seen: Set<unknown>): void => {
    if (!isRecord(value) || seen.has(value)) return
    seen.add(value)
    for (const name of Object.getOwnPropertyNames(value)) {
      const entry = value[name]
      if (typeof entry === 'string') {
        const clean = text(entry)
        if (clean !== entry)
          Object.defineProperty(value, name, {
            value: clean,
            writable: true,
            configurable: true,
            enumerable: name !== 'stack' && name !== 'message',
          })
      } else if (entry instanceof Error) walk(entry, seen)
      else if (Array.isArray(entry)) for (const each of entry) walk(each, seen)
    }
  }
  return {
    add: (secret) => void secrets.add(secret),
    text,
    error: (error) => {
      walk(error, new Set())
      return error
    },
  }
}

type LogMethod = (...args: unknown[]) => unknown

/** A Nodemailer logger that hands on what is left after redaction. */
export function redactingLogger(logger: object | boolean, redactor: Redactor): object | boolean {
  if (typeof logger === 'boolean') return logger
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return redactor.text(value)
    if (value instanceof Error) return redactor.error(value)
    if (!isRecord(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, clean(entry)]))
  }
  const target = logger as Record<string, LogMethod | undefined>
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return Object.fromEntries(
    levels.map((level) => [level, (...args: unknown[]) => target[level]?.(...args.map(clean))]),
  )
}

/** Removes secrets from text that comes from outside: from a server, a socket or a user's function. */
export interface Redactor {
  /** Remembers a secret, and keeps it: an old token may still be echoed. */
  add(secret: string): void
  text(text: string): string
}

const MARK = '[redacted]'

/** A run of base64 that is long enough to hold a token. */
const BASE64 = /[A-Za-z0-9+/]{12,}={0,2}/g

/** The maximum number of remembered secrets: more than a login that rotates every hour has in a week. */
const MOST_SECRETS = 200

/** Creates a redactor without secrets. */
export function createRedactor(): Redactor {
  const secrets = new Set<string>()
  let pattern: RegExp | undefined
  return {
    add: (secret) => {
      if (secret === '' || secrets.has(secret)) return
      const [oldest] = secrets
      if (secrets.size >= MOST_SECRETS && oldest !== undefined) secrets.delete(oldest)
      secrets.add(secret)
      pattern = new RegExp([...secrets].map(toPattern).join('|'), 'gi')
    },
    text: (text) => {
      const known = pattern
      if (!known) return text
      // AUTH sends the login in base64, by itself or joined with other parts. Everything that decodes to a secret is
      // removed.
      return text
        .replace(known, MARK)
        .replace(BASE64, (run) =>
          Buffer.from(run, 'base64').toString('latin1').search(known) >= 0 ? MARK : run,
        )
    },
  }
}

/** A server may echo a token in another case or without its dashes. */
function toPattern(secret: string): string {
  return [...secret].map((each) => (each === '-' ? '-?' : each.replace(/[^\w]/g, '\\$&'))).join('')
}

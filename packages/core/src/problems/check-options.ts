import { isRecord } from './describe.js'
import { PostmarkError } from './error.js'
import { closeMatch } from './problem.js'

/** The error for a wrong value of an option. */
export function optionError(name: string, value: unknown, wanted: string, hint?: string): PostmarkError {
  const found =
    typeof value === 'string'
      ? JSON.stringify(value.slice(0, 40))
      : value === null
        ? 'null'
        : Array.isArray(value)
          ? 'an array'
          : `a value of type ${typeof value}`
  return new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `Option ${name} is ${found}; it must be ${wanted}.`,
    hint ? { hint } : {},
  )
}

/** Options that people bring from elsewhere, with what they are here. */
const ELSEWHERE: ReadonlyMap<string, readonly ['ERR_POSTMARK_OPTIONS' | 'ERR_POSTMARK_TLS', string]> =
  new Map([
    [
      'secure',
      [
        'ERR_POSTMARK_TLS',
        'Postmark has no implicit TLS: it uses STARTTLS on 587, 2525 and 25, which is always required here. Leave `secure` out.',
      ],
    ],
    ['requireTLS', ['ERR_POSTMARK_TLS', 'STARTTLS is always required here. Leave `requireTLS` out.']],
    [
      'ignoreTLS',
      ['ERR_POSTMARK_TLS', 'STARTTLS is always required here. For a loopback host use `allowPlaintext`.'],
    ],
    ['auth', ['ERR_POSTMARK_OPTIONS', 'Give `serverToken`, or `smtpToken: { accessKey, secretKey }`.']],
    ['port', ['ERR_POSTMARK_OPTIONS', 'Give `ports: [2525]`.']],
    ['token', ['ERR_POSTMARK_OPTIONS', 'Give `serverToken`, or `smtpToken: { accessKey, secretKey }`.']],
    ['apiKey', ['ERR_POSTMARK_OPTIONS', 'Give `serverToken`, or `smtpToken: { accessKey, secretKey }`.']],
    [
      'proxy',
      ['ERR_POSTMARK_OPTIONS', 'Give `getSocket`, which hands in a socket that goes through your proxy.'],
    ],
  ])

/** Refuses options that are not known, with the close match. @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_TLS */
export function refuseUnknown(options: unknown, known: readonly string[]): void {
  if (options === undefined) return
  if (!isRecord(options)) throw new PostmarkError('ERR_POSTMARK_OPTIONS', 'The options must be an object.')
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const [code, advice] = ELSEWHERE.get(name) ?? []
    // As the URL of a transport names it.
    const near =
      name === 'stream' && known.includes('messageStream') ? 'messageStream' : closeMatch(name, known)
    const hint = advice ?? (near ? `Did you mean "${near}"?` : `Known options: ${known.join(', ')}.`)
    throw new PostmarkError(
      code ?? 'ERR_POSTMARK_OPTIONS',
      `Option ${JSON.stringify(name)} is not known. ${hint}`,
      { hint },
    )
  }
}

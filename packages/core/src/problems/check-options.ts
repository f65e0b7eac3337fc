import { describe, isRecord } from './describe.js'
import { PostmarkError } from './error.js'
import { closeMatch } from './problem.js'
import { pathOf } from './quote.js'

/** Names of options that hold a secret, whatever their value looks like. */
const SECRET_OPTION = /(credentials|tokens?|secret\w*|pass\w*|basic\w*|url|apiKey)$/i

/** The error for a wrong value of an option. It never quotes what may be a secret. */
export function optionError(name: string, value: unknown, wanted: string, hint?: string): PostmarkError {
  const found =
    typeof value === 'string' && value !== '' && SECRET_OPTION.test(name) ? 'a string' : describe(value)
  return new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `Option ${name} is ${found}; it must be ${wanted}.`,
    hint ? { hint } : {},
  )
}

type OptionCode = 'ERR_POSTMARK_OPTIONS' | 'ERR_POSTMARK_TLS'
type Advice = readonly [OptionCode, string | ((value: unknown) => string)]

const TOKEN_ADVICE: Advice = [
  'ERR_POSTMARK_OPTIONS',
  'Use `serverToken`, or `smtpToken: { accessKey, secretKey }`.',
]

/** Options of other libraries, with their equivalent here. */
const ELSEWHERE: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  [
    'secure',
    [
      'ERR_POSTMARK_TLS',
      'Postmark has no implicit TLS. It uses STARTTLS on ports 587, 2525 and 25, which is always required here. Remove `secure`.',
    ],
  ],
  ['requireTLS', ['ERR_POSTMARK_TLS', 'STARTTLS is always required here. Remove `requireTLS`.']],
  [
    'ignoreTLS',
    ['ERR_POSTMARK_TLS', 'STARTTLS is always required here. For a loopback host, use `allowPlaintext`.'],
  ],
  ['auth', TOKEN_ADVICE],
  ['token', TOKEN_ADVICE],
  ['apiKey', TOKEN_ADVICE],
  ['port', ['ERR_POSTMARK_OPTIONS', advisePorts]],
  ['service', ['ERR_POSTMARK_OPTIONS', 'Postmark\u2019s hosts are the default. Remove `service`.']],
  ['proxy', ['ERR_POSTMARK_OPTIONS', 'Use `getSocket` to supply a socket that goes through your proxy.']],
])

/** Options of Nodemailer's SMTP transport and its message defaults, with their equivalent in our transport. */
const OF_TRANSPORTS: ReadonlyMap<string, string> = new Map([
  ...['maxConnections', 'maxMessages'].map((name) => [name, `Use \`pool: { ${name} }\`.`] as const),
  ...['connectionTimeout', 'greetingTimeout', 'socketTimeout'].map(
    (name) => [name, 'Use `timeouts: { raceMs, replyMs, finalMs }`.'] as const,
  ),
  ...['from', 'replyTo', 'headers'].map((name) => [name, `Use \`message: { ${name} }\`.`] as const),
  ['rateLimit', 'Pass `perSecond` to sendBatch.'],
  ['debug', 'Use `logger`.'],
  ['dkim', 'Remove it: Postmark signs your email.'],
])

function advisePorts(port: unknown): string {
  const number = Number(port)
  if (number === 465)
    return 'Postmark has no implicit TLS on port 465. Remove `port`: ports 587, 2525 and 25 are tried.'
  return Number.isInteger(number) && number > 0 && number < 65536
    ? `Use \`ports: [${number}]\`.`
    : 'Use `ports`, such as [587, 2525, 25].'
}

/**
 * Throws if there are unknown options. The error lists all of them, each with what to write instead.
 * @param name the option that contains them; empty for the options themselves
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_TLS
 */
export function refuseUnknown(options: unknown, known: readonly string[], name = ''): void {
  if (options === undefined) return
  if (!isRecord(options)) throw notAnObject(options, known, name)
  const unknown = Object.keys(options).filter((key) => !known.includes(key))
  if (unknown.length === 0) return
  const list = `Known options: ${known.join(', ')}.`
  const [first, ...others] = unknown.map((key) => ({
    path: pathOf(name, key),
    cure: toCure(key, options[key], known),
  }))
  const code = unknown.some((key) => ELSEWHERE.get(key)?.[0] === 'ERR_POSTMARK_TLS')
    ? 'ERR_POSTMARK_TLS'
    : 'ERR_POSTMARK_OPTIONS'
  const message =
    others.length === 0
      ? `Unknown option ${JSON.stringify(first!.path)}. ${first!.cure ?? list}`
      : toList(`${unknown.length} unknown options:`, [first!, ...others], list)
  throw new PostmarkError(code, message, others.length === 0 ? { hint: first!.cure ?? list } : {})
}

/** One line for each unknown option. The known options are listed once, if any line has no cure. */
function toList(
  title: string,
  unknown: readonly { readonly path: string; readonly cure: string | undefined }[],
  known: string,
): string {
  const lines = unknown.map(({ path, cure }) => (cure ? `  - ${path}: ${cure}` : `  - ${path}`))
  return [title, ...lines, ...(unknown.some(({ cure }) => !cure) ? [known] : [])].join('\n')
}

function toCure(key: string, value: unknown, known: readonly string[]): string | undefined {
  const isOfTransport = known.includes('serverToken')
  const advice = ELSEWHERE.get(key)?.[1] ?? (isOfTransport ? OF_TRANSPORTS.get(key) : undefined)
  if (advice !== undefined) return typeof advice === 'function' ? advice(value) : advice
  // A transport URL calls it `stream`.
  const near = key === 'stream' && known.includes('messageStream') ? 'messageStream' : closeMatch(key, known)
  return near ? `Did you mean "${near}"?` : undefined
}

function notAnObject(options: unknown, known: readonly string[], name: string): PostmarkError {
  if (name) return optionError(name, options, `an object with ${known.join(', ')}`)
  // Not quoted: a string given as the options is usually a URL with a token.
  const found = typeof options === 'string' ? 'a string' : describe(options)
  return new PostmarkError('ERR_POSTMARK_OPTIONS', `The options must be an object, not ${found}.`)
}

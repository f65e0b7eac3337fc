import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { refuseUnknown } from '@postmark-smtp/core/internal'
import { PostmarkError } from '@postmark-smtp/core/pure'
import { type AddressRule, createAddressCheck } from './address-check.js'
import { isObject } from './read-value.js'

/** User name and password as in the webhook's URL: `https://USER:PASSWORD@example.com/…`. */
export interface BasicLogin {
  readonly username: string
  readonly password: string
}

/** A custom header that the webhook is set to send. */
export interface SecretHeader {
  readonly name: string
  readonly value: string
}

/**
 * Who may post events. Postmark does not sign its webhooks: only a secret in `basic` or `header` distinguishes them from
 * other requests, so one is required. If there are several, each is accepted, which allows you to rotate a secret without
 * losing an event.
 */
export interface WebhookAuth {
  readonly basic?: BasicLogin | readonly BasicLogin[] | undefined
  readonly header?: SecretHeader | readonly SecretHeader[] | undefined
  /** The addresses that requests must come from, in addition to the secret. */
  readonly ips?: AddressRule | undefined
}

/** `wrong`: no valid secret. `elsewhere`: the secret is right, but the address is not allowed, or is not an address. */
export type AuthResult =
  | { readonly state: 'ok' | 'wrong' }
  | { readonly state: 'elsewhere'; readonly address: string }

/** The digest of what a request must contain, and the function that reads it from a request. */
interface Secret {
  readonly expected: Buffer
  readonly read: (headers: Headers) => string | Buffer
}

const KEY = randomBytes(32)

/** Digests have one length and begin alike only by chance, so comparing them reveals nothing about the secret. */
function digest(secret: string | Buffer): Buffer {
  return createHmac('sha256', KEY).update(secret).digest()
}

/**
 * Returns the function that checks a request. It does the same work each time: one digest and comparison per secret.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, which never quotes a secret
 */
export function createAuthenticator(
  auth: WebhookAuth,
): (headers: Headers, remoteAddress: string | undefined) => AuthResult {
  const secrets = readSecrets(auth)
  const comesFrom = createAddressCheck(auth.ips)
  return (headers, remoteAddress) => {
    let matches = 0
    for (const { expected, read } of secrets)
      matches += Number(timingSafeEqual(expected, digest(read(headers))))
    if (matches === 0) return { state: 'wrong' }
    const { allowed, address } = comesFrom(headers, remoteAddress)
    return allowed ? { state: 'ok' } : { state: 'elsewhere', address }
  }
}

function readSecrets(auth: WebhookAuth): readonly Secret[] {
  if (auth !== undefined) checkObject(auth, 'auth', '{ basic: { username, password } }')
  refuseUnknown(auth, ['basic', 'header', 'ips'])
  const logins = toList(auth?.basic, 'auth.basic', '{ username, password }').map(toLogin)
  const headers = toList(auth?.header, 'auth.header', '{ name, value }').map(toHeader)
  if (logins.length + headers.length > 0) return [...logins, ...headers]
  throw refuse(
    'There is no secret in `auth`, so anyone could post events.',
    'Pass `auth: { basic: { username, password } }`, and put both in the URL of the webhook.',
  )
}

function toList<T>(given: T | readonly T[] | undefined, path: string, wanted: string): readonly T[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) {
    checkObject(given, path, wanted)
    return [given as T]
  }
  for (const [index, item] of given.entries()) checkObject(item, `${path}[${index}]`, wanted)
  return given
}

/** The wrong value is not quoted, because it may be a secret. */
function checkObject(value: unknown, path: string, wanted: string): void {
  if (isObject(value)) return
  const found =
    typeof value === 'string'
      ? 'a string'
      : value === null
        ? 'null'
        : Array.isArray(value)
          ? 'an array'
          : `a value of type ${typeof value}`
  throw refuse(
    `Option ${path} is ${found}; it must be an object: ${wanted}.`,
    `Pass \`${path}: ${wanted}\`, with a long random string as the secret.`,
  )
}

function toLogin(login: BasicLogin, index: number): Secret {
  const path = `auth.basic[${index}]`
  refuseUnknown(login, ['username', 'password'])
  const username = checkSecret(login.username, `${path}.username`, /^[^:]+$/, 'a string without a colon')
  const password = checkSecret(login.password, `${path}.password`)
  return { expected: digest(`${username}:${password}`), read: readBasic }
}

function readBasic(headers: Headers): Buffer {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? []
  return Buffer.from(encoded, 'base64')
}

function toHeader(header: SecretHeader, index: number): Secret {
  const path = `auth.header[${index}]`
  refuseUnknown(header, ['name', 'value'])
  const { name } = header
  if (typeof name !== 'string' || !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    throw refuse(`${path}.name must be a valid header name.`)
  const value = checkSecret(header.value, `${path}.value`, /^[ -~]+$/, 'printable ASCII')
  return { expected: digest(value), read: (headers) => headers.get(name) ?? '' }
}

const PLACEHOLDER =
  /^(<.*>|\{.*\}|\$.*|your[-_ ].*|x{4,}|\*+|change[-_ ]?me|secret|password|undefined|null|\[object .*\])$/i

const UNSET = ' If it comes from an environment variable, that variable is not set.'

function checkSecret(value: unknown, path: string, shape: RegExp = /./, wanted = ''): string {
  if (typeof value !== 'string' || value === '')
    throw refuse(`${path} is ${value === '' ? 'empty' : 'not a string'}.${value === undefined ? UNSET : ''}`)
  if (/^\s|\s$|\p{Cc}/u.test(value))
    throw refuse(`${path} begins or ends with white space, or contains a control character.`)
  if (!shape.test(value)) throw refuse(`${path} must be ${wanted}.`)
  if (PLACEHOLDER.test(value)) throw refuse(`${path} is a placeholder.`)
  return value
}

function refuse(message: string, hint = 'Use a long random string, and set it in the webhook as well.') {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint })
}

import { isRecord } from '../problems/describe.js'
import { PostmarkError, UNSET_VARIABLE } from '../problems/error.js'

/** An SMTP token of one message stream. Postmark shows the secret key only once, when the token is created. */
export interface SmtpToken {
  /** @example 'PM-T-outbound-…' for a transactional stream, 'PM-B-news-…' for a broadcasts stream */
  readonly accessKey: string
  readonly secretKey: string
}

/** One of the two ways to log in. Set exactly one of them. */
export type Credentials =
  | { readonly serverToken: string; readonly smtpToken?: undefined }
  | { readonly smtpToken: SmtpToken; readonly serverToken?: undefined }

/**
 * Credentials; or a function that returns them at each login, and is called once more if a login is refused; or a
 * connection URL that contains them.
 */
export type CredentialOptions =
  | (Credentials & { readonly credentials?: undefined; readonly url?: undefined })
  | {
      readonly credentials: () => Credentials | Promise<Credentials>
      readonly serverToken?: undefined
      readonly smtpToken?: undefined
      readonly url?: undefined
    }
  | {
      /** @example 'postmark+smtp://TOKEN@default?stream=outbound' */
      readonly url: string
      readonly serverToken?: undefined
      readonly smtpToken?: undefined
      readonly credentials?: undefined
    }

/** What a login sends. It exists only in closures, never in an option, a log line or an inspectable object. */
export interface Login {
  readonly user: string
  readonly pass: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const PLACEHOLDER =
  /^(<.*>|\{.*\}|\$.*|your[-_ ].*|x{3,}.*|changeme|((postmark|server|api|smtp)[-_ ]?)*token|undefined|null|\[object .*\])$/i

/**
 * Checks the form of credentials, and returns the login they represent.
 * @throws PostmarkError ERR_POSTMARK_CREDENTIALS, which never quotes a credential
 */
export function toLogin(
  options: { readonly serverToken?: unknown; readonly smtpToken?: unknown },
  path = '',
): Login {
  const { serverToken, smtpToken } = options
  if ((serverToken === undefined) === (smtpToken === undefined)) {
    const found =
      serverToken === undefined ? 'Credentials are missing' : 'Two kinds of credentials were given'
    throw refuse(
      `${found}: ${path}serverToken or ${path}smtpToken.${serverToken === undefined ? ` ${UNSET_VARIABLE}` : ''}`,
      'Use `serverToken`, or `smtpToken: { accessKey, secretKey }`.',
    )
  }
  if (serverToken !== undefined) {
    const token = checkPart(serverToken, `${path}serverToken`)
    if (/^PM-/i.test(token)) {
      throw refuse(
        `${path}serverToken is the access key of an SMTP token.`,
        'Use `smtpToken: { accessKey, secretKey }`.',
      )
    }
    return { user: token, pass: token }
  }
  const { accessKey, secretKey } = isRecord(smtpToken) ? smtpToken : {}
  const user = checkPart(accessKey, `${path}smtpToken.accessKey`)
  const pass = checkPart(secretKey, `${path}smtpToken.secretKey`)
  if (/^PM-/i.test(user) && user === pass) {
    throw refuse(
      `${path}smtpToken has the access key as its secret key.`,
      'Postmark shows the secret key only once, when the token is created. If you lost it, create a new token.',
    )
  }
  if (UUID.test(user) && UUID.test(pass) && user !== pass) {
    throw refuse(
      `${path}smtpToken contains two different UUIDs.`,
      'A Server API token is both user name and password: use `serverToken`.',
    )
  }
  return { user, pass }
}

function checkPart(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '')
    throw refuse(`${path} is ${value === '' ? 'empty' : 'not a string'}. ${UNSET_VARIABLE}`)
  if (/\s/.test(value))
    throw refuse(`${path} contains white space.`, 'Copy it again. The usual cause is a trailing line break.')
  if (PLACEHOLDER.test(value)) throw refuse(`${path} is a placeholder.`)
  if (!/^[!-~]+$/.test(value)) throw refuse(`${path} contains non-ASCII characters.`)
  return value
}

function refuse(message: string, hint?: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_CREDENTIALS', message, hint ? { hint } : {})
}

/** What the access key of an SMTP token reveals: the type of its stream, and its name if it contains one. */
export function readAccessKey(user: string): { type?: StreamType; stream?: string } {
  const [, letter, rest = ''] = /^PM-([TB])-(.+)$/.exec(user) ?? []
  if (letter === undefined) return {}
  const dash = rest.lastIndexOf('-')
  const type = letter === 'B' ? 'broadcasts' : 'transactional'
  return dash > 0 ? { type, stream: rest.slice(0, dash) } : { type }
}

/** The type of a message stream, which determines its host. */
export type StreamType = 'transactional' | 'broadcasts'

import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SMTPServerAuthentication } from 'smtp-server'
import { DEFAULT_STREAM, type SandboxStream } from '../mail/stream.js'

/** An SMTP token, for `startSandbox({ smtpTokens })`. */
export interface SmtpTokenSetting {
  /** The user name. @example 'PM-T-outbound-abc' */
  readonly accessKey: string
  /** The password. */
  readonly secretKey: string
  /** The ID of the message stream that it belongs to. */
  readonly stream: string
}

/** A login that was accepted. */
export interface LoggedIn {
  /** The message stream of an SMTP token; undefined for a server token. */
  readonly stream: string | undefined
}

/** Checks a login; undefined if it is refused. */
export type LoginCheck = (login: SMTPServerAuthentication) => LoggedIn | undefined

/**
 * Makes the check of logins. A server token is both user name and password. Without `serverTokens`, any is accepted.
 * Without both options, so is any SMTP token: its user name begins with `PM-T-` or `PM-B-`, and its secret is not known.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createLoginCheck(
  serverTokens: readonly string[] | undefined,
  smtpTokens: readonly SmtpTokenSetting[] | undefined,
  streams: readonly SandboxStream[],
): LoginCheck {
  for (const token of serverTokens ?? [])
    if (typeof token !== 'string' || token === '')
      throw optionError('serverToken', token, 'a token or a list of tokens')
  if (smtpTokens !== undefined && !Array.isArray(smtpTokens))
    throw optionError('smtpTokens', smtpTokens, 'a list of SMTP tokens')
  for (const token of smtpTokens ?? []) checkSmtpToken(token, streams)
  const isOpen = serverTokens === undefined && smtpTokens === undefined

  return (login) => {
    const user = login.username ?? ''
    const smtpToken = smtpTokens?.find(({ accessKey }) => accessKey === user)
    if (smtpToken) return hasPassword(login, smtpToken.secretKey) ? { stream: smtpToken.stream } : undefined
    if (isOpen && user.startsWith('PM-')) return { stream: streamOfAccessKey(user, streams) }
    if (user === '' || (serverTokens && !serverTokens.includes(user))) return undefined
    return hasPassword(login, user) ? { stream: undefined } : undefined
  }
}

function hasPassword(login: SMTPServerAuthentication, password: string): boolean {
  return login.method === 'CRAM-MD5' ? login.validatePassword(password) : login.password === password
}

function checkSmtpToken(token: SmtpTokenSetting, streams: readonly SandboxStream[]): void {
  refuseUnknown(token, ['accessKey', 'secretKey', 'stream'])
  for (const key of ['accessKey', 'secretKey'] as const)
    if (typeof token[key] !== 'string' || token[key] === '')
      throw optionError(`smtpTokens.${key}`, undefined, 'a non-empty string')
  if (!streams.some(({ id }) => id === token.stream))
    throw optionError('smtpTokens.stream', token.stream, `one of ${streams.map(({ id }) => id).join(', ')}`)
}

/** An open sandbox does not know the token, but the letter says which type its message stream has. */
function streamOfAccessKey(accessKey: string, streams: readonly SandboxStream[]): string {
  const type = accessKey.startsWith('PM-B-') ? 'broadcasts' : 'transactional'
  return streams.find((stream) => stream.type === type)?.id ?? DEFAULT_STREAM
}

import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { PostmarkServerOptions } from './server/postmark-server.js'
import type { Certificate } from './smtp/certificate.js'
import { checkFaults, type FaultScript } from './smtp/faults/fault-script.js'
import type { SmtpTokenSetting } from './smtp/logins.js'
import { isLoopback } from './smtp/loopback.js'
import type { WebhookOptions } from './webhooks/webhook.js'

/** What {@link startSandbox} takes. */
export interface SandboxOptions extends Omit<PostmarkServerOptions, 'now' | 'journal'> {
  /** The port that replaces smtp.postmarkapp.com, or both hosts without `broadcastsPort` (default 0: a free one). */
  readonly port?: number
  /** More ports for the same host. */
  readonly ports?: readonly number[]
  /** The port that replaces smtp-broadcasts.postmarkapp.com; 0 picks a free one (default: none). */
  readonly broadcastsPort?: number
  /**
   * The server tokens that may log in. By default, any user name that is also the password may, as for a server
   * token.
   */
  readonly serverToken?: string | readonly string[]
  /**
   * The SMTP tokens that may log in. Without this and without `serverToken`, any user name that begins with `PM-T-` or
   * `PM-B-` may, with any password.
   */
  readonly smtpTokens?: readonly SmtpTokenSetting[]
  /** Also accepts emails without a login, from programs that cannot log in (default false, as at Postmark). */
  readonly allowAnonymous?: boolean
  /**
   * What goes wrong, and where (default: nothing). `seededFaults` of `@postmark-smtp/sandbox/faults` draws faults.
   * @example [{ phase: 'dot', kind: 'cut', accepted: true }] // first connection: the mail is accepted, but never answered
   */
  readonly faults?: FaultScript
  /** The port of the REST API and the inbox page (default 0: a free one). */
  readonly httpPort?: number
  /** The address to listen on (default 127.0.0.1). One that other machines can reach needs a `password`. */
  readonly host?: string
  /** The password of the inbox page, and the token of the API without `serverToken` (default: none). */
  readonly password?: string
  /**
   * Whether the link check of the inbox page may request addresses of this machine and of private networks, redirects
   * included (default false).
   */
  readonly checkPrivateLinks?: boolean
  /** The webhooks that events are posted to. @example [{ url: 'http://127.0.0.1:3000/webhooks/postmark' }] */
  readonly webhooks?: readonly WebhookOptions[]
  /**
   * A directory that keeps emails, suppressions and webhooks across restarts. Only one sandbox at a time can use it
   * (default: none, everything is in memory).
   * @example '.postmark-sandbox'
   */
  readonly data?: string
  /**
   * More names and addresses that the self-signed certificate is valid for (default: none).
   * @example ['sandbox'] // the name of the container
   */
  readonly tlsNames?: readonly string[]
  /** Certificate and key in PEM (default: a self-signed one for localhost and 127.0.0.1, made at start). */
  readonly tls?: Certificate
}

const OPTIONS = [
  'account',
  'allowAnonymous',
  'broadcastsPort',
  'checkPrivateLinks',
  'data',
  'faults',
  'host',
  'httpPort',
  'keep',
  'password',
  'port',
  'ports',
  'searchDelayMs',
  'senders',
  'serverToken',
  'settings',
  'smtpTokens',
  'streams',
  'tls',
  'tlsNames',
  'webhooks',
]

/**
 * Refuses options that are unknown or of the wrong type. Their contents are checked where they are read.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function checkOptions(options: SandboxOptions): void {
  refuseUnknown(options, OPTIONS)
  const { port, ports = [], broadcastsPort, httpPort, allowAnonymous, checkPrivateLinks, tls } = options
  checkFaults(options.faults)
  for (const [name, value] of Object.entries({ allowAnonymous, checkPrivateLinks }))
    if (value !== undefined && typeof value !== 'boolean') throw optionError(name, value, 'true or false')
  if (!Array.isArray(ports)) throw optionError('ports', ports, 'a list of ports')
  for (const value of [port, ...ports, broadcastsPort, httpPort]) {
    if (value !== undefined && typeof value !== 'number') throw optionError('port', value, 'a number')
  }
  if (options.data !== undefined && (typeof options.data !== 'string' || options.data === ''))
    throw optionError('data', options.data, 'the path of a directory')
  checkAddress(options)
  checkNames(options)
  if (tls === undefined) return
  refuseUnknown(tls, ['cert', 'key'])
  for (const key of ['cert', 'key'] as const)
    if (typeof tls[key] !== 'string' || !tls[key].includes('-----BEGIN'))
      throw optionError(`tls.${key}`, undefined, 'a string in PEM')
}

const NAME = /^(?!-)(\*\.)?[a-z0-9_.:-]{1,253}$/i

function checkNames({ tls, tlsNames }: SandboxOptions): void {
  if (tlsNames === undefined) return
  if (!Array.isArray(tlsNames)) throw optionError('tlsNames', tlsNames, 'a list of names')
  for (const name of tlsNames)
    if (typeof name !== 'string' || !NAME.test(name))
      throw optionError('tlsNames', name, 'a host name or an address, such as sandbox')
  if (tls !== undefined && tlsNames.length > 0)
    throw optionError(
      'tlsNames',
      tlsNames.join(', '),
      'left out if `tls` is given, because that certificate has its own names',
    )
}

function checkAddress({ host, password, webhooks }: SandboxOptions): void {
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw optionError('host', host, 'an address of this machine, such as 127.0.0.1 or 0.0.0.0')
  if (password !== undefined && (typeof password !== 'string' || password === ''))
    throw optionError('password', undefined, 'a non-empty string')
  if (host !== undefined && !isLoopback(host) && password === undefined)
    throw optionError(
      'password',
      undefined,
      `set, because other machines can reach the sandbox (host ${host})`,
    )
  if (webhooks !== undefined && !Array.isArray(webhooks))
    throw optionError('webhooks', webhooks, 'a list of webhooks')
}

import { Resolver } from 'node:dns/promises'
import type { ConnectionOptions } from 'node:tls'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** What the doctor asks of DNS: a `Resolver` of `node:dns/promises` is one. */
export type DnsResolver = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveTxt' | 'resolveCname'>

/** Finds the addresses to connect to: `lookup` of `node:dns/promises` with `all: true` is one. */
export type Lookup = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

/** What {@link examine} takes; an unknown option fails at once. */
export interface ExamineOptions {
  /** The connection URL of the application. Default: Postmark's two hosts, with `apiToken` as the login. */
  readonly url?: string | undefined
  /** A Server API token for the REST API. Default: the one of the URL, where it holds one and names no other host. */
  readonly apiToken?: string | undefined
  /** An account API token, without which sender signatures and domains are not read. */
  readonly accountToken?: string | undefined
  /** Where the REST API is. Default: Postmark's; none where the URL names a host that is not Postmark's. */
  readonly apiUrl?: string | undefined
  /** The From address of the application. @example 'shop@example.com' */
  readonly from?: string | undefined
  /** The message stream to examine. Default: the one of the URL or of its SMTP token, else `outbound`. */
  readonly stream?: string | undefined
  /** Sends one mail from `from` to this address. Default: nothing is sent. */
  readonly sendTo?: string | undefined
  /** Lets Postmark post dummy data to each webhook. Default false. */
  readonly verifyWebhooks?: boolean | undefined
  /** The folder of the application, whose packages are looked at. Default: none is. */
  readonly folder?: string | undefined
  /** The transporter of the application, whose plugins are looked at. Default: none is. */
  readonly transporter?: object | undefined
  /** As for Node's `tls.connect`; `ca` for a server of your own. */
  readonly tls?: ConnectionOptions | undefined
  /** Ports to try. Default: the one of the URL, else 587, 2525, 25. */
  readonly ports?: readonly number[] | undefined
  /** Who answers DNS queries. Default: the name servers of the system. */
  readonly resolver?: DnsResolver | undefined
  /** Who finds addresses. Default: the system. */
  readonly lookup?: Lookup | undefined
  /** For everything together, in milliseconds. Default 15,000. */
  readonly limitMs?: number | undefined
  /** The longest that one question waits for its answer, in milliseconds. Default 4,000. */
  readonly patienceMs?: number | undefined
  /** Ends the examination. */
  readonly signal?: AbortSignal | undefined
}

const TEXTS = ['url', 'apiToken', 'accountToken', 'apiUrl', 'from', 'stream', 'sendTo', 'folder'] as const
const OTHERS = [
  ...['verifyWebhooks', 'transporter', 'tls', 'ports', 'resolver', 'lookup'],
  ...['limitMs', 'patienceMs', 'signal'],
]
const LONGEST_MS = 600_000

/** Checks the options. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkExamineOptions(options: ExamineOptions): void {
  refuseUnknown(options, [...TEXTS, ...OTHERS])
  for (const name of TEXTS) {
    const value = options[name]
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw optionError(name, value === '' ? value : undefined, 'a text that is not empty')
  }
  for (const name of ['limitMs', 'patienceMs'] as const) {
    const value = options[name]
    if (value !== undefined && !(typeof value === 'number' && value > 0 && value <= LONGEST_MS))
      throw optionError(name, value, `milliseconds, up to ${LONGEST_MS}`)
  }
  for (const name of ['from', 'sendTo'] as const) {
    const value = options[name]
    if (value !== undefined && !/^[^\s@<>]+@[^\s@<>]+$/.test(value))
      throw optionError(name, value, 'a bare address such as shop@example.com')
  }
  const { apiUrl, sendTo, from } = options
  if (apiUrl !== undefined && !isSafeApi(apiUrl))
    throw optionError('apiUrl', undefined, 'an https URL, or an http URL of this machine, without a login')
  if (sendTo !== undefined && from === undefined) throw optionError('from', from, 'given with sendTo')
}

/** A token goes there, so it must not cross a network in clear. */
function isSafeApi(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  // fetch refuses it, in an error that quotes the password.
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
}

/** The name servers of the system, asked twice at most. */
export function systemResolver(patienceMs: number): Resolver {
  return new Resolver({ timeout: Math.ceil(patienceMs / 2), tries: 2 })
}

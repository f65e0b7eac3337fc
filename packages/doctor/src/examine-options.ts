import { Resolver } from 'node:dns/promises'
import type { ConnectionOptions } from 'node:tls'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** Answers DNS queries. A `Resolver` of `node:dns/promises` is one. */
export type DnsResolver = Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveTxt' | 'resolveCname'>

/** Finds the addresses to connect to. `lookup` of `node:dns/promises` with `all: true` is one. */
export type Lookup = (
  host: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

/** The options of {@link examine}. An unknown option throws immediately. */
export interface ExamineOptions {
  /** The connection URL of the application. Default: Postmark's two hosts, with `apiToken` as the login. */
  readonly url?: string | undefined
  /** A Server API token for the REST API. Default: the token of the URL, if it is a Server API token. */
  readonly apiToken?: string | undefined
  /** An account API token. Sender signatures and domains are read only with it. */
  readonly accountToken?: string | undefined
  /** The URL of the REST API. Default: Postmark's, or none if the URL names a host that is not Postmark's. */
  readonly apiUrl?: string | undefined
  /** The From address of the application. @example 'shop@example.com' */
  readonly from?: string | undefined
  /** The message stream to examine. Default: the stream of the URL or of its SMTP token, otherwise `outbound`. */
  readonly stream?: string | undefined
  /** Sends one email from `from` to this address. Default: nothing is sent. */
  readonly sendTo?: string | undefined
  /** Whether Postmark posts dummy data to each webhook. Default false. */
  readonly verifyWebhooks?: boolean | undefined
  /** The folder of the application whose packages are examined. Default: none. */
  readonly folder?: string | undefined
  /** The transporter of the application whose plugins are examined. Default: none. */
  readonly transporter?: object | undefined
  /** Options for Node's `tls.connect`, such as `ca` for your own server. */
  readonly tls?: ConnectionOptions | undefined
  /** The ports to try. Default: the port of the URL, otherwise 587, 2525 and 25. */
  readonly ports?: readonly number[] | undefined
  /** Answers DNS queries. Default: the name servers of the system. */
  readonly resolver?: DnsResolver | undefined
  /** Finds the addresses of hosts. Default: the system. */
  readonly lookup?: Lookup | undefined
  /** The time limit for the whole examination, in milliseconds. Default 15,000. */
  readonly limitMs?: number | undefined
  /** The limit for each question, such as a query or a connection, in milliseconds. Default 4,000. */
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
      throw optionError(name, value === '' ? value : undefined, 'a string that is not empty')
  }
  for (const name of ['limitMs', 'patienceMs'] as const) {
    const value = options[name]
    if (value !== undefined && !(typeof value === 'number' && value > 0 && value <= LONGEST_MS))
      throw optionError(name, value, `a number of milliseconds, at most ${LONGEST_MS}`)
  }
  for (const name of ['from', 'sendTo'] as const) {
    const value = options[name]
    if (value !== undefined && !/^[^\s@<>]+@[^\s@<>]+$/.test(value))
      throw optionError(name, value, 'a bare address such as shop@example.com')
  }
  const { apiUrl, sendTo, from } = options
  if (apiUrl !== undefined && !isSafeApi(apiUrl))
    throw optionError(
      'apiUrl',
      undefined,
      'an https URL, or an http URL of this machine, without a user name and password',
    )
  if (sendTo !== undefined && from === undefined) throw optionError('from', from, 'given with sendTo')
}

/** A token goes there, so it must not cross a network unencrypted. */
function isSafeApi(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  // fetch refuses a login, in an error that quotes the password.
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
}

/** The name servers of the system, asked at most twice. */
export function systemResolver(patienceMs: number): Resolver {
  return new Resolver({ timeout: Math.ceil(patienceMs / 2), tries: 2 })
}

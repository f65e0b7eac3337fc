import { lookup } from 'node:dns/promises'
import { setMaxListeners } from 'node:events'
import { domainToASCII } from 'node:url'
import type { StreamType } from '@postmark-smtp/core'
import { type Login, POSTMARK_HOSTS, POSTMARK_PORTS, type Redactor } from '@postmark-smtp/core/internal'
import { type ApiClient, type Caller, createApiClient, type Json } from './api-client.js'
import type { SessionFacts } from './checks/open-session.js'
import type { PortProbe } from './checks/probe-port.js'
import { type DnsResolver, type ExamineOptions, type Lookup, systemResolver } from './examine-options.js'
import { createSecretsRedactor } from './redactor.js'

/** What the checks have found out so far, for the checks that follow. */
interface Facts {
  /** From the URL (`url`). */
  login?: Login | undefined
  host?: string | undefined
  ports: readonly number[]
  urlStream?: string | undefined
  urlType?: StreamType | undefined
  plaintext: boolean
  /** Addresses by host (`dns`). */
  readonly addresses: Map<string, readonly { readonly address: string; readonly family: number }[]>
  /** Why DNS queries from this program fail (`dns`). */
  queriesFail?: string | undefined
  /** Ports that were tried (`ports`). */
  probes: readonly PortProbe[]
  /** One session for each host (`tls`). */
  readonly sessions: Map<string, SessionFacts>
  /** Answers of the API (`server`, `streams`, `sender`). */
  server?: Json | undefined
  streams?: readonly Json[] | undefined
  webhooks?: readonly Json[] | undefined
  isAligned?: boolean | undefined
  /** The domain, or else the sender signature, of the From address, with its DNS records. */
  domain?: Json | undefined
}

/** A running examination. */
export interface Examination {
  readonly options: ExamineOptions
  readonly facts: Facts
  readonly redactor: Redactor
  readonly resolver: DnsResolver
  readonly lookup: Lookup
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly api: ApiClient | undefined
  /** Calls the API with the Server API token; undefined if none is known. */
  readonly caller: Caller | undefined
  readonly accountCaller: Caller | undefined
  /** The stream to examine. */
  readonly stream: string
  /** The host that emails of that stream go to, according to the URL. */
  readonly host: string
  /** Every host to examine. */
  readonly hosts: readonly string[]
  /** Stops waiting for anything. */
  end(): void
}

/** Whether a host is one of Postmark's. */
export function isPostmarkHost(host: string): boolean {
  return Object.values(POSTMARK_HOSTS).includes(host.toLowerCase())
}

/** The domain of an address, in the form that DNS uses. @example domainOf('shop@bücher.example') // 'xn--bcher-kva.example' */
export function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
  return domainToASCII(domain) || domain
}

/** Begins an examination. */
export function beginExamination(options: ExamineOptions): Examination {
  const { patienceMs = 4_000, limitMs = 15_000 } = options
  const redactor = createSecretsRedactor()
  const own = options.resolver ? undefined : systemResolver(patienceMs)
  const ending = new AbortController()
  const signal = AbortSignal.any([
    ending.signal,
    AbortSignal.timeout(limitMs),
    ...(options.signal ? [options.signal] : []),
  ])
  // Many questions listen to it at the same time.
  setMaxListeners(0, signal)
  for (const token of [options.apiToken, options.accountToken]) if (token) redactor.add(token)
  const facts: Facts = {
    ports: options.ports ?? POSTMARK_PORTS,
    plaintext: false,
    addresses: new Map(),
    probes: [],
    sessions: new Map(),
  }
  let api: ApiClient | undefined
  const isForeign = () => facts.host !== undefined && !isPostmarkHost(facts.host)
  const type = (): StreamType =>
    facts.urlType ?? ((options.stream ?? facts.urlStream) === 'broadcast' ? 'broadcasts' : 'transactional')
  return {
    options,
    facts,
    redactor,
    resolver: options.resolver ?? own!,
    lookup: options.lookup ?? ((host) => lookup(host, { all: true })),
    patienceMs,
    signal,
    get api() {
      const url = options.apiUrl ?? (isForeign() ? undefined : 'https://api.postmarkapp.com')
      if (url !== undefined) api ??= createApiClient(url, patienceMs, signal)
      return api
    },
    get caller(): Caller | undefined {
      const { login } = facts
      const token = options.apiToken ?? (login && login.user === login.pass ? login.user : undefined)
      return token === undefined ? undefined : { header: 'X-Postmark-Server-Token', token }
    },
    get accountCaller(): Caller | undefined {
      const token = options.accountToken
      return token === undefined ? undefined : { header: 'X-Postmark-Account-Token', token }
    },
    get stream() {
      return options.stream ?? facts.urlStream ?? 'outbound'
    },
    get host() {
      return facts.host ?? POSTMARK_HOSTS[type()]
    },
    get hosts() {
      return facts.host === undefined ? Object.values(POSTMARK_HOSTS) : [facts.host]
    },
    end: () => {
      ending.abort()
      own?.cancel()
    },
  }
}

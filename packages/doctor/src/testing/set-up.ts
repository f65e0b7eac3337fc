import { type Certificate, makeCertificate } from '@postmark-smtp/testing'
import type { ExamineOptions } from '../examine-options.js'
import { startDns, type Zone } from './dns-server.js'
import { type ApiNature, type Routes, startApi, startEndpoint } from './scripted-api.js'
import { type SmtpScript, startSmtpScript } from './smtp-script.js'

export const SERVER_TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
export const ACCOUNT_TOKEN = '0d9b6c1a-51f2-4be0-8a77-9b1d2f3c4e5a'
export const OTHER_TOKEN = 'c3a1f0e2-7b64-4c59-8d2e-1f0a9b8c7d6e'
const WEBHOOK_SECRET = 'hook-5e7a9c1b2d'
export const SECRETS: readonly string[] = [SERVER_TOKEN, ACCOUNT_TOKEN, OTHER_TOKEN, WEBHOOK_SECRET]

/** How a set-up differs from one in which everything is right. */
export interface SetUp {
  readonly smtp?: SmtpScript
  /** Further ports of the same host. */
  readonly otherPorts?: readonly (SmtpScript | number)[]
  readonly cert?: Certificate
  readonly zone?: Zone
  readonly dns?: { readonly isSilent?: boolean }
  readonly api?: Partial<ApiNature>
  readonly routes?: Routes
  readonly endpointStatus?: number
  readonly options?: ExamineOptions
}

let right: Promise<Certificate> | undefined
const HOSTS = ['smtp.postmarkapp.com', 'smtp-broadcasts.postmarkapp.com'] as const

/** The certificate of both hosts. */
export function rightCertificate(): Promise<Certificate> {
  right ??= makeCertificate(HOSTS[0], undefined, { names: [HOSTS[1]] })
  return right
}

const ZONE: Zone = {
  'smtp.postmarkapp.com': { A: ['50.31.205.201'], AAAA: [] },
  'smtp-broadcasts.postmarkapp.com': { A: ['50.31.205.202'] },
  'shop.example': { TXT: ['v=spf1 include:spf.mtasv.net ~all'] },
  'pm._domainkey.shop.example': { TXT: ['k=rsa; p=MIGfMA0GCSq GSIb3DQEBAQ=='] },
  'pm-bounces.shop.example': { CNAME: ['pm.mtasv.net'] },
  '_dmarc.shop.example': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@shop.example'] },
}

const on = { Enabled: true, IncludeContent: true }

export const WEBHOOK: { readonly Triggers: object } & Readonly<Record<string, unknown>> = {
  ID: 7,
  MessageStream: 'outbound',
  HttpAuth: { Username: 'postmark', Password: WEBHOOK_SECRET },
  HttpHeaders: [],
  Triggers: {
    Bounce: on,
    SpamComplaint: on,
    SubscriptionChange: { Enabled: true },
    Delivery: { Enabled: true },
  },
  Status: 'verified',
}

export const SERVER: Readonly<Record<string, unknown>> = {
  ID: 1,
  Name: 'Shop',
  ApiTokens: [SERVER_TOKEN, OTHER_TOKEN],
  SmtpApiActivated: true,
  EnableSmtpApiErrorHooks: true,
  DeliveryType: 'Live',
  TrackOpens: true,
  TrackLinks: 'None',
  InboundDomain: '',
}

export const DOMAIN = {
  ID: 3,
  Name: 'shop.example',
  DKIMVerified: true,
  WeakDKIM: false,
  ReturnPathDomainVerified: true,
}

/** The same with its records, as `GET /domains/3` has it. */
export const DOMAIN_DETAILS: Readonly<Record<'DKIMHost' | 'DKIMTextValue', string>> &
  Readonly<Record<string, unknown>> = {
  ...DOMAIN,
  DKIMHost: 'pm._domainkey.shop.example',
  DKIMTextValue: 'k=rsa;p=MIGfMA0GCSqGSIb3DQEBAQ==',
  DKIMPendingHost: '',
  DKIMPendingTextValue: '',
  ReturnPathDomain: 'pm-bounces.shop.example',
  ReturnPathDomainCNAMEValue: 'pm.mtasv.net',
}

const stream = (ID: string, MessageStreamType: string, ArchivedAt: string | null = null) => ({
  ID,
  MessageStreamType,
  ArchivedAt,
})
export const STREAMS: { readonly MessageStreams: readonly object[] } = {
  MessageStreams: [
    stream('outbound', 'Transactional'),
    stream('broadcast', 'Broadcasts'),
    stream('news', 'Broadcasts'),
    stream('inbound', 'Inbound'),
    stream('old', 'Transactional', '2026-01-31T12:00:00-05:00'),
  ],
}

/** Postmark’s hosts, API and name servers on the loopback interface, and the options that examine them. */
export async function startSetUp(
  setUp: SetUp = {},
): Promise<{ readonly options: ExamineOptions; close(): Promise<void> }> {
  const cert = setUp.cert ?? (await rightCertificate())
  const closers: (() => Promise<unknown>)[] = []
  const started = <T extends { close(): Promise<unknown> }>(part: T): T => {
    closers.push(part.close)
    return part
  }
  const script = { tls: cert, ...setUp.smtp }
  const ports = [started(await startSmtpScript(script)).port]
  for (const other of setUp.otherPorts ?? [])
    ports.push(
      typeof other === 'number' ? other : started(await startSmtpScript({ tls: cert, ...other })).port,
    )
  const dns = started(await startDns({ ...ZONE, ...setUp.zone }, setUp.dns))
  const endpoint = started(await startEndpoint(setUp.endpointStatus ?? 401))
  const routes: Routes = {
    '/server': SERVER,
    '/message-streams': STREAMS,
    '/domains': { TotalCount: 1, Domains: [DOMAIN] },
    '/domains/3': DOMAIN_DETAILS,
    '/senders': { TotalCount: 0, SenderSignatures: [] },
    '/webhooks': { Webhooks: [{ ...WEBHOOK, Url: endpoint.url }] },
    '/webhooks/7/statistics': { WebhookId: 7, Statuses: {}, MetricsByTrigger: {} },
    '/message-streams/outbound/suppressions/dump': { Suppressions: [] },
    '/message-streams/news/suppressions/dump': { Suppressions: [] },
    '/bounces': { TotalCount: 0, Bounces: [] },
    ...setUp.routes,
  }
  const api = started(
    await startApi(routes, { serverToken: SERVER_TOKEN, accountToken: ACCOUNT_TOKEN, ...setUp.api }),
  )
  const options: ExamineOptions = {
    url: `postmark+smtp://${SERVER_TOKEN}@default`,
    accountToken: ACCOUNT_TOKEN,
    apiUrl: api.url,
    from: 'shop@shop.example',
    ports,
    tls: { ca: (await rightCertificate()).cert },
    resolver: dns.resolver,
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    patienceMs: 2_000,
    limitMs: 60_000,
    ...setUp.options,
  }
  return {
    options,
    close: async () => {
      for (const close of closers) await close()
    },
  }
}
